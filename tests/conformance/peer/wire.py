"""Frames, fields and the few values that the service `conformance` needs, from docs/protocol.md."""

import hashlib
import struct

MAGIC = b"CALLGATE"
HELLO, SCHEMA_REQUEST, SCHEMA, PING, PONG, GO_AWAY = 1, 2, 3, 4, 5, 6
CALL, REPLY, FAILURE, CANCEL, DATA = 0x10, 0x11, 0x12, 0x13, 0x14
ITEM, END, CREDIT = 0x20, 0x21, 0x22
READY = 0x80
MORE, METADATA, NOT_EXECUTED = 1, 2, 2
MAX_CONTROL = 1 << 20
MAX_METADATA = 16_384

CODES = [
    "", "cancelled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists",
    "permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented",
    "internal", "unavailable", "data_loss", "unauthenticated",
]


class Wrong(Exception):
    """The peer has broken the protocol: GO_AWAY with this reason, and close."""


class NoValue(Exception):
    """Bytes that are no value of the type."""


def frame(kind, number=0, body=b"", flags=0):
    return struct.pack("<IBBI", len(body), kind, flags, number) + body


def varint(number):
    for limit, marker, form in ((250, None, "<B"), (0xFFFF, 251, "<H"), (0xFFFFFFFF, 252, "<I")):
        if number <= limit:
            return (b"" if marker is None else bytes([marker])) + struct.pack(form, number)
    return b"\xfd" + struct.pack("<Q", number)


def blob(data):
    return varint(len(data)) + data


def fields(*pairs):
    return b"".join(bytes([tag]) + blob(value) for tag, value in pairs)


class Reader:
    """Reads values from the front of bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if count > self.left():
            raise NoValue("the bytes end too soon")
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def byte(self):
        return self.take(1)[0]

    def u16(self):
        return struct.unpack("<H", self.take(2))[0]

    def u32(self):
        return struct.unpack("<I", self.take(4))[0]

    def varint(self, bits=64):
        first = self.byte()
        if first <= 250:
            return first
        width = {251: 2, 252: 4, 253: 8}.get(first)
        if width is None or width * 8 > bits:
            raise NoValue("a varint that is too wide")
        return int.from_bytes(self.take(width), "little")

    def blob(self):
        return self.take(self.varint())

    def text(self):
        try:
            return self.blob().decode()
        except UnicodeDecodeError:
            raise NoValue("text that is not UTF-8") from None

    def boolean(self):
        value = self.byte()
        if value > 1:
            raise NoValue("a bool above 1")
        return value == 1

    def end(self):
        if self.left():
            raise NoValue("bytes are left over")


def split(data):
    """Fields: a list of tags and values, in their order."""
    reader, out = Reader(data), []
    while reader.left():
        out.append((reader.byte(), reader.blob()))
    return out


# The service. Types as schemas write them: bool 01, u8 02, u32 04, u64 05, string 0f, bytes 10, unit 00.
SERVICE = "conformance"
METHODS = {
    "echo": ([("text", b"\x0f")], b"\x0f"),
    "large": ([("size", b"\x04")], b"\x10"),
    "fail": ([("code", b"\x02"), ("message", b"\x0f")], b"\x00"),
    "hold": ([("key", b"\x0f")], b"\x00"),
    "held": ([("key", b"\x0f")], b"\x04"),
    "ready": ([("ready", b"\x01")], b"\x00"),
    "drain": ([], b"\x00"),
    "count": ([("to", b"\x04")], b"\x04"),
    "sum": ([], b"\x05"),
    "chat": ([], b"\x0f"),
}
# What callers stream, and the flags of the offer: 02 the caller streams, 04 the service streams.
STREAMS = {"count": (None, 4), "sum": (b"\x04", 2), "chat": (b"\x0f", 6)}
IDEMPOTENT = {"echo", "large", "fail"}
# One schema is longer than the smallest max_frame.
DOCS = {"fail": "Fails with that code and that message. " * 40}


def schema(name, wire=False):
    """A method's schema, or its wire form."""
    arguments, response = METHODS[name]
    listed = b"".join(blob(field.encode()) + b"\0\0" + kind + b"\0\0" for field, kind in arguments)
    struct_of_them = b"\x30\0\0" + varint(len(arguments)) + listed + b"\0"
    doc = b"" if wire else DOCS.get(name, "").encode()
    items = STREAMS[name][0] if name in STREAMS else None
    request = b"\x25\0" + (b"\1" + items if items else b"\0")
    return (b"\0" if wire else b"\1") + blob(doc) + request + response + b"\0\1" + struct_of_them + b"\0"


def fingerprint(data):
    return hashlib.sha256(data).digest()[:16]


def call_id(name):
    hashed = 0x811C9DC5
    for byte in f"{SERVICE}.{name}".encode():
        hashed = (hashed ^ byte) * 0x01000193 & 0xFFFFFFFF
    return hashed or 1


def service():
    """The service as HELLO offers it."""
    methods = []
    for name in METHODS:
        known = [(1, name.encode()), (2, struct.pack("<I", call_id(name))), (3, fingerprint(schema(name)))]
        known.append((5, fingerprint(schema(name, wire=True))))
        flags = (name in IDEMPOTENT) | (STREAMS[name][1] if name in STREAMS else 0)
        methods.append((2, fields(*known, *([(4, bytes([flags]))] if flags else []))))
    return fields((1, SERVICE.encode()), *methods)


def check_schema(data):
    """Refuses what is no schema; enough of the rules for a schema as small as these."""
    reader = Reader(data)
    if reader.byte() != 1:
        raise NoValue("another format of schemas")
    reader.text()
    for optional in (False, True, False, True):
        if not optional or reader.boolean():
            _type(reader)
    for _ in range(reader.varint()):
        tag = reader.byte()
        reader.text(), reader.text()
        for _ in range(reader.varint()):
            _member(reader, tag)
        _attributes(reader)
    _attributes(reader)
    reader.end()


def _member(reader, tag):
    reader.text()
    for _ in range(reader.varint()):
        reader.text()
    reader.text()
    if tag == 0x30:
        _type(reader)
        if reader.boolean():
            reader.blob()
    elif tag == 0x31:
        shape = reader.byte()
        if shape == 1:
            _type(reader)
        elif shape in (2, 3):
            for _ in range(reader.varint()):
                _type(reader) if shape == 2 else _member(reader, 0x30)
    else:
        raise NoValue("a definition that is not known")
    _attributes(reader)


def _attributes(reader):
    for _ in range(reader.varint()):
        reader.varint(32), reader.blob()


def _type(reader):
    kind = reader.byte()
    if kind in (0x22, 0x25, 0x26):
        reader.varint(32)
    if kind == 0x23:
        for _ in range(reader.varint()):
            _type(reader)
    for _ in range({0x20: 1, 0x21: 1, 0x22: 1, 0x24: 2, 0x26: 1, 0x27: 1}.get(kind, 0)):
        _type(reader)
    if 0x17 < kind < 0x20 or kind > 0x27:
        raise NoValue("a type that is not known")
