"""A connection: what both sides do alike. Frames are read by the rules, and what is queued is written in turns."""

import asyncio
import collections
import re
import struct

from streams import BYTES, ITEMS, MOST
from wire import *

HANDSHAKE_SECONDS = 3
FAREWELL_SECONDS = 2
MAX_UNREAD = 1 << 20
WORD = r"[A-Za-z_][A-Za-z0-9_-]*"
KNOWN_FLAGS = {CALL: 3, REPLY: 3, FAILURE: 3, DATA: 1, ITEM: 1, END: 3}


class Limits:
    def __init__(self, frame=1 << 16, message=1 << 24, calls=1024, window=1 << 26):
        self.frame = min(max(frame, 1024), 1 << 16)
        self.message = min(max(message, 1024), 1 << 26)
        self.calls = max(calls, 1)
        self.window = min(max(window, self.message), 1 << 26)


class Offer:
    def __init__(self, method, broken):
        pick = dict(reversed(method)) if not broken("last-counts") else dict(method)
        if not {1, 2, 3, 5} <= pick.keys() or len(pick[3]) != 16 or len(pick[5]) != 16:
            raise Wrong("a method lacks its name, Call ID or fingerprints")
        self.name, (self.id,) = pick[1].decode(), struct.unpack("<I", pick[2])
        self.document, self.wire = pick[3], pick[5]
        self.flags = pick.get(4, b"\0")[0]
        if self.id == 0:
            raise Wrong("Call ID 0")
        if not is_name(WORD, self.name):
            raise Wrong(f"{self.name} is no name of a method")


def is_name(grammar, name):
    return len(name) <= 128 and re.fullmatch(grammar, name, re.ASCII) is not None


def read_hello(body, broken):
    """The limits and the offers of a peer's HELLO, and its credit for each stream if it speaks them."""
    try:
        told = split(body)
        pick = dict(told) if broken("last-counts") else dict(reversed(told))
        oldest, newest = struct.unpack("<HH", pick[1])
        if min(newest, 1) < max(oldest, 1) and not broken("any-version"):
            raise Wrong(f"no common version: this side speaks 1, the other {oldest} to {newest}")
        if broken("token-refused") and 8 in pick:
            raise Wrong("a token that nobody has asked for")
        if broken("unknown-field-refused") and any(tag > 11 for tag, _ in told):
            raise Wrong("a field that is not known")
        pick.get(5, b"").decode()
        number = lambda tag, default: struct.unpack("<I", pick.get(tag, struct.pack("<I", default)))[0]
        limits = Limits(number(2, 1 << 16), number(3, 1 << 24), number(4, 1024), number(11, 1 << 26))
        credit = struct.unpack("<II", pick[7][:8]) if 7 in pick else None
        offers, services, ids = {}, set(), set()
        for inner in [split(value) for tag, value in told if tag == 6]:
            name = dict(reversed(inner))[1].decode()
            if not is_name(rf"{WORD}(\.{WORD})*", name):
                raise Wrong(f"{name} is no name of a service")
            for method in [Offer(split(value), broken) for tag, value in inner if tag == 2]:
                full = f"{name}.{method.name}"
                if method.flags & 6 and credit is None and not broken("offer-unannounced"):
                    continue
                if (full in offers or method.id in ids) and not broken("duplicates-accepted"):
                    raise Wrong(f"{full} or its Call ID is offered twice")
                offers[full] = method
                ids.add(method.id)
            if name in services and not broken("duplicates-accepted"):
                raise Wrong(f"{name} is offered twice")
            services.add(name)
        return limits, offers, credit and tuple(min(number, MOST) for number in credit)
    except (NoValue, KeyError, struct.error, UnicodeDecodeError) as problem:
        raise Wrong(f"HELLO cannot be read: {problem!r}") from None


class Long:
    """A long message on its way out."""

    def __init__(self, kind, number, body, done):
        self.kind, self.number, self.body, self.done, self.at = kind, number, body, done, 0


