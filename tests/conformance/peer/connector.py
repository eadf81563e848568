"""The calling side: calls `conformance.echo` as its driver, standard input, says."""

import asyncio
import struct
import sys

from link import Link
from streams import Over, Stream
from wire import *

ECHO, CHAT = f"{SERVICE}.echo", f"{SERVICE}.chat"
WIRE = fingerprint(schema("echo", wire=True))


class Failed(Exception):
    """How a call failed; `elsewhere`: it has certainly not run."""

    def __init__(self, code, elsewhere=False):
        self.code, self.elsewhere = code, elsewhere


class Connector(Link):
    receives = {REPLY, FAILURE, SCHEMA}
    begins = {REPLY, FAILURE}

    def __init__(self, reader, writer, broken, caller):
        token = [(8, b"a-token")] if broken("token-in-the-clear") else []
        super().__init__(reader, writer, broken, fields((1, struct.pack("<HH", 1, 1)), (5, b"peer.py"), *token))
        self.caller, self.next, self.waiting, self.usable = caller, 1, {}, None
        self.is_open, self.free = False, asyncio.Condition()

    def opened(self):
        self.is_open = True
        self.usable = asyncio.create_task(self.prepare())
        self.caller.link.set_result(self)

    async def prepare(self):
        """Whether `echo` can be called here; its schema is fetched when it was not seen before."""
        offer = self.offers.get(ECHO)
        if not offer or offer.wire != WIRE or (offer.flags & 0x0E and not self.broken("unknown-offer-flag")):
            return False
        if offer.document not in self.caller.schemas:
            self.schema = asyncio.get_running_loop().create_future()
            self.out.push(frame(SCHEMA_REQUEST, 0, offer.document))
            data = await self.schema
            try:
                check_schema(data)
            except NoValue:
                return False
            self.caller.schemas.add(offer.document)
        return True

    def ended(self):
        self.retire()
        for stream in self.streams.values():
            stream.close()
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(Failed("unavailable", self.broken("repeats-lost")))
        if self.usable:
            self.usable.cancel()

    def was_called(self, number):
        return number < self.next

    def is_running(self, number):
        return number in self.waiting

    def all_came(self, number):
        self.settle(number, None)

    def retire(self):
        """New calls go to the next connection."""
        self.is_open = False
        self.caller.retired(self)

    async def call(self, text, deadline):
        """Makes a call; cancelling this cancels it."""
        if not await asyncio.shield(self.usable):
            raise Failed("unimplemented")

        async def answer(number, future):
            self.send(number, ECHO, blob(text.encode()), deadline)
            return await future

        return await self.run_call(answer)

    async def chat(self, count, text, deadline):
        """Puts so many texts, says the end, and then reads what comes; gives how many items that were."""
        if CHAT not in self.offers or self.credit is None and not self.broken("offer-unannounced"):
            raise Failed("unimplemented")

        async def answer(number, future):
            stream = self.streams[number] = Stream(self, number, sends=True, receives=True)
            self.send(number, CHAT, b"", deadline)
            try:
                for _ in range(count):
                    await stream.put(blob(text.encode()))
                stream.end()
            except Over:
                pass
            read = 0
            while (value := await stream.get()) is not None:
                try:
                    reader = Reader(value)
                    reader.text()
                    reader.end()
                except NoValue:
                    self.give_up(number)
                    raise Failed("internal") from None
                read += 1
            await future
            return read

        return await self.run_call(answer)

    async def run_call(self, answer):
        """Gives a call its number, and its answer; cancelling this cancels it."""
        async with self.free:
            most = (1 << 20) if self.broken("max-calls-ignored") else self.out.limits.calls
            await self.free.wait_for(lambda: len(self.waiting) < most or not self.is_open)
            if not self.is_open and not self.broken("calls-after-go-away"):
                raise Failed("unavailable", elsewhere=True)
            number, self.next = self.next, self.next + (0 if self.broken("numbers-stay") else 1)
            self.waiting[number] = future = asyncio.get_running_loop().create_future()
        try:
            return await answer(number, future)
        except asyncio.CancelledError:
            self.give_up(number)
            raise
        finally:
            self.waiting.pop(number, None)
            self.end_stream(number)
            async with self.free:
                self.free.notify_all()
            if self.caller.link is not None and not self.is_open and not self.waiting:
                self.writer.close()

    def send(self, number, method, arguments, deadline):
        call = call_id("echo") if self.broken("hash-for-id") else self.offers[method].id
        metadata = fields((4, b"peer"))
        left = 0xFFFFFFFF if self.broken("deadline-untold") else (deadline - asyncio.get_running_loop().time()) * 1000
        head = struct.pack("<IIH", call, max(int(left), 1), len(metadata)) + metadata
        body = head + arguments
        if len(body) > self.out.limits.message and not self.broken("max-message-ignored"):
            raise Failed("resource_exhausted", elsewhere=False)
        self.out.message(CALL, number, body, METADATA)

    def give_up(self, number):
        self.forget(number)
        if not self.broken("sends-after-cancel"):
            self.out.drop(number)
        if not self.broken("cancel-untold"):
            self.out.push(frame(CANCEL, number))

    def too_large(self, number):
        self.settle(number, Failed("resource_exhausted"))
        self.out.push(frame(CANCEL, number))

    def settle(self, number, outcome):
        if number >= self.next and not self.broken("any-answer"):
            raise Wrong(f"an answer to call {number}, which was never made")
        if self.broken("answers-by-order"):
            number = min(self.waiting, default=number)
        future = self.waiting.get(number)
        if not future or future.done():
            return
        if not self.broken("sends-after-answer") and self.out.drop(number) and not self.broken("answered-untold"):
            self.out.push(frame(CANCEL, number))
        if number in self.streams:
            self.streams[number].close()
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def message(self, kind, flags, number, body):
        reader = Reader(body)
        if kind == FAILURE:
            return self.failure(number, flags, body)
        if number in self.streams and not self.broken("stream-way-unchecked"):
            raise Wrong("a REPLY to a call whose service streams")
        try:
            if flags & METADATA and not self.broken("metadata-as-result"):
                reader.take(reader.u16())
        except NoValue:
            raise Wrong("a REPLY that ends within its metadata") from None
        try:
            text = reader.text()
            if not self.broken("result-unchecked"):
                reader.end()
            self.settle(number, len(text.encode()))
        except NoValue:
            self.settle(number, 0 if self.broken("result-unchecked") else Failed("internal"))

    def failure(self, number, flags, body):
        try:
            code = body[0]
            split(body[1:])
        except (IndexError, NoValue):
            raise Wrong("a FAILURE that ends early") from None
        if self.broken("unknown-code-kept") and code >= len(CODES):
            return
        name = CODES[code] if 0 < code < len(CODES) else "unknown"
        elsewhere = flags & NOT_EXECUTED and name == "unavailable" and not self.has_streamed(number)
        self.settle(number, Failed(name, elsewhere))

    def has_streamed(self, number):
        """Whether an item of a call went over the wire: then it is not sent elsewhere."""
        return number in self.streams and self.streams[number].begun and not self.broken("streams-again")

    def other(self, kind, number, body):
        if kind == SCHEMA:
            asked, data = self._leading(body, 16), body[16:]
            if data and fingerprint(data) != asked and not self.broken("schema-unchecked"):
                raise Wrong("the bytes of a SCHEMA do not have its fingerprint")
            if not self.schema.done():
                self.schema.set_result(data)
        elif kind == READY and body[:1] in (b"\0", b"\1"):
            self.caller.welcome(body[0] == 1)
        elif kind == GO_AWAY:
            self.go_away(struct.unpack("<I", self._leading(body, 4))[0])

    def go_away(self, last):
        if self.broken("calls-after-go-away"):
            return
        self.retire()
        for number, future in list(self.waiting.items()):
            if number > last and not future.done() and not self.broken("waits-above-last"):
                self.out.drop(number)
                if number in self.streams:
                    self.streams[number].close()
                future.set_exception(Failed("unavailable", elsewhere=not self.has_streamed(number)))
        if not self.waiting:
            self.writer.close()


