"""Frames and the handshake: from their bytes to what the vectors show, and back."""
import re

from primitives import Bad, Reader, blob, field, text, u32

MAGIC = b"CALLGATE"
KINDS = {"HELLO": 1, "SCHEMA_REQUEST": 2, "SCHEMA": 3, "PING": 4, "PONG": 5, "GO_AWAY": 6,
         "CALL": 0x10, "REPLY": 0x11, "FAILURE": 0x12, "CANCEL": 0x13, "DATA": 0x14, "ITEM": 0x20, "END": 0x21,
         "CREDIT": 0x22, "READY": 0x80}
MORE, METADATA, NOT_EXECUTED = 1, 2, 2
WORD = "[A-Za-z_][A-Za-z0-9_-]*"
KEYS = [None, "request-id", "traceparent", "tracestate", "caller"]
CODES = """ok cancelled unknown invalid_argument deadline_exceeded not_found already_exists permission_denied
resource_exhausted failed_precondition aborted out_of_range unimplemented internal unavailable data_loss
unauthenticated""".split()


def call_id(service, method):
    """32-bit FNV-1a."""
    value = 0x811C9DC5
    for byte in f"{service}.{method}".encode(): value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value or 1


def read_frame(r):
    length, kind, flags, call = r.fixed(4), r.u8(), r.u8(), r.fixed(4)
    return kind, flags, call, r.take(length)

def put_frame(kind, flags, call, body): return u32(len(body)) + bytes([kind, flags]) + u32(call) + body


def read_all(data):
    """The headers of all frames, and what they say."""
    r, headers, says, partial = Reader(data), [], [], {}
    while r.left():
        kind, flags, call, body = read_frame(r)
        name = next(name for name, number in KINDS.items() if number == kind)
        headers.append({"kind": name, "length": len(body), "flags": flags, "call": call})
        if name == "DATA":
            first, first_flags, sofar = partial[call]
            partial[call] = first, first_flags, sofar + body
            if flags & MORE: continue
            says.append(message(first, first_flags, call, partial.pop(call)[2]))
        elif flags & MORE:
            partial[call] = name, flags, body
        else:
            if name == "FAILURE": partial.pop(call, None)
            says.append(message(name, flags, call, body))
    return headers, says


def message(name, flags, call, body):
    r = Reader(body)
    match name:
        case "PING" | "PONG": return {name.lower(): r.take(8).hex()}
        case "READY": return {"ready": {0: False, 1: True}[r.u8()]}
        case "GO_AWAY": return {"go_away": {"last_call": r.fixed(4), "reason": r.rest().decode()}}
        case "SCHEMA_REQUEST": return {"schema_request": r.take(16).hex()}
        case "SCHEMA": return {"schema": {"fingerprint": r.take(16).hex(), "bytes": r.rest().hex()}}
        case "ITEM": return {"item": {"number": call, "payload": body.hex()}}
        case "END":
            says = {"end": {"number": call, "metadata": metadata(r, flags)}}
            if r.left(): raise Bad("END")
            return says
        case "CREDIT": return {"credit": {"number": call, "items": r.fixed(4), "bytes": r.fixed(4)}}
        case "CANCEL": return {"cancel": call}
        case "REPLY": return {"reply": {"number": call, "metadata": metadata(r, flags), "payload": r.rest().hex()}}
        case "FAILURE":
            code, fields = r.u8(), dict(r.fields())
            text = lambda tag: fields[tag].rest().decode() if tag in fields else None
            return {"failure": {
                "number": call, "code": CODES[code] if 1 <= code <= 16 else "unknown", "message": text(1) or "",
                "details": text(2), "error": fields[4].rest().hex() if 4 in fields else None, "retry_after_ms": fields[3].fixed(4) if 3 in fields else None,
                "not_executed": bool(flags & NOT_EXECUTED),
                "metadata": entries(fields[5]) if 5 in fields else []}}
        case "CALL":
            head = {"number": call, "call_id": r.fixed(4), "timeout_ms": r.fixed(4) or None,
                    "metadata": metadata(r, flags)}
            return {"call": head | {"payload": r.rest().hex()}}


def metadata(r, flags):
    return entries(Reader(r.take(r.fixed(2)) if flags & METADATA else b""))


def entries(block):
    found = []
    while block.left():
        key = block.u8()
        name = KEYS[key] if key else block.take(block.u8()).decode()
        if not re.fullmatch("[a-z0-9._-]{1,255}", name): raise Bad(name)
        found.append([name, block.bytes().hex()])
    return found


def put_entries(entries):
    return b"".join(entry(name, bytes.fromhex(value)) for name, value in entries)


def put_metadata(entries):
    block = put_entries(entries)
    return len(block).to_bytes(2, "little") + block if block else b""