class Outbound:
    """What waits to be written: short frames at once, long messages in fragments that take turns."""

    def __init__(self, broken):
        self.broken, self.limits = broken, Limits()
        self.short, self.long = collections.deque(), collections.deque()
        self.ready, self.empty = asyncio.Event(), asyncio.Event()
        # Of frames that answer no call: calls are bounded by their number.
        self.bytes = 0
        self.empty.set()

    def push(self, data, done=None):
        self.short.append((data, done))
        self.bytes += 0 if done else len(data)
        self.empty.clear()
        self.ready.set()

    def message(self, kind, number, body, flags=0, done=None):
        most = (1 << 16) if self.broken("ignores-max-frame") else self.limits.frame
        if len(body) <= most:
            return self.push(frame(kind, number, body, flags), done)
        # Empty, so that it has its place among the call numbers.
        self.push(frame(kind, number, b"", flags | MORE))
        self.long.append(Long(kind, number, memoryview(body), done))

    def drop(self, number):
        """Gives up a message midway; says whether there was one."""
        found = next((long for long in self.long if long.number == number), None)
        if found:
            self.long.remove(found)
            if found.done:
                found.done()
        return found is not None

    def take(self):
        """The next bytes to write; some short frames, or a fragment."""
        if self.long and self.broken("one-at-a-time") and self.long[0].at:
            return self._fragment(self.long[0])
        if self.short:
            return self._gather()
        for long in self.long:
            begun = sum(len(other.body) for other in self.long if other.at and other is not long)
            if long.at or not begun or begun + len(long.body) <= self.limits.window or self.broken("window-ignored"):
                return self._fragment(long)
        self.ready.clear()
        self.empty.set()
        return None

    def _gather(self):
        gathered = bytearray()
        while self.short and len(gathered) < 1 << 16:
            data, done = self.short.popleft()
            gathered += data
            if done:
                done()
            else:
                self.bytes -= len(data)
        return bytes(gathered)

    def _fragment(self, long):
        most = (1 << 16) if self.broken("ignores-max-frame") else self.limits.frame
        part = bytes(long.body[long.at : long.at + most])
        long.at += len(part)
        more = long.at < len(long.body)
        if not (more and (self.broken("no-turns") or self.broken("one-at-a-time"))):
            self.long.remove(long)
            if more:
                self.long.append(long)
        if not more and long.done:
            long.done()
        return frame(DATA, long.number, part, MORE if more else 0)


class NotLetIn(Exception):
    """The acceptor does not let this side in."""


