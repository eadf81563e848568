"""Values: from wire to the JSON that stands for them, and back, by a schema whose types are read."""
import base64, ipaddress, json, math, re, struct, uuid
from datetime import datetime, timedelta, timezone

import shapes
from primitives import Bad, Reader, blob, many, text, varint, zigzag

MAX_DEPTH, MAX_ZERO_SIZED = 128, 65_536
ABSENT = object()
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Value:
    """Reads one value of a type as the JSON that stands for it."""
    def __init__(self, schema, data): self.defs, self.r, self.depth, self.empty = schema["definitions"], Reader(data), 0, 0

    def whole(self, ty):
        value = self.read(ty)
        if self.r.left(): raise Bad("trailing")
        return value

    def zero_sized(self):
        self.empty += 1
        if self.empty > MAX_ZERO_SIZED: raise Bad("zero-sized")

    def nested(self, inside):
        self.depth += 1
        if self.depth > MAX_DEPTH: raise Bad("depth")
        value = inside()
        self.depth -= 1
        return value

    def unsized(self, inside):
        start = self.r.at
        value = self.nested(inside)
        if self.r.at == start: self.zero_sized()
        return value

    def read(self, ty):
        r = self.r
        match ty:
            case ("unit",): return self.zero_sized()
            case ("bool",): return r.flag()
            case ("u8",): return r.u8()
            case ("i8",): return int.from_bytes(r.take(1), signed=True)
            case (("u16" | "u32" | "u64") as name,): return r.varint(int(name[1:]))
            case (("i16" | "i32" | "i64") as name,): return r.zigzag(int(name[1:]))
            case ("u128",): return str(r.varint(128))
            case ("i128",): return str(r.zigzag(128))
            case ("f32",): return number(struct.unpack("<f", r.take(4))[0])
            case ("f64",): return number(struct.unpack("<d", r.take(8))[0])
            case ("char",):
                first = r.u8()
                width = 1 if first < 0x80 else 2 if first < 0xe0 else 3 if first < 0xf0 else 4
                return (bytes([first]) + r.take(width - 1)).decode()
            case ("string",): return r.str()
            case ("json",): return json.loads(r.str())
            case ("bytes",): return base64.b64encode(r.bytes()).decode()
            case ("uuid",): return str(uuid.UUID(bytes=r.bytes()))
            case ("timestamp",): return when(r.zigzag(64), self.nanos())
            case ("duration",): return f"{r.varint(64)}{fraction(self.nanos())}s"
            case ("ipaddr",): return self.address([4, 16][r.varint(32)] if r.data[r.at] < 2 else 0)
            case ("ipv4addr",): return self.address(4)
            case ("ipv6addr",): return self.address(16)
            case ("option", inner): return self.read(inner) if r.flag() else None
            case ("presence", inner): return self.presence(inner)
            case ("logical", _, physical): return self.read(physical)
            case ("list", item): return self.nested(lambda: [self.read(item) for _ in range(r.varint(64))])
            case ("array", item, n): return self.unsized(lambda: [self.read(item) for _ in range(n)])
            case ("tuple", items): return self.unsized(lambda: [self.read(item) for item in items])
            case ("map", k, v): return self.nested(lambda: self.map(k, v))
            case ("ref", n): return self.definition(self.defs[n])

    def map(self, k, v):
        entries, keys = {}, set()
        for _ in range(self.r.varint(64)):
            start = self.r.at
            name = key(self.read(k))
            raw = bytes(self.r.data[start:self.r.at])
            if raw in keys: raise Bad("key twice")
            keys.add(raw)
            entries[name] = self.read(v)
        return entries

    def definition(self, d):
        if "struct" in d: return self.fields(d["fields"])
        number = self.r.varint(32)
        if number >= len(d["variants"]): raise Bad("variant")
        variant = d["variants"][number]
        inside = None
        match variant["shape"]:
            case {"newtype": ty}: inside = lambda: self.read(ty)
            case {"tuple": types}: inside = lambda: self.read(("tuple", types))
            case {"struct": fields}: inside = lambda: self.fields(fields)
        return shapes.variant(d, variant["name"], None if variant["shape"] == "unit" else self.nested(inside))

    def fields(self, fields):
        members = {}
        for f, value in self.unsized(lambda: [(f, self.read(f["type"])) for f in fields]):
            if shapes.is_flat(f): members |= value or {}
            elif value is not ABSENT: members[f["name"]] = value
        return members

    def presence(self, inner):
        which = self.r.varint(32)
        if which > 2: raise Bad("presence")
        return self.read(inner) if which == 2 else [ABSENT, None][which]

    def address(self, width):
        if not width: raise Bad("address")
        return str(ipaddress.ip_address(self.r.take(width)))

    def nanos(self):
        n = self.r.varint(32)
        if n >= 10**9: raise Bad("nanoseconds")
        return n


