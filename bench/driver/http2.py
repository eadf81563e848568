"""As much of HTTP/2 as it takes to send one request on a connection and to read its answer."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4

# Its index in the static table of RFC 7541; the only statuses that are told apart.
OK = 0x88


def request(work, authority):
    """All that a client sends for it, on a connection that has just been opened."""
    fields = [(":method", work.method), (":scheme", "https"), (":authority", authority), (":path", work.path)]
    if work.body:
        fields += [("content-type", "application/json"), ("content-length", str(len(work.body)))]
    block = b"".join(_literal(name, value) for name, value in fields)
    sent = PREFACE + frame(SETTINGS, 0, 0, b"")
    if not work.body:
        return sent + frame(HEADERS, END_HEADERS | END_STREAM, 1, block)
    return sent + frame(HEADERS, END_HEADERS, 1, block) + frame(DATA, END_STREAM, 1, work.body)


def frame(kind, flags, stream, payload):
    """A frame's bytes."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


SETTINGS_ACK = frame(SETTINGS, ACK, 0, b"")


def _literal(name, value):
    """A field that is put into no table. Names and values are shorter than 127 bytes."""
    return b"".join((b"\0", bytes([len(name)]), name.encode(), bytes([len(value)]), value.encode()))


def _first_field(block):
    """The first byte of the first field, which is the status: changes of the table's size may stand before it."""
    while block[:1] and block[0] & 0xE0 == 0x20:
        more = block[0] == 0x3F
        block = block[1:]
        while more and block:
            more, block = block[0] & 0x80, block[1:]
    return block[:1]


class Answer:
    """What has come of the answer."""

    def __init__(self):
        self.unread = b""
        self.ok = False
        self.ended = False

    def feed(self, data):
        """Takes what has come."""
        self.unread += data
        while len(self.unread) >= 9:
            length = int.from_bytes(self.unread[:3], "big")
            if len(self.unread) < 9 + length:
                break
            kind, flags = self.unread[3], self.unread[4]
            payload, self.unread = self.unread[9 : 9 + length], self.unread[9 + length :]
            self._take(kind, flags, payload)

    def _take(self, kind, flags, payload):
        if kind == HEADERS:
            # Trailers have no status.
            self.ok |= _first_field(payload) == bytes([OK])
        if kind in (HEADERS, DATA) and flags & END_STREAM or kind in (RST_STREAM, GOAWAY):
            self.ended = True
