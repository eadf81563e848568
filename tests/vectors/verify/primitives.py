"""The primitives of profile 1, which frames, handshake and schema use too."""

WIDTHS = {251: 2, 252: 4, 253: 8, 254: 16}


class Bad(Exception):
    pass


class Reader:
    def __init__(self, data): self.data, self.at = data, 0
    def left(self): return len(self.data) - self.at
    def rest(self): return self.take(self.left())
    def u8(self): return self.take(1)[0]
    def fixed(self, size): return int.from_bytes(self.take(size), "little")
    def bytes(self): return self.take(self.varint(64))
    def str(self): return self.bytes().decode()  # raises UnicodeDecodeError, a ValueError
    def all(self, one): return [one(self) for _ in range(self.varint(64))]

    def take(self, n):
        if n > self.left(): raise Bad("truncated")
        self.at += n
        return self.data[self.at - n:self.at]

    def varint(self, bits):
        first = self.u8()
        if first < 251: return first
        width = WIDTHS.get(first, 99)
        if width * 8 > bits: raise Bad("marker")
        return self.fixed(width)

    def zigzag(self, bits):
        raw = self.varint(bits)
        return raw >> 1 ^ -(raw & 1)

    def flag(self):
        byte = self.u8()
        if byte > 1: raise Bad("bool")
        return byte == 1

    def fields(self):
        while self.left(): yield self.u8(), Reader(self.bytes())


def varint(n):
    if n < 251: return bytes([n])
    mark, width = next(item for item in WIDTHS.items() if n < 1 << 8 * item[1])
    return bytes([mark]) + n.to_bytes(width, "little")

def zigzag(n): return varint(n << 1 if n >= 0 else (-n << 1) - 1)
def blob(data): return varint(len(data)) + data
def text(s): return blob(s.encode())
def many(items, put): return varint(len(items)) + b"".join(map(put, items))
def field(tag, value): return bytes([tag]) + blob(value)
def u32(n): return n.to_bytes(4, "little")
