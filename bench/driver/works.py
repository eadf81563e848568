"""The works: what is asked, and what must be answered."""

import dataclasses
import json
from typing import Any

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

    def request(self, port, host="127.0.0.1"):
        """The whole request, for clients that send bytes."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body

    def answer_text(self):
        """The answer as JSON without blanks."""
        return _compact(self.answer)

    def is_answered_by(self, body):
        """Whether that is the right answer. protobuf's JSON writes 64-bit integers as strings, which is let pass."""
        answer = json.loads(body)
        if self.name == "add" and isinstance(answer.get("result"), str):
            answer["result"] = int(answer["result"])
        return answer == self.answer


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


def _compact(value):
    return json.dumps(value, separators=(",", ":"))


WORKS = {
    work.name: work
    for work in (
        quote("quote", "quote, 270 bytes", 5),
        quote("large", "quote, 60 KB", 1290, slow=True),
        Work("add", "GET calc/add", "GET", "/v1/calc/add?a=1&b=2", b"", {"result": 3}),
    )
}