def body_of(says):
    """The body of a whole message, from what it says."""
    (name, v), = says.items()
    match name:
        case "ping" | "pong" | "schema_request": return bytes.fromhex(v)
        case "ready": return bytes([v])
        case "go_away": return u32(v["last_call"]) + v["reason"].encode()
        case "schema": return bytes.fromhex(v["fingerprint"] + v["bytes"])
        case "cancel": return b""
        case "item": return bytes.fromhex(v["payload"])
        case "end": return put_metadata(v["metadata"])
        case "credit": return u32(v["items"]) + u32(v["bytes"])
        case "reply": return put_metadata(v["metadata"]) + bytes.fromhex(v["payload"])
        case "failure":
            out = bytes([CODES.index(v["code"])]) + field(1, v["message"].encode())
            if v["details"] is not None: out += field(2, v["details"].encode())
            if v["retry_after_ms"] is not None: out += field(3, u32(v["retry_after_ms"]))
            if v["error"] is not None: out += field(4, bytes.fromhex(v["error"]))
            return out + (field(5, put_entries(v["metadata"])) if v["metadata"] else b"")
        case "call":
            head = u32(v["call_id"]) + u32(v["timeout_ms"] or 0)
            return head + put_metadata(v["metadata"]) + bytes.fromhex(v["payload"])

def entry(name, value):
    if name in KEYS: return bytes([KEYS.index(name)]) + blob(value)
    return b"\0" + bytes([len(name)]) + name.encode() + blob(value)


def read_hello(data):
    r = Reader(data)
    if r.take(8) != MAGIC: raise Bad("magic")
    kind, _, _, body = read_frame(r)
    if kind != 1 or r.left(): raise Bad("HELLO")
    hello = {"max_frame": 65_536, "max_message": 16_777_216, "max_calls": 1024, "window": 67_108_864, "identity": "",
             "services": []}
    for tag, v in Reader(body).fields():
        match tag:
            case 1: hello["versions"] = [v.fixed(2), v.fixed(2)]
            case 2 | 3 | 4: hello[["max_frame", "max_message", "max_calls"][tag - 2]] = v.fixed(4)
            case 5: hello["identity"] = v.rest().decode()
            case 7: hello["streams"] = {"items": v.fixed(4), "bytes": v.fixed(4)}
            case 8: hello["token"] = v.rest().decode("ascii")
            case 11: hello["window"] = v.fixed(4)
            case 6:
                service = {"name": None, "version": "", "methods": []}
                for tag, v in v.fields():
                    if tag == 1: service["name"] = v.rest().decode()
                    if tag == 2: service["methods"].append(read_method(dict(v.fields()), "streams" in hello))
                    if tag == 3: service["version"] = v.rest().decode()
                if not re.fullmatch(rf"{WORD}(\.{WORD})*", service["name"]): raise Bad(service["name"])
                hello["services"].append(service)
    methods = [(s["name"], m["name"], m["call_id"]) for s in hello["services"] for m in s["methods"]]
    if len({m[:2] for m in methods}) < len(methods) or len({m[2] for m in methods}) < len(methods): raise Bad("twice")
    return hello

def read_method(fields, of_streams):
    name = fields[1].rest().decode()
    if not re.fullmatch(WORD, name): raise Bad(name)
    flags = fields[4].u8() if 4 in fields else 0
    streams = {"caller_streams": bool(flags & 2), "service_streams": bool(flags & 4)} if of_streams else {}
    return {"name": name, "call_id": fields[2].fixed(4), "schema": fields[3].take(16).hex(),
            "wire": fields[5].take(16).hex(), "idempotent": bool(flags & 1)} | streams

def put_hello(h):
    out = field(1, b"".join(n.to_bytes(2, "little") for n in h["versions"]))
    for tag, name in enumerate(["max_frame", "max_message", "max_calls"], 2): out += field(tag, u32(h[name]))
    out += field(5, h["identity"].encode())
    if "token" in h: out += field(8, h["token"].encode())
    out += field(11, u32(h["window"]))
    for s in h["services"]:
        version = field(3, s["version"].encode()) if s["version"] else b""
        out += field(6, field(1, s["name"].encode()) + version + b"".join(map(put_method, s["methods"])))
    return MAGIC + put_frame(1, 0, 0, out)

def put_method(m):
    out = field(1, m["name"].encode()) + field(2, u32(m["call_id"])) + field(3, bytes.fromhex(m["schema"]))
    flags = field(4, b"\1") if m["idempotent"] else b""
    return field(2, out + flags + field(5, bytes.fromhex(m["wire"])))


def bodies(data):
    """The bodies of whole messages, in the order in which they end."""
    r, done, partial = Reader(data), [], {}
    while r.left():
        kind, flags, call, body = read_frame(r)
        if kind == KINDS["DATA"]: body = partial.pop(call) + body
        if kind in (KINDS["DATA"], KINDS["ITEM"], KINDS["END"]) and flags & MORE: partial[call] = body
        else: done.append(body)
    return done

def put_streaming_hello(h):
    """As the vector's writer does: no limits, and flags that may be more than one."""
    out = field(1, b"".join(n.to_bytes(2, "little") for n in h["versions"])) + field(5, h["identity"].encode())
    out += field(7, u32(h["streams"]["items"]) + u32(h["streams"]["bytes"]))
    for s in h["services"]:
        methods = b""
        for m in s["methods"]:
            flags = m["idempotent"] | m["caller_streams"] << 1 | m["service_streams"] << 2
            methods += field(2, field(1, m["name"].encode()) + field(2, u32(m["call_id"]))
                             + field(3, bytes.fromhex(m["schema"])) + (field(4, bytes([flags])) if flags else b"")
                             + field(5, bytes.fromhex(m["wire"])))
        out += field(6, field(1, s["name"].encode()) + methods)
    return MAGIC + put_frame(1, 0, 0, out)
