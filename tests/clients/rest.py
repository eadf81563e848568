"""Forms, raw bodies, parts, codings and entity tags by requests, which decodes what comes by itself.

rest.py BASE
"""

import gzip
import sys
import zlib

import requests
import zstandard

base = sys.argv[1]
session = requests.Session()
session.trust_env = False


def kept(content, kind=None, name=None):
    places = sum(place * byte for place, byte in enumerate(content, 1))
    return {"length": len(content), "sum": places & 0xFFFFFFFFFFFFFFFF, "kind": kind, "name": name}


def check(reply, status, **headers):
    assert reply.status_code == status, (reply.status_code, reply.text[:500])
    for name, value in headers.items():
        name = name.replace("_", "-")
        assert reply.headers.get(name) == value, (name, dict(reply.headers))
    return reply


# Forms of both kinds.
fields = [("title", "a & b=é"), ("tags", "x"), ("tags", "y,z"), ("sold", "true"), ("author.name", "N")]
book = {"title": "a & b=é", "tags": ["x", "y,z"], "pages": None, "author": {"name": "N"}, "sold": True}
reply = check(session.post(base + "/books", data=fields), 200)
assert reply.json() == {**book, "cover": None, "pictures": []}, reply.text
picture = bytes(range(256)) * 300
files = [("cover", ("é.png", picture, "image/png")), ("pictures", ("1", b"1")), ("pictures", ("2", b"22"))]
reply = check(session.post(base + "/books", data=fields, files=files), 200)
expected = {"cover": kept(picture, "image/png", "é.png"), "pictures": [kept(b"1"), kept(b"22")]}
assert reply.json() == {**book, **expected}, reply.text

# Raw bodies: with a length, in chunks, and in each coding.
text = b"some text, again and again; " * 3000
plain = {"content-type": "text/plain"}
check_kept = lambda reply: check(reply, 200).json() == kept(text, "text/plain", "a b") or sys.exit(reply.text)
check_kept(session.put(base + "/kept/a%20b", data=text, headers=plain))
chunks = (text[at : at + 1000] for at in range(0, len(text), 1000))
check_kept(session.put(base + "/kept/a%20b", data=chunks, headers=plain))
for coding, encoded in [
    ("gzip", gzip.compress(text)),
    ("zstd", zstandard.compress(text)),
]:
    check_kept(session.put(base + "/kept/a%20b", data=encoded, headers={**plain, "content-encoding": coding}))
deflated = {**plain, "content-encoding": "deflate"}
check(session.put(base + "/kept/a%20b", data=zlib.compress(text), headers=deflated), 415, accept_encoding="gzip, br, zstd")

# Parts of an answer: what comes together is the whole.
url = base + "/files/a?bytes=100000&kind=image/png"
whole = check(session.get(url), 200, content_type="image/png", accept_ranges="bytes")
assert len(whole.content) == 100000
etag = whole.headers["etag"]
parts = b""
while len(parts) < 100000:
    span = f"bytes={len(parts)}-{len(parts) + 29999}"
    reply = check(session.get(url, headers={"range": span, "if-range": etag}), 206)
    assert reply.headers["content-range"].startswith(f"bytes {len(parts)}-"), reply.headers
    parts += reply.content
assert parts == whole.content
check(session.get(url, headers={"range": "bytes=100000-"}), 416, content_range="bytes */100000")
check(session.get(url, headers={"range": "bytes=0-9", "if-range": '"other"'}), 200)

# Codings, which requests decodes by urllib3 and what that finds; and an entity tag of each.
rows = None
tags = set()
for coding in ["identity", "gzip", "br", "zstd"]:
    reply = check(session.get(base + "/rows/2000", headers={"accept-encoding": coding}), 200, vary="accept-encoding")
    assert reply.headers.get("content-encoding", "identity") == coding, dict(reply.headers)
    rows = rows or reply.json()
    assert len(rows) == 2000 and reply.json() == rows, coding
    etag = reply.headers["etag"]
    tags.add(etag)
    again = {"accept-encoding": coding, "if-none-match": etag}
    reply = check(session.get(base + "/rows/2000", headers=again), 304, etag=etag)
    assert reply.content == b""
assert len(tags) == 4, tags
check(session.get(base + "/rows/2000", headers={"if-none-match": '"other"'}), 200)
print("well")
