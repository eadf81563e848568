"""JSON shapes: enums with a tag, and fields whose members stand beside the others."""
from primitives import Bad

MAX_MEMBERS, MAX_NESTING = 65_536, 32


def must(holds, what):
    if not holds: raise Bad(what)

def physical(ty):
    while ty[0] == "logical": ty = ty[2]
    return ty

def attribute(of, tag):
    return next((bytes.fromhex(value) for t, value in of["attributes"] if t == tag), None)

def text(of, tag):
    value = attribute(of, tag)
    return None if value is None else value.decode()

def is_flat(f): return attribute(f, 13) is not None

def struct_of(s, ty):
    """The number of the struct that the type is, if it is one."""
    ty = physical(ty)
    return ty[1] if ty[0] == "ref" and "fields" in s["definitions"][ty[1]] else None

def check(s, d):
    if "fields" in d:
        if any(map(is_flat, d["fields"])): members(s, d["fields"], [], [s["definitions"].index(d)])
        return
    tag, content = text(d, 11), text(d, 12)
    must(content is None or tag not in (None, content), "content without a tag of its own")
    for variant in d["variants"]:
        beside = [tag] if tag is not None and content is None else []
        match variant["shape"]:
            case {"struct": fields} if beside or any(map(is_flat, fields)): members(s, fields, beside)
            case {"newtype": ty} if beside:
                if physical(ty)[0] != "map":
                    must(struct_of(s, ty) is not None, "content beside a tag")
                    members(s, s["definitions"][struct_of(s, ty)]["fields"], beside, [struct_of(s, ty)])
            case {"tuple": _} if beside: raise Bad("content beside a tag")

def members(s, fields, beside, inside=()):
    """All members of the object that these fields make."""
    names, maps = list(beside), []
    def add(fields, inside):
        must(len(inside) <= MAX_NESTING + 1, "flattened too deep")
        for f in fields:
            must(len(names) <= MAX_MEMBERS, "too many members")
            if not is_flat(f): names.extend([f["name"], *f["aliases"]]); continue
            ty = physical(f["type"])
            if ty[0] == "map": maps.append(ty); continue
            n = struct_of(s, ty[1] if ty[0] == "option" else ty)
            must(n is not None, "what is flattened")
            must(n not in inside, "flattened into itself")
            add(s["definitions"][n]["fields"], [*inside, n])
    add(fields, list(inside))
    must(len(names) == len(set(names)), "a member twice")
    must(len(maps) <= 1, "two maps of what is left")

def variant(d, name, content):
    """The JSON of a variant; the content is None for a unit."""
    tag, member = text(d, 11), text(d, 12)
    if tag is None: return name if content is None else {name: content}
    if member is None: return {tag: name} | (content or {})
    return {tag: name} | ({} if content is None else {member: content})

def of_variant(d, v):
    """The name and the content of a variant, from its JSON."""
    tag, member = text(d, 11), text(d, 12)
    if tag is None: return (v, None) if isinstance(v, str) else next(iter(v.items()))
    if member is not None: return v[tag], v.get(member)
    return v[tag], {name: value for name, value in v.items() if name != tag}

def names(s, fields):
    """The names of all members that fields are, without those that a map takes."""
    all = set()
    for f in fields:
        ty = physical(f["type"])
        if not is_flat(f): all.add(f["name"])
        elif ty[0] != "map": all |= names(s, s["definitions"][struct_of(s, ty[1] if ty[0] == "option" else ty)]["fields"])
    return all
