"""What must hold of a schema whose bytes could be read, by the page."""
import math, struct

import canonical, shapes, values
from primitives import Reader
from shapes import must, physical

KEYS = """bool u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 char string uuid timestamp duration ipaddr ipv4addr
ipv6addr""".split()
ORDERED = "u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64 timestamp duration".split()


def check(s):
    defs = s["definitions"]
    for ty in canonical.roots(s): check_type(s, ty)
    must(is_definition(s, s["request"], "fields"), "request")
    must(s["error"] is None or is_definition(s, s["error"], "variants"), "error")
    for d in defs:
        unique(d.get("fields", d.get("variants")))
        for fields in lists_of_fields(d):
            unique(fields)
            for f in fields: check_field_type(s, f["type"])
        for v in d.get("variants", []):
            match v["shape"]:
                case {"newtype": ty}: check_type(s, ty)
                case {"tuple": types}: [check_type(s, ty) for ty in types]
    check_attributes(s, s["attributes"], {1})
    for d in defs:
        check_attributes(s, d["attributes"], {1, 11, 12} if "variants" in d else {1})
        for v in d.get("variants", []): check_attributes(s, v["attributes"], {1, 10})
        for fields in lists_of_fields(d):
            for f in fields:
                if f["default"] is not None: check_value(s, f["type"], f["default"])
                check_attributes(s, f["attributes"], {*range(1, 10), 13}, f["type"])
    for d in defs: shapes.check(s, d)

def is_definition(s, ty, kind):
    return ty[0] == "ref" and ty[1] < len(s["definitions"]) and kind in s["definitions"][ty[1]]

def lists_of_fields(d):
    if "fields" in d: return [d["fields"]]
    return [v["shape"]["struct"] for v in d["variants"] if "struct" in v["shape"] and v["shape"] != "unit"]

def unique(parts):
    names = [name for part in parts for name in [part["name"], *part["aliases"]]]
    must(len(names) == len(set(names)), "name twice")
    must(all(len(name.encode()) <= 256 for name in names), "name too long")

def check_field_type(s, ty):
    if ty[0] != "presence": return check_type(s, ty)
    must(physical(ty[1])[0] != "option", "presence over option")
    check_type(s, ty[1])

def check_type(s, ty):
    must(ty[0] != "presence", "presence")
    if ty[0] == "ref": must(ty[1] < len(s["definitions"]), "dangling")
    for inner in canonical.inside(ty): check_type(s, inner)
    if ty[0] == "map": must(is_key(s, physical(ty[1])), "key")

def is_key(s, ty):
    if ty[0] != "ref": return ty[0] in KEYS
    return all(v["shape"] == "unit" for v in s["definitions"][ty[1]].get("variants", [{"shape": None}]))

def check_value(s, ty, value): values.Value(s, bytes.fromhex(value)).whole(ty)

def check_attributes(s, attributes, may_stand, ty=None):
    content = ty and canonical.content(ty)
    below = ty and physical(content)[0]
    for tag, value in attributes:
        if tag not in range(1, 14): continue
        must(tag in may_stand, "place")
        data = bytes.fromhex(value)
        match tag:
            case 1 | 8: data.decode()
            case 2: check_value(s, ty, value)
            case 3 | 4:
                must(content[0] in ORDERED or content[0] == "logical" and content[1] in (1, 2, 3), "order")
                check_value(s, content, value)
                if content[0] in ("f32", "f64"): must(not math.isnan(*struct.unpack("<" + "fd"[content[0] == "f64"], data)), "NaN")
            case 5: must(below in ("string", "bytes"), "length"); check_span(data)
            case 6: must(below in ("list", "map"), "items"); check_span(data)
            case 7: must(below == "string" and len(data) <= 1024, "pattern"); data.decode()
            case 9: must(data == b"", "secret")
            case 11 | 12: must(len(data) <= 256, "member"); data.decode()
            case 13: must(data == b"" and not {6, 9} & {tag for tag, _ in attributes}, "flatten")
            case 10: must(len(data) == 1 and data[0] > 0, "code")

def check_span(data):
    r = Reader(data)
    least = r.varint(64)
    most = r.varint(64) if r.flag() else least
    must(not r.left() and least <= most, "span")