def number(x):
    """JSON has no such numbers: they are strings."""
    if math.isnan(x): return "NaN"
    return x if math.isfinite(x) else "Infinity" if x > 0 else "-Infinity"

def fraction(nanos): return f".{nanos:09}".rstrip("0").rstrip(".")

def when(seconds, nanos):
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S") + fraction(nanos) + "Z"

def key(k): return {True: "true", False: "false"}.get(k, k) if isinstance(k, bool) else str(k)

def parts(match):
    """Whole and fraction of a decimal, the latter in nanoseconds."""
    return match[1], int((match[2] or "").ljust(9, "0"))


def put(schema, ty, v):
    """Writes a value from its JSON."""
    defs = schema["definitions"]
    go = lambda ty, v: put(schema, ty, v)
    match ty:
        case ("unit",): return b""
        case ("bool",): return bytes([v])
        case (("u8" | "i8") as name,): return v.to_bytes(1, signed=name == "i8")
        case (("u16" | "u32" | "u64" | "u128"),): return varint(int(v))
        case (("i16" | "i32" | "i64" | "i128"),): return zigzag(int(v))
        case (("f32" | "f64") as name,): return struct.pack("<f" if name == "f32" else "<d", float(v))
        case ("char",): return v.encode()
        case ("string",): return text(v)
        case ("json",): return text(json.dumps(v, separators=(",", ":")))
        case ("bytes",): return blob(base64.b64decode(v))
        case ("uuid",): return blob(uuid.UUID(v).bytes)
        case ("timestamp",):
            whole, nanos = parts(re.fullmatch(r"([^.]*)(?:\.(\d+))?Z", v))
            seconds = (datetime.fromisoformat(whole + "+00:00") - EPOCH) // timedelta(seconds=1)
            return zigzag(seconds) + varint(nanos)
        case ("duration",):
            whole, nanos = parts(re.fullmatch(r"(\d+)(?:\.(\d+))?s", v))
            return varint(int(whole)) + varint(nanos)
        case ("ipaddr",):
            address = ipaddress.ip_address(v)
            return bytes([address.version == 6]) + address.packed
        case (("ipv4addr" | "ipv6addr"),): return ipaddress.ip_address(v).packed
        case ("option", inner): return b"\0" if v is None else b"\1" + go(inner, v)
        case ("presence", inner): return b"\0" if v is ABSENT else b"\1" if v is None else b"\2" + go(inner, v)
        case ("logical", _, physical): return go(physical, v)
        case ("list", item): return many(v, lambda v: go(item, v))
        case ("array", item, _): return b"".join(go(item, v) for v in v)
        case ("tuple", items): return b"".join(map(go, items, v))
        case ("map", k, value): return many(v.items(), lambda e: go(k, e[0]) + go(value, e[1]))
        case ("ref", n): return put_definition(schema, defs[n], v, go)


def put_definition(schema, d, v, go):
    missing = lambda f: {f["name"]: ABSENT} if f["type"][0] == "presence" else {}
    def fields(of, v):
        # What a map takes is what no other field does.
        names = shapes.names(schema, of)
        rest = {name: value for name, value in v.items() if name not in names}
        return b"".join(flat(f["type"], v, rest) if shapes.is_flat(f) else go(f["type"], (missing(f) | v)[f["name"]]) for f in of)
    def flat(ty, v, rest):
        ty = shapes.physical(ty)
        if ty[0] == "map": return go(ty, rest)
        if ty[0] != "option": return fields(schema["definitions"][ty[1]]["fields"], v)
        of = schema["definitions"][shapes.physical(ty[1])[1]]["fields"]
        return b"\1" + fields(of, v) if shapes.names(schema, of) & set(v) else b"\0"
    if "struct" in d: return fields(d["fields"], v)
    name, inside = shapes.of_variant(d, v)
    index = [variant["name"] for variant in d["variants"]].index(name)
    match d["variants"][index]["shape"]:
        case "unit": content = b""
        case {"newtype": ty}: content = go(ty, inside)
        case {"tuple": types}: content = go(("tuple", types), inside)
        case {"struct": of}: content = fields(of, inside)
    return varint(index) + content
