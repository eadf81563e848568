"""The called side: offers the service `conformance`."""

import asyncio
import functools
import struct

from link import Link
from streams import Over, Stream
from wire import *

OFFERED = {call_id(name): name for name in METHODS}
SCHEMAS = {fingerprint(schema(name)): schema(name) for name in METHODS}


# Of answers that nobody reads, in bytes.
MAX_WAITING = 64 << 20


class Failed(Exception):
    def __init__(self, code, message=""):
        self.code, self.message = code, message


class Acceptor(Link):
    receives = {CALL, CANCEL, SCHEMA_REQUEST}
    begins = {CALL}

    def __init__(self, reader, writer, broken, server):
        limits = fields((1, struct.pack("<HH", 1, 1)), (5, b"peer.py"), (6, service()))
        super().__init__(reader, writer, broken, limits)
        self.server, self.running, self.away, self.unwritten = server, {}, None, {}
        self.closing, self.pongs = None, []

    def opened(self):
        self.server.links.add(self)
        if not self.server.ready and not self.broken("ready-untold"):
            self.out.push(frame(READY, 0, b"\0"))

    def ended(self):
        self.server.links.discard(self)
        for task in self.running.values():
            task.cancel()

    def was_called(self, number):
        return number <= self.last_call

    def is_running(self, number):
        return number in self.running

    def pong(self, token):
        if self.broken("pong-after-calls") and self.running:
            self.pongs.append(token)
        else:
            super().pong(token)

    def other(self, kind, number, body):
        if kind == SCHEMA_REQUEST:
            asked = self._leading(body, 16)
            found = SCHEMAS.get(asked, b"")
            if self.broken("schema-of-another") and found:
                found = next(other for other in SCHEMAS.values() if other != found)
            if found or not self.broken("schema-silent"):
                self.out.push(frame(SCHEMA, 0, asked + found))
        elif kind == CANCEL and not self.broken("cancel-ignored"):
            if not self.broken("cancel-arriving-runs"):
                self.forget(number)
            self.stop(number)
        elif kind == GO_AWAY:
            self._leading(body, 4)

    def stop(self, number):
        """Stops a method; an answer of which a part was sent is ended."""
        task = self.running.pop(number, None)
        if task:
            task.cancel()
        self.end_stream(number)
        if self.out.drop(number) and not self.broken("half-reply"):
            self.out.push(frame(FAILURE, number, b"\1"))
        self.settle()

    def too_large(self, number):
        if number in self.streams:
            self.running.pop(number).cancel()
            self.end_stream(number)
            self.out.drop(number)
            return self.fail(number, 8, "an item is too long", executed=not self.broken("item-not-run"))
        self.fail(number, 8, "the message is too long, or there are too many", executed=False)

    def fail(self, number, code, message, executed=True):
        flags = 0 if executed or self.broken("refused-as-run") else NOT_EXECUTED
        self.out.message(FAILURE, number, bytes([code]) + fields((1, message.encode())), flags)

    def message(self, kind, flags, number, body):
        if self.away is not None and number > self.away and not self.broken("late-calls-run"):
            return
        reader = Reader(body)
        try:
            head, left = reader.u32(), reader.u32()
            if flags & METADATA and not self.broken("metadata-as-arguments"):
                length = reader.u16()
                if length > MAX_METADATA:
                    raise Wrong("metadata that is too long")
                reader.take(length)
        except NoValue:
            raise Wrong("a CALL that ends within its head") from None
        if head == 0:
            raise Wrong("Call ID 0")
        if self.is_full() and not self.broken("calls-unbounded"):
            return self.fail(number, 14, "too many calls", executed=False)
        name = OFFERED.get(head)
        if name is None:
            code = 13 if self.broken("unknown-method-internal") else 12
            return self.fail(number, code, "there is no such method", executed=False)
        _, streams = STREAMS.get(name, (None, 0))
        if streams and self.credit is None and not self.broken("streams-to-all"):
            return self.fail(number, 12, "there is no such method for a caller without streams", executed=False)
        try:
            method = self.server.prepare(name, reader)
        except NoValue as problem:
            return self.fail(number, 3, str(problem))
        if streams:
            self.credit = self.credit or (0, 0)
            self.streams[number] = Stream(self, number, sends=streams & 4, receives=streams & 2)
            method = functools.partial(method, stream=self.streams[number])
        self.running[number] = asyncio.create_task(self.call(number, method, left))

    def is_full(self):
        """Answers that nobody has read yet count with the calls that run."""
        most = self.mine.calls
        waiting = sum(self.unwritten.values())
        return len(self.running) >= most or len(self.running) + len(self.unwritten) >= 2 * most or waiting >= MAX_WAITING

    async def call(self, number, method, left):
        before = list(self.running.values()) if self.broken("in-order") else []
        try:
            seconds = left / 1000 if left and not self.broken("deadline-ignored") else None
            async with asyncio.timeout(seconds):
                for task in before:
                    if task is not asyncio.current_task():
                        await asyncio.wait([task])
                result = await method()
        except Failed as failed:
            self.answered(number)
            self.fail(number, failed.code, failed.message)
        except TimeoutError:
            self.answered(number)
            self.out.drop(number)
            self.fail(number, 4, "the time is up")
        except NoValue as problem:
            self.answered(number)
            self.fail(number, 3, str(problem))
        except Over:
            pass
        else:
            stream = self.streams.get(number)
            if stream and stream.sends and not self.broken("reply-for-end"):
                stream.end()
                self.answered(number)
            else:
                self.answered(number)
                self.reply(number, result)
        finally:
            self.settle()

    def answered(self, number):
        self.running.pop(number, None)
        self.end_stream(number)
        if not self.running:
            for token in self.pongs:
                super().pong(token)
            self.pongs.clear()

    def reply(self, number, result):
        if len(result) > self.out.limits.message:
            return self.fail(number, 8, "the result is longer than the caller accepts")
        self.unwritten[number] = len(result)
        self.out.message(REPLY, number, result, done=lambda: self.written(number))
        if self.broken("answers-twice"):
            self.out.message(REPLY, number, result)

    def written(self, number):
        self.unwritten.pop(number, None)
        self.settle()

    # Going away.

    def drain(self):
        if self.away is None:
            self.away = self.last_call
            last = 0 if self.broken("drain-tells-0") else self.away
            self.out.push(frame(GO_AWAY, 0, struct.pack("<I", last) + b"the case wants it"))
            if self.broken("drain-drops"):
                self.running.clear()
                self.parts.clear()
            asyncio.get_running_loop().call_soon(self.settle)

    def settle(self):
        """Closes this side when it goes away and every accepted call is answered."""
        if self.away is None or self.running or self.unwritten or self.closing:
            return
        if not any(number <= self.away for number in self.parts):
            self.closing = asyncio.create_task(self.close())

    async def close(self):
        while self.out.short or self.out.long:
            await self.out.empty.wait()
        try:
            await self.writer.drain()
            if self.writer.can_write_eof() and not self.writer.is_closing():
                self.writer.write_eof()
        except (ConnectionError, OSError):
            pass


