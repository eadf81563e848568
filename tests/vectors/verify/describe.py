"""How an SDK in another language describes types: Definition objects, which types refer to, and a method made of them.

A type is as in schema.py, with a Definition in place of ("ref", n). The names of the simple types are enough.
"""
import canonical, values
from primitives import blob, varint
from schema import SCALARS


class Definition:
    def __init__(self, kind, name, parts=(), doc="", attributes=()):
        self.kind, self.name, self.parts, self.doc = kind, name, list(parts), doc
        self.attributes = sorted(map(list, attributes))


def struct(name, *fields, doc="", attributes=()): return Definition("struct", name, fields, doc, attributes)
def enum(name, *variants, doc="", attributes=()): return Definition("enum", name, variants, doc, attributes)

NONE = object()

def field(name, ty, doc="", aliases=(), default=NONE, attributes=()):
    return {"name": name, "aliases": list(aliases), "doc": doc, "type": ty, "default": default,
            "attributes": sorted(map(list, attributes))}

def variant(name, shape="unit", doc="", aliases=(), attributes=()):
    return {"name": name, "aliases": list(aliases), "doc": doc, "shape": shape, "attributes": sorted(map(list, attributes))}

def option(ty): return ("option", ty)
def items(ty): return ("list", ty)
def set_of(ty): return ("logical", 6, ("list", ty))
def presence(ty): return ("presence", ty)

# Attributes: pairs of a tag and hex.
def span(tag, least, most=None): return tag, (varint(least) + (b"\0" if most is None else b"\1" + varint(most))).hex()
def words(tag, s): return tag, s.encode().hex()
def code(n): return 10, bytes([n]).hex()


def method(name, arguments, response, doc="", error=None, items=None, attributes=()):
    """The canonical schema of a method. `arguments` are fields; a single one that is a struct is itself the request."""
    defs, numbers = [], {}

    def numbered(ty):
        if isinstance(ty, Definition): return ("ref", number(ty))
        if isinstance(ty, str): return (SCALARS[SCALARS.index(ty)],)
        return (ty[0], *[[numbered(t) for t in x] if isinstance(x, list) else x if isinstance(x, int) else numbered(x)
                         for x in ty[1:]])

    def number(d):
        if d not in numbers:
            numbers[d] = len(defs)
            defs.append(None)
            defs[numbers[d]] = definition(d)
        return numbers[d]

    def fields(of): return [f | {"type": numbered(f["type"])} for f in of]

    def definition(d):
        head = {d.kind: d.name, "doc": d.doc, "attributes": d.attributes}
        if d.kind == "struct": return head | {"fields": fields(d.parts)}
        return head | {"variants": [v | {"shape": shape(v["shape"])} for v in d.parts]}

    def shape(s):
        match s:
            case {"newtype": ty}: return {"newtype": numbered(ty)}
            case {"tuple": types}: return {"tuple": [numbered(ty) for ty in types]}
            case {"struct": of}: return {"struct": fields(of)}
        return s

    # In any order: the canonical form sees to that.
    error = error and numbered(error)
    response = numbered(response)
    match arguments:
        case [{"type": Definition(kind="struct") as only}]: request = numbered(only)
        case _: request = numbered(Definition("struct", name.title().replace("_", "") + "Request", arguments))
    made = {"doc": doc, "request": request, "request_items": items and numbered(items), "response": response,
            "error": error, "definitions": defs, "attributes": sorted(map(list, attributes))}

    def encoded(f):
        default = None if f["default"] is NONE else values.put(made, f["type"], f["default"]).hex()
        return f | {"default": default}
    return canonical.canonical(canonical.with_types(made, defs, lambda ty: ty, encoded))
