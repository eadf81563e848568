"""Checks the golden vectors with an implementation of docs/protocol.md that shares no code with the project.

Every vector is read, and written again from what was read; both must agree with the file. It needs Python 3.11 and
nothing else:
    python3 tests/vectors/verify
"""
import hashlib, json, pathlib, sys

sys.dont_write_bytecode = True
sys.setrecursionlimit(4000)  # 128 levels of values, some calls each

import canonical, every, frames, rules, schema, values
from primitives import Bad, Reader

VECTORS = pathlib.Path(__file__).parent.parent


def load(name): return json.loads((VECTORS / name).read_text("utf-8"))

def same(what, ours, theirs):
    if ours != theirs: raise SystemExit(f"{what}:\n  ours   {ours}\n  theirs {theirs}")


def fingerprint(data): return hashlib.sha256(data).hexdigest()[:32]


def check_frames():
    for e in load("frames.json"):
        data = bytes.fromhex(e["hex"])
        same(e["name"], frames.read_all(data), (e["frames"], e["says"]))
        # Fragments put together, a message's body is what its fields make.
        r, bodies = Reader(data), {}
        while r.left():
            kind, flags, call, body = frames.read_frame(r)
            bodies[call] = body if kind == frames.KINDS["FAILURE"] else bodies.get(call, b"") + body
        same(e["name"], sorted(bodies.values()), sorted(map(frames.body_of, e["says"])))
    for e in load("hello.json"):
        data = bytes.fromhex(e["hex"])
        same(e["name"], frames.read_hello(data), e["hello"])
        same(e["name"], frames.put_hello(e["hello"]), data)


def check_streams():
    vectors = load("streams.json")
    for e in vectors["frames"]:
        data = bytes.fromhex(e["hex"])
        same(e["name"], frames.read_all(data)[1], e["says"])
        same(e["name"], frames.bodies(data), list(map(frames.body_of, e["says"])))
    for e in vectors["hellos"]:
        data, read = bytes.fromhex(e["hex"]), frames.read_hello(bytes.fromhex(e["hex"]))
        services = [{"name": s["name"], "methods": s["methods"]} for s in read["services"]]
        same(e["name"], {k: read[k] for k in ["versions", "identity", "streams"]} | {"services": services}, e["hello"])
        same(e["name"], frames.put_streaming_hello(e["hello"]), data)


def check_schemas():
    vectors = load("schema.json")
    for e in vectors["call_ids"]: same(e, frames.call_id(e["service"], e["method"]), e["call_id"])
    for e in vectors["types"]:
        same(e["type"], schema.type_text(schema.read_type(Reader(bytes.fromhex(e["hex"])))), e["type"])
        same(e["type"], schema.put_type(e["type"]).hex(), e["hex"])
    for e in vectors["schemas"]:
        data = bytes.fromhex(e["hex"])
        same(e["name"], schema.in_text(schema.read_schema(data)), e["schema"])
        same(e["name"], schema.put_schema(e["schema"]), data)
        same(e["name"], fingerprint(data), e["fingerprint"])
        check_forms(e, data)
        rules.check(schema.read_schema(data))
    for e in vectors["refused"]:
        try: rules.check(schema.read_schema(bytes.fromhex(e["hex"])))
        except (Bad, ValueError): continue
        raise SystemExit(f"not refused: {e['name']}")

def check_forms(e, data):
    """The canonical form and the wire form of what is read."""
    read = schema.read_schema(data)
    same(e["name"], schema.put_schema(schema.in_text(canonical.canonical(read))).hex(), e["canonical"])
    same(e["name"], canonical.wire_form(read).hex(), e["wire_form"])
    same(e["name"], fingerprint(bytes.fromhex(e["wire_form"])), e["wire_fingerprint"])

def check_macros():
    """What Rust's macros made is what is made here, of the same types by the same rules."""
    vectors = load("macros.json")
    same("methods", sorted(every.METHODS), sorted(e["method"] for e in vectors))
    for e in vectors:
        made = every.METHODS[e["method"]]
        data = schema.put_schema(schema.in_text(made))
        same(e["method"], data.hex(), e["hex"])
        same(e["method"], fingerprint(data), e["fingerprint"])
        same(e["method"], canonical.wire_form(made).hex(), e["wire_form"])
        same(e["method"], fingerprint(canonical.wire_form(made)), e["wire_fingerprint"])


def check_values():
    vectors = load("values.json")
    for e in vectors["values"] + vectors["refused"]:
        of, data = schema.read_schema(bytes.fromhex(e["schema"])), bytes.fromhex(e["hex"])
        same(e["name"], schema.type_text(of["response"]), e["type"])
        if "reason" not in e:
            same(e["name"], values.Value(of, data).whole(of["response"]), e["value"])
            same(e["name"], values.put(of, of["response"], e["value"]), data)
            continue
        try: values.Value(of, data).whole(of["response"])
        except (Bad, ValueError): continue
        raise SystemExit(f"not refused: {e['name']}")


check_frames()
check_streams()
check_schemas()
check_macros()
check_values()
print("all vectors hold")