class Server:
    """What all connections share."""

    def __init__(self, broken):
        self.broken, self.ready, self.links, self.held = broken, True, set(), {}

    async def accepted(self, reader, writer):
        await Acceptor(reader, writer, self.broken, self).run()

    def prepare(self, name, reader):
        """Reads the arguments; gives the method with them."""
        method = getattr(self, f"call_{name}")
        read = {b"\x01": reader.boolean, b"\x02": reader.byte, b"\x04": lambda: reader.varint(32), b"\x0f": reader.text}
        arguments = [read[kind]() for _, kind in METHODS[name][0]]
        if not self.broken("lax-values"):
            reader.end()
        return functools.partial(method, *arguments)

    async def call_echo(self, text):
        return blob(text.encode())

    async def call_large(self, size):
        return blob(bytes(size))

    async def call_fail(self, code, message):
        raise Failed(code, message)

    async def call_hold(self, key):
        self.held[key] = self.held.get(key, 0) + 1
        try:
            await asyncio.Event().wait()
        finally:
            self.held[key] -= 1

    async def call_count(self, to, stream):
        for number in range(1, to + 1):
            await stream.put(varint(number))
        return b"\0"

    async def call_sum(self, stream):
        total = 0
        while (value := await stream.get()) is not None:
            reader = Reader(value)
            total += reader.varint(32)
            reader.end()
        return varint(total)

    async def call_chat(self, stream):
        while (value := await stream.get()) is not None:
            if not self.broken("lax-items"):
                reader = Reader(value)
                reader.text()
                reader.end()
            await stream.put(value)
        return b"\0"

    async def call_held(self, key):
        return varint(self.held.get(key, 0))

    async def call_ready(self, ready):
        self.ready = ready
        for link in self.links:
            link.out.push(frame(READY, 0, bytes([ready])))
        return b""

    async def call_drain(self):
        for link in list(self.links):
            link.drain()
        return b""
