"""Streams by httpx and requests, which give lines: as lines and as events, whole ones and one that is cut.

streams_libraries.py BASE
"""

import json
import sys

import httpx
import requests

base = sys.argv[1]
LINES, EVENTS = "application/x-ndjson", "text/event-stream"


def by_httpx(path, form):
    with httpx.Client(trust_env=False) as client:
        with client.stream("GET", base + path, headers={"accept": form}) as reply:
            assert (reply.status_code, reply.headers["content-type"]) == (200, form), reply
            yield from reply.iter_lines()


def by_requests(path, form):
    with requests.Session() as session:
        session.trust_env = False
        with session.get(base + path, headers={"accept": form}, stream=True) as reply:
            assert (reply.status_code, reply.headers["content-type"]) == (200, form), reply
            for line in reply.iter_lines():
                yield line.decode()


def items(lines, form):
    """What it has got, what it was told beside that, and whether the library says that it was cut."""
    got, told, kind = [], None, None
    try:
        for line in lines:
            if form == LINES and not line.startswith("error: "):
                got.append(json.loads(line))
            elif form == LINES:
                told = json.loads(line.removeprefix("error: "))["code"]
            elif line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: ") and kind is None:
                got.append(json.loads(line.removeprefix("data: ")))
            elif line.startswith("data: "):
                told = json.loads(line.removeprefix("data: ")).get("code", kind)
            else:
                assert line == "", line
    except (httpx.RemoteProtocolError, requests.exceptions.ChunkedEncodingError):
        return got, told, "cut"
    return got, told, "whole"


for by in (by_httpx, by_requests):
    for form, end in ((LINES, None), (EVENTS, "end")):
        whole = items(by("/v1/count?from=10&to=20&step=2&pause_ms=1", form), form)
        assert whole == ([10, 12, 14, 16, 18, 20], end, "whole"), (by, whole)
        three = [{"n": 1}, {"n": 2}, {"n": 3}]
        cut = items(by("/feed/3/fail", form), form)
        assert cut == (three, "not_found", "cut"), (by, cut)
        # The first item is there while the stream goes on.
        lines = by("/feed/1/hang", form)
        first = next(lines)
        assert first.endswith('{"n":1}'), (by, first)
        lines.close()
print("well")
