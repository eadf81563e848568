"""The canonical form of a schema, and its wire form, by the page."""
from primitives import Bad, Reader, blob, many, text, varint
from schema import in_text, put_schema


def inside(ty): return [t for x in ty[1:] for t in (x if isinstance(x, list) else [x]) if isinstance(t, tuple)]

def rewrite(ty, one):
    """The type with `one` applied to each type in it, from the inside."""
    go = lambda x: [rewrite(t, one) for t in x] if isinstance(x, list) else rewrite(x, one) if isinstance(x, tuple) else x
    return one((ty[0], *map(go, ty[1:])))

def types_of(definition):
    for f in definition.get("fields", []): yield f["type"]
    for variant in definition.get("variants", []):
        match variant["shape"]:
            case {"newtype": ty}: yield ty
            case {"tuple": types}: yield from types
            case {"struct": fields}: yield from (f["type"] for f in fields)

def roots(s): return [s[k] for k in ("request", "request_items", "response", "error") if s[k] is not None]

def first_use(s):
    """The numbers of the definitions in the order of first use."""
    order = []
    def visit(ty):
        if ty[0] == "ref" and ty[1] not in order:
            order.append(ty[1])
            for t in types_of(s["definitions"][ty[1]]): visit(t)
        for t in inside(ty): visit(t)
    for root in roots(s): visit(root)
    return order

def with_types(s, definitions, one, field=lambda f: f, variant=lambda v: v):
    """The schema with these definitions, and `one`, `field` and `variant` applied to all there is."""
    def fields(of): return [field(f | {"type": one(f["type"])}) for f in of]
    def shaped(v):
        match v["shape"]:
            case {"newtype": ty}: shape = {"newtype": one(ty)}
            case {"tuple": types}: shape = {"tuple": [one(ty) for ty in types]}
            case {"struct": of}: shape = {"struct": fields(of)}
            case unit: shape = unit
        return variant(v | {"shape": shape})
    def definition(d):
        if "fields" in d: return d | {"fields": fields(d["fields"])}
        return d | {"variants": [shaped(v) for v in d["variants"]]}
    types = {k: s[k] and one(s[k]) for k in ("request", "request_items", "response", "error")}
    return s | types | {"definitions": [definition(d) for d in definitions]}

def canonical(s):
    def formed(f):
        """A field whose values are in their one form; its type still has the old numbers."""
        default = f["default"] and form(s, f["type"], f["default"])
        kinds = {2: f["type"], 3: content(f["type"]), 4: content(f["type"])}
        attributes = [[tag, form(s, kinds[tag], v) if tag in kinds else v] for tag, v in f["attributes"]]
        return f | {"default": default, "attributes": attributes}
    formed_first = with_types(s, s["definitions"], lambda ty: ty, formed)
    order = first_use(s)
    numbers = {old: new for new, old in enumerate(order)}
    renumber = lambda ty: ("ref", numbers[ty[1]]) if ty[0] == "ref" else ty
    return with_types(formed_first, [formed_first["definitions"][old] for old in order], lambda ty: rewrite(ty, renumber))

def wire_form(s):
    """The bytes of which the wire fingerprint is."""
    physical = lambda ty: ty[2] if ty[0] == "logical" else ty
    bare = {"doc": "", "aliases": [], "default": None, "attributes": []}
    field = lambda f: {"name": f["name"], "type": f["type"]} | bare
    variant = lambda v: {"name": v["name"], "shape": v["shape"], "doc": "", "aliases": [], "attributes": []}
    def nameless(d):
        named = {"struct": ""} if "struct" in d else {"enum": ""}
        return d | named | {"doc": "", "attributes": []}
    stripped = with_types(s, s["definitions"], lambda ty: rewrite(ty, physical), field, variant)
    stripped |= {"doc": "", "attributes": [], "definitions": [nameless(d) for d in stripped["definitions"]]}
    return b"\0" + put_schema(in_text(canonical(stripped)))[1:]


LOGICAL = {1: "string", 2: "string", 3: "string", 4: "string", 5: "string", 6: "list"}

def content(ty):
    """What minimum and maximum are values of: no option, no presence, no logical type that is not known."""
    while True:
        match ty:
            case ("option", inner) | ("presence", inner): ty = inner
            case ("logical", n, inner) if LOGICAL.get(n) != inner[0]: ty = inner
            case _: return ty

def form(s, ty, value):
    try: return Form(s["definitions"], Reader(bytes.fromhex(value))).value(ty).hex()
    except Bad: return value

class Form:
    """Reads a value and writes it in its one form."""
    def __init__(self, definitions, r): self.definitions, self.r = definitions, r

    def varint(self, bits): return varint(self.r.varint(bits))

    def value(self, ty):
        r = self.r
        match ty:
            case ("unit",): return b""
            case ("bool" | "u8" | "i8",): return r.take(1)
            case (("u16" | "u32" | "u64" | "u128" | "i16" | "i32" | "i64" | "i128") as name,): return self.varint(int(name[1:]))
            case ("f32" | "ipv4addr",): return r.take(4)
            case ("f64",): return r.take(8)
            case ("ipv6addr",): return r.take(16)
            case ("char",):
                first = r.data[r.at]
                return r.take(1 if first < 0x80 else 2 if first < 0xe0 else 3 if first < 0xf0 else 4)
            case ("string" | "json" | "bytes" | "uuid",): return blob(r.bytes())
            case ("timestamp" | "duration",): return self.varint(64) + self.varint(32)
            case ("ipaddr",):
                which = r.varint(32)
                return varint(which) + r.take([4, 16][which])
            case ("option", inner): return b"\1" + self.value(inner) if r.flag() else b"\0"
            case ("presence", inner):
                which = r.varint(32)
                return varint(which) + (self.value(inner) if which == 2 else b"")
            case ("logical", 6, ("list", item)): return many(sorted(self.items(item)), bytes)
            case ("logical", _, inner): return self.value(inner)
            case ("list", item): return many(self.items(item), bytes)
            case ("array", item, n): return b"".join(self.value(item) for _ in range(n))
            case ("tuple", items): return b"".join(map(self.value, items))
            case ("map", key, item):
                entries = [(self.value(key), self.value(item)) for _ in range(r.varint(64))]
                if len({key for key, _ in entries}) < len(entries): raise Bad("keys that are one now")
                return many(sorted(entries, key=lambda e: e[0]), b"".join)
            case ("ref", n): return self.definition(self.definitions[n])

    def items(self, item): return [self.value(item) for _ in range(self.r.varint(64))]

    def definition(self, d):
        fields = lambda of: b"".join(self.value(f["type"]) for f in of)
        if "fields" in d: return fields(d["fields"])
        which = self.r.varint(32)
        match d["variants"][which]["shape"]:
            case {"newtype": ty}: content = self.value(ty)
            case {"tuple": types}: content = b"".join(map(self.value, types))
            case {"struct": of}: content = fields(of)
            case _: content = b""
        return varint(which) + content
