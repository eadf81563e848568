"""Schemas: from their bytes to what the vectors show, and back."""
from primitives import Bad, Reader, blob, many, text, varint

SCALARS = """unit bool u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64 char string bytes uuid timestamp duration ipaddr
ipv4addr ipv6addr json""".split()


# Types: ("u8",), ("option", T), ("list", T), ("array", T, n), ("tuple", [T]), ("map", K, V), ("ref", n),
# ("logical", id, T), ("presence", T)
def read_type(r, nesting=0):
    if nesting > 32: raise Bad("type too deep")
    tag, inner = r.u8(), lambda r=r: read_type(r, nesting + 1)
    if tag < len(SCALARS): return (SCALARS[tag],)
    if tag in (32, 33): return ("option" if tag == 32 else "list", inner())
    if tag == 34: length = r.varint(32); return ("array", inner(), length)
    if tag == 35: return ("tuple", r.all(inner))
    if tag == 36: return ("map", inner(), inner())
    if tag == 37: return ("ref", r.varint(32))
    if tag == 38: logical = r.varint(32); return ("logical", logical, inner())
    if tag == 39: return ("presence", inner())
    raise Bad("type tag")

def type_text(ty):
    match ty:
        case ("ref", n): return f"#{n}"
        case ("array", item, n): return f"array<{type_text(item)}, {n}>"
        case ("logical", n, physical): return f"logical<{n}, {type_text(physical)}>"
        case ("tuple", items): return f"tuple<{', '.join(map(type_text, items))}>"
        case (name,): return name
        case (name, *parts): return f"{name}<{', '.join(map(type_text, parts))}>"

def put_type(s):
    """From the notation of type_text."""
    if s in SCALARS: return bytes([SCALARS.index(s)])
    if s.startswith("#"): return b"\x25" + varint(int(s[1:]))
    name, inside = s[:-1].split("<", 1)
    parts, depth = [""], 0
    for c in inside:
        depth += (c == "<") - (c == ">")
        if c == "," and depth == 0: parts.append("")
        else: parts[-1] += c
    parts = [p.strip() for p in parts if p.strip()]
    if name == "array": return b"\x22" + varint(int(parts[1])) + put_type(parts[0])
    if name == "logical": return b"\x26" + varint(int(parts[0])) + put_type(parts[1])
    if name == "tuple": return b"\x23" + many(parts, put_type)
    return bytes([{"option": 32, "list": 33, "map": 36, "presence": 39}[name]]) + b"".join(map(put_type, parts))

def read_field(r):
    return {"name": r.str(), "aliases": r.all(Reader.str), "doc": r.str(), "type": read_type(r),
            "default": r.bytes().hex() if r.flag() else None, "attributes": read_attributes(r)}

def put_field(f):
    default = b"\0" if f["default"] is None else b"\1" + blob(bytes.fromhex(f["default"]))
    return (text(f["name"]) + many(f["aliases"], text) + text(f["doc"]) + put_type(f["type"]) + default
            + put_attributes(f["attributes"]))

def read_variant(r):
    variant = {"name": r.str(), "aliases": r.all(Reader.str), "doc": r.str()}
    shape = r.u8()
    variant["shape"] = ["unit", {"newtype": read_type}, {"tuple": lambda r: r.all(read_type)},
                        {"struct": lambda r: r.all(read_field)}][shape]
    if shape: variant["shape"] = {k: read(r) for k, read in variant["shape"].items()}
    return variant | {"attributes": read_attributes(r)}

def put_variant(v): return put_shape(v) + put_attributes(v["attributes"])

def put_shape(v):
    out = text(v["name"]) + many(v["aliases"], text) + text(v["doc"])
    match v["shape"]:
        case "unit": return out + b"\0"
        case {"newtype": ty}: return out + b"\1" + put_type(ty)
        case {"tuple": types}: return out + b"\2" + many(types, put_type)
        case {"struct": fields}: return out + b"\3" + many(fields, put_field)

def read_definition(r):
    tag, head = r.u8(), (r.str(), r.str())
    if tag == 48: return {"struct": head[0], "doc": head[1], "fields": r.all(read_field),
                          "attributes": read_attributes(r)}
    if tag == 49: return {"enum": head[0], "doc": head[1], "variants": r.all(read_variant),
                          "attributes": read_attributes(r)}
    raise Bad("definition tag")

def put_definition(d):
    if "struct" in d: out = b"\x30" + text(d["struct"]) + text(d["doc"]) + many(d["fields"], put_field)
    else: out = b"\x31" + text(d["enum"]) + text(d["doc"]) + many(d["variants"], put_variant)
    return out + put_attributes(d["attributes"])

def read_attributes(r):
    attributes = [[r.varint(32), r.bytes().hex()] for _ in range(r.varint(64))]
    tags = [tag for tag, _ in attributes]
    if tags != sorted(set(tags)): raise Bad("tags out of order")
    return attributes

def put_attributes(attributes): return many(attributes, lambda a: varint(a[0]) + blob(bytes.fromhex(a[1])))

def read_optional_type(r): return read_type(r) if r.flag() else None

def put_optional_type(ty): return b"\0" if ty is None else b"\1" + put_type(ty)

def read_schema(data):
    r = Reader(data)
    if r.u8() != 1: raise Bad("format")
    schema = {"doc": r.str(), "request": read_type(r), "request_items": read_optional_type(r),
              "response": read_type(r), "error": read_optional_type(r), "definitions": r.all(read_definition),
              "attributes": read_attributes(r)}
    if r.left(): raise Bad("trailing")
    return schema

def put_schema(s):
    return (b"\1" + text(s["doc"]) + put_type(s["request"]) + put_optional_type(s["request_items"])
            + put_type(s["response"]) + put_optional_type(s["error"]) + many(s["definitions"], put_definition)
            + put_attributes(s["attributes"]))

def in_text(x):
    """Types within a schema as text, as the vectors have them."""
    if isinstance(x, tuple): return type_text(x)
    if isinstance(x, dict): return {k: in_text(v) for k, v in x.items()}
    return [in_text(v) for v in x] if isinstance(x, list) else x
