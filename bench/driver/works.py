"""The works: what is asked, and what must be answered."""

import dataclasses
import hashlib
import json
from typing import Any, Callable

ORDER_ID = "0197f3c2-5d8e-7b60-9a41-c3f2e8d51b07"


@dataclasses.dataclass(frozen=True)
class Work:
    """One request, sent over and over."""

    name: str
    label: str
    method: str
    path: str
    body: bytes
    answer: Any
    # Whether one takes milliseconds, with the slowest of the peers.
    slow: bool = False
    # What an answer's body is read by, before it is compared.
    read: Callable[[bytes], Any] = json.loads
    # What is counted, and how many of them one request has.
    unit: str = "request"
    units: int = 1
    content_type: str = "application/json"
    # Further header fields: names and values.
    headers: tuple = ()

    def request(self, port, host="127.0.0.1"):
        """The whole request, for clients that send bytes."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        if self.body:
            head += f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body

    def answer_text(self):
        """The answer as JSON without blanks."""
        return _compact(self.answer)

    def is_answered_by(self, body):
        """Whether that is the right answer."""
        try:
            return self.read(body) == self.answer
        except (ValueError, KeyError, TypeError):
            return False


def quote(name, label, items, slow=False):
    """A quote of so many items. The amounts are such as prices and floating point make them."""
    prices = [4.5, 19.99, 4.35, 120.0, 0.25]
    order = {"customer": "ada", "express": False, "items": []}
    lines, total = [], 0.0
    for number in range(items):
        sku, qty, price = f"SKU-{10001 + number}", 1 + number % 9, prices[number % len(prices)]
        order["items"].append({"sku": sku, "qty": qty, "unit_price": price})
        lines.append({"sku": sku, "qty": qty, "amount": qty * price})
        total += qty * price
    answer = {"order_id": ORDER_ID, "total": total, "lines": lines, "express": False}
    body = _compact(order).encode()
    return Work(name, label, "POST", f"/v1/orders/{ORDER_ID}/quote", body, answer, slow)


def count(name, label, items, pause_ms=0):
    """A stream of so many numbers, each an object on a line of its own: as they come, or with a pause before each."""
    pause = f"&pause_ms={pause_ms}" if pause_ms else ""
    path, answer = f"/v1/numbers?from=1&to={items}{pause}", [{"number": str(number + 1)} for number in range(items)]
    return Work(name, label, "GET", path, b"", answer, True, _lines, "item", items)


def _sum(body):
    """protobuf's JSON writes 64-bit integers as strings, which is let pass."""
    return {name: int(value) for name, value in json.loads(body).items()}


def _lines(body):
    return [json.loads(line) for line in body.splitlines()]


def _compact(value):
    return json.dumps(value, separators=(",", ":"))


MIB = 1024 * 1024
# Bytes that are no text and do not repeat.
FILE = hashlib.shake_256(b"callgate").digest(MIB)

# What every peer answers.
COMMON = (
    quote("quote", "quote, 270 bytes", 5),
    quote("large", "quote, 60 KB", 1290, slow=True),
    Work("add", "GET calc/add", "GET", "/v1/calc/add?a=1&b=2", b"", {"result": 3}, read=_sum),
)
# What some do. The file that is got is the one that was put.
OTHERS = (
    count("count", "stream of 10,000 items", 10_000),
    count("ticks", "stream of an item each 20 ms", 50, pause_ms=20),
    Work("put", "1 MiB up", "PUT", "/v1/files/a", FILE, MIB, True, unit="MiB", content_type="application/octet-stream"),
    Work("get", "1 MiB down", "GET", "/v1/files/a", b"", FILE, True, bytes, "MiB"),
)
WORKS = {work.name: work for work in (*COMMON, *OTHERS)}