class Link:
    """One connection. A subclass says what it `receives` and handles `message` and `other`."""

    receives = set()
    begins = set()

    def __init__(self, reader, writer, broken, hello):
        self.reader, self.writer, self.broken = reader, writer, broken
        self.hello = hello + fields((7, struct.pack("<II", ITEMS, BYTES)))
        # The initial credit of the peer, if it speaks streams; and the streams of the calls that are open.
        self.credit, self.streams = None, {}
        self.mine, self.out = Limits(), Outbound(broken)
        self.parts, self.last_call, self.offers = {}, 0, {}
        self.arrived = 0
        writer.transport.set_write_buffer_limits(high=65_536)

    async def run(self):
        """Serves until the connection ends, however it does."""
        hello = MAGIC + frame(HELLO, 0, self.hello)
        if not self.broken("late-hello"):
            self.out.push(hello)
        if self.broken("speaks-early"):
            self.out.push(frame(PING, 0, b"tooearly"))
        writing = asyncio.create_task(self._write())
        try:
            await asyncio.wait_for(self._handshake(), HANDSHAKE_SECONDS)
            if self.broken("late-hello"):
                self.out.push(hello)
            self.opened()
            while True:
                await self._frame()
        except Wrong as wrong:
            self.out.push(frame(GO_AWAY, 0, struct.pack("<I", self.last_call) + str(wrong).encode()[:900]))
            await self.farewell()
        except TimeoutError:
            self.out.push(frame(GO_AWAY, 0, struct.pack("<I", 0) + b"no HELLO came"))
            await self.farewell()
        except (asyncio.IncompleteReadError, ConnectionError, NotLetIn):
            pass
        finally:
            writing.cancel()
            self.writer.close()
            self.ended()

    async def farewell(self):
        """Writes what is queued, closes this direction, and reads on for a moment."""
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                while self.out.short or self.out.long:
                    await self.out.empty.wait()
                await self.writer.drain()
                self.writer.write_eof()
                while await self.reader.read(1 << 16):
                    pass
        except (TimeoutError, ConnectionError, OSError):
            pass

    async def _write(self):
        try:
            while True:
                data = self.out.take()
                if data is None:
                    await self.out.ready.wait()
                    continue
                self.writer.write(data)
                await self.writer.drain()
                # Where nothing has to wait, that did not: what has come is read before more is written.
                await asyncio.sleep(0)
        except (ConnectionError, OSError):
            self.writer.transport.abort()

    async def _handshake(self):
        for byte in MAGIC:
            if (await self.reader.readexactly(1))[0] != byte and not self.broken("any-magic"):
                raise Wrong("the magic is wrong")
        length, kind, flags, _ = struct.unpack("<IBBI", await self.reader.readexactly(10))
        if kind == GO_AWAY and REPLY in self.receives and 4 <= length <= 1024 and not self.broken("refusal-refused"):
            await self.reader.readexactly(length)
            raise NotLetIn
        if kind != HELLO:
            raise Wrong("HELLO must be the first frame")
        if length > MAX_CONTROL or flags & 0x0F:
            raise Wrong("HELLO is too long or has a flag")
        self.out.limits, self.offers, self.credit = read_hello(await self.reader.readexactly(length), self.broken)

    async def _frame(self):
        if self.broken("stops-reading"):
            while sum(len(long.body) - long.at for long in self.out.long) > 1 << 22:
                await asyncio.sleep(0.001)
        length, kind, flags, number = struct.unpack("<IBBI", await self.reader.readexactly(10))
        self._admit(length, kind, flags, number)
        body = await self.reader.readexactly(length)
        if self.out.bytes > MAX_UNREAD and not self.broken("keeps-all-pongs"):
            raise Wrong("PONGs, SCHEMAs and refusals are not read")
        if kind == PING:
            self.pong(self._leading(body, 8))
        elif kind == PONG:
            self._leading(body, 8)
        elif kind == CREDIT and self.credit is not None:
            self._credit(number, self._leading(body, 8))
        elif kind in (ITEM, END) and self.credit is not None:
            if stream := self.stream(number):
                stream.begins(kind)
                self._begin(kind, flags, number, body)
        elif kind in self.begins:
            self._begin(kind, flags, number, body)
        elif kind == DATA:
            self._more(flags, number, body)
        else:
            self.other(kind, number, body)

    def _admit(self, length, kind, flags, number):
        """Refuses by the header alone."""
        known = kind in self.receives or kind in (PING, PONG, GO_AWAY, DATA)
        of_streams = kind in (ITEM, END, CREDIT)
        known = known or of_streams and self.credit is not None
        if kind >= 0x80 and kind != READY and self.broken("later-kind-refused"):
            raise Wrong("a kind that is not known")
        if kind < 0x80 and not known:
            skipped = self.broken("streams-skipped") if 0x20 <= kind <= 0x22 else self.broken("unknown-kind-skipped")
            if not skipped:
                raise Wrong(f"kind {kind:#04x} does not come to this side")
        if kind < 0x80 and flags & 0x0F & ~KNOWN_FLAGS.get(kind, 0) and not self.broken("unknown-flag-skipped"):
            raise Wrong("a flag that is not known")
        if flags & 0xF0 and kind < 0x80 and self.broken("upper-flags-refused"):
            raise Wrong("an upper flag")
        if (kind in (CALL, REPLY, FAILURE, CANCEL, DATA) or of_streams) and number == 0:
            raise Wrong("call number 0")
        if length > (MAX_CONTROL if kind == SCHEMA else self.mine.frame) and not self.broken("no-frame-limit"):
            raise Wrong("a frame that is longer than agreed")
        if kind == CALL and number <= self.last_call and not self.broken("numbers-unchecked"):
            raise Wrong("call numbers must rise")
        if kind == REPLY and number in self.parts and not self.broken("reply-twice"):
            raise Wrong("a REPLY within a REPLY")
        if kind in (ITEM, END) and number in self.parts and not self.broken("item-within"):
            raise Wrong("an ITEM or END within another message")
        if of_streams and known and not self.was_called(number):
            raise Wrong("a frame of a stream that was never called")

    def _leading(self, body, count):
        if len(body) < count:
            raise Wrong("a body that ends early")
        return body[:count]

    def _credit(self, number, body):
        if stream := self.stream(number):
            stream.more(*struct.unpack("<II", body))

    def stream(self, number):
        """The streams of a call; None when it is over."""
        if number not in self.streams and self.is_running(number) and not self.broken("stream-way-unchecked"):
            raise Wrong("a frame of a stream for a call that does not stream")
        return self.streams.get(number)

    def streamed(self, kind, flags, number, body):
        """An ITEM or END has come, whole."""
        if stream := self.streams.get(number):
            if kind == ITEM:
                return stream.item(body)
            if flags & METADATA:
                reader = Reader(body)
                try:
                    reader.take(reader.u16())
                except NoValue:
                    raise Wrong("an END that ends within its metadata") from None
            stream.all()

    def end_stream(self, number):
        if stream := self.streams.pop(number, None):
            stream.close()

    def pong(self, token):
        self.out.push(frame(PONG, 0, bytes(8) if self.broken("wrong-pong") else token))

    # Messages in parts.

    def _begin(self, kind, flags, number, body):
        if kind == CALL:
            self.last_call = max(self.last_call, number)
        if kind == FAILURE:
            self.forget(number)
        if not flags & MORE or (not body and self.broken("empty-fragment-ends")):
            return self._whole(kind, flags, number, body)
        self.parts[number] = (kind, flags, bytearray())
        self._grow(number, body)

    def _more(self, flags, number, body):
        if number not in self.parts or not self._grow(number, body):
            return
        if not flags & MORE or (not body and self.broken("empty-fragment-ends")):
            kind, first, whole = self.parts[number]
            self.forget(number)
            self._whole(kind, first, number, bytes(whole))

    def _whole(self, kind, flags, number, body):
        if kind in (ITEM, END):
            self.streamed(kind, flags, number, body)
            if kind == END:
                self.all_came(number)
        else:
            self.message(kind, flags, number, body)

    def all_came(self, number):
        """An END has come."""

    def _grow(self, number, body):
        whole = self.parts[number][2]
        whole += body
        self.arrived += len(body)
        too_long = len(whole) > self.mine.message and not self.broken("message-unbounded")
        too_many = len(self.parts) > self.mine.calls or self.arrived > self.mine.window
        if too_long or (too_many and not self.broken("parts-unbounded")):
            self.forget(number)
            self.too_large(number)
            return False
        return True

    def forget(self, number):
        """Drops what has come of a message; says whether there was one."""
        dropped = self.parts.pop(number, None)
        if dropped:
            self.arrived -= len(dropped[2])
        return dropped is not None
