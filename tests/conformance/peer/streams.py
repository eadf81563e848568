"""The streams of one call, at either side: what may still be sent, and what has come and was not read."""

import asyncio
import collections
import struct

from wire import *

# What this side gives of every stream before it gives more, and the most that there may be.
ITEMS, BYTES, MOST = 8, 20_000, (1 << 31) - 1


class Over(Exception):
    """Nobody takes items of this call any more."""


class Stream:
    def __init__(self, link, number, sends, receives):
        self.link, self.number, self.broken = link, number, link.broken
        self.sends, self.receives, self.is_over, self.begun = bool(sends), bool(receives), False, False
        self.has_sent_end = self.has_heard_end = False
        # What the peer lets this side send, and what it may send itself.
        self.items, self.bytes = link.credit or (0, 0)
        self.left_items, self.left_bytes = ITEMS, BYTES
        self.used_items = self.used_bytes = 0
        self.queue, self.news = collections.deque(), asyncio.Event()

    def close(self):
        self.is_over = True
        self.news.set()

    # Sending.

    async def put(self, value):
        """Sends an item when there is credit; returns when all of it has left."""
        while not (self.items > 0 and self.bytes > 0) and not self.broken("credit-ignored"):
            await self._changes()
        if self.is_over:
            raise Over
        self.items, self.bytes, self.begun = self.items - 1, self.bytes - len(value), True
        left = asyncio.get_running_loop().create_future()
        self.link.out.message(ITEM, self.number, value, done=lambda: left.done() or left.set_result(None))
        await left

    async def _changes(self):
        if self.is_over:
            raise Over
        self.news.clear()
        await self.news.wait()

    def end(self):
        if not self.is_over and not self.has_sent_end and not self.broken("end-untold"):
            self.link.out.push(frame(END, self.number), done=lambda: None)
        self.has_sent_end = True

    def more(self, items, bytes):
        """CREDIT has come."""
        if not self.sends and not self.broken("stream-way-unchecked"):
            raise Wrong("credit for a direction that does not stream")
        if self.has_sent_end:
            return
        self.items, self.bytes = self.items + items, self.bytes + bytes
        if (self.items > MOST or self.bytes > MOST) and not self.broken("credit-unbounded"):
            raise Wrong("credit above 2147483647")
        self.news.set()

    # Receiving.

    def begins(self, kind):
        """The first frame of an ITEM, or an END, has come."""
        if not self.receives and not self.broken("stream-way-unchecked"):
            raise Wrong("an ITEM or END for a direction that does not stream")
        if self.has_heard_end and not self.broken("end-unchecked"):
            raise Wrong("an ITEM or END after the END")
        if kind == ITEM:
            if (self.left_items <= 0 or self.left_bytes <= 0) and not self.broken("credit-unchecked"):
                raise Wrong("an ITEM beyond its credit")
            self.left_items, self.begun = self.left_items - 1, True

    def item(self, value):
        self.left_bytes -= len(value)
        self.queue.append(value)
        if self.broken("credit-on-arrival"):
            self.left_items, self.left_bytes = self.left_items + 1, self.left_bytes + len(value)
            self.link.out.push(frame(CREDIT, self.number, struct.pack("<II", 1, len(value))))
        self.news.set()

    def all(self):
        self.has_heard_end = True
        self.news.set()

    async def get(self):
        """The next item, or None behind the last one."""
        while not self.queue:
            if self.has_heard_end or self.is_over:
                return None
            self.news.clear()
            await self.news.wait()
        value = self.queue.popleft()
        self.used(len(value))
        return value

    def used(self, size):
        """Gives credit back when it is worth a frame."""
        self.used_items, self.used_bytes = self.used_items + 1, self.used_bytes + size
        worth = self.used_items * 2 >= ITEMS or self.used_bytes * 2 >= BYTES
        if worth and not self.is_over and not self.broken("credit-kept") and not self.broken("credit-on-arrival"):
            self.link.out.push(frame(CREDIT, self.number, struct.pack("<II", self.used_items, self.used_bytes)))
            self.left_items, self.left_bytes = self.left_items + self.used_items, self.left_bytes + self.used_bytes
            self.used_items = self.used_bytes = 0