class Caller:
    """Keeps one connection, and obeys the driver."""

    def __init__(self, address, broken):
        self.host, _, self.port = address.rpartition(":")
        self.broken, self.schemas, self.calls = broken, set(), {}
        loop = asyncio.get_running_loop()
        self.link, self.is_welcome, self.gone = loop.create_future(), asyncio.Event(), asyncio.Event()
        self.is_welcome.set()

    def welcome(self, ready):
        self.is_welcome.set() if ready or self.broken("ready-unheard") else self.is_welcome.clear()

    def retired(self, link):
        self.is_welcome.set()
        if self.link.done() and self.link.result() is link:
            self.link = asyncio.get_running_loop().create_future()
        self.gone.set()

    async def keep_connected(self):
        links = set()
        while True:
            self.gone.clear()
            try:
                reader, writer = await asyncio.open_connection(self.host, int(self.port), limit=1 << 20)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            link = Connector(reader, writer, self.broken, self)
            if self.broken("calls-early"):
                link.out.push(frame(CALL, 1, struct.pack("<II", call_id("echo"), 1000) + blob(b"early")))
            task = asyncio.create_task(link.run())
            links.add(task)
            task.add_done_callback(links.discard)
            await self.gone.wait()

    async def obey(self):
        loop = asyncio.get_running_loop()
        keeper = asyncio.create_task(self.keep_connected())
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            match line.split():
                case ["call", name, size, ms]:
                    text = "x" * int(size)
                    attempt = lambda link, deadline, text=text: link.call(text, deadline)
                    self.calls[name] = asyncio.create_task(self.call(name, attempt, int(ms) / 1000))
                case ["stream", name, count, size, ms]:
                    count, text = int(count), "x" * int(size)
                    attempt = lambda link, deadline, count=count, text=text: link.chat(count, text, deadline)
                    self.calls[name] = asyncio.create_task(self.call(name, attempt, int(ms) / 1000))
                case ["cancel", name]:
                    self.calls[name].cancel()
        keeper.cancel()

    async def call(self, name, attempt, seconds):
        try:
            deadline = asyncio.get_running_loop().time() + seconds
            async with asyncio.timeout_at(deadline):
                said = f"ok {name} {await self.attempts(attempt, deadline)}"
        except TimeoutError:
            said = f"failed {name} deadline_exceeded"
        except asyncio.CancelledError:
            said = f"failed {name} cancelled"
        except Failed as failed:
            said = f"failed {name} {failed.code}"
        print(said, flush=True)

    async def attempts(self, attempt, deadline):
        while True:
            link = await asyncio.shield(self.link)
            await self.is_welcome.wait()
            try:
                return await attempt(link, deadline)
            except Failed as failed:
                if not failed.elsewhere:
                    raise
                await asyncio.sleep(0.01)
