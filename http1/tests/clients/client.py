"""Reads replies with Python's http.client: python3 client.py PORT. Ends with an error where a reply is not what it should be."""

import http.client
import sys

PIECES = b"first\r\n0\r\n\r\n" + b"\0\xff" + b"x" * 70_000
BODIES = {"/length": PIECES, "/chunked": PIECES, "/empty": b"", "/strange": PIECES, "/none": b"", "/unchanged": b""}
STATUSES = {"/strange": 299, "/none": 204, "/unchanged": 304}


def check(connection, method, path, body, sent=None, headers={}):
    connection.request(method, path, body=sent, headers=headers)
    reply = connection.getresponse()
    assert reply.status == STATUSES.get(path, 200), (path, reply.status)
    assert reply.getheader("date") == "Sun, 06 Nov 1994 08:49:37 GMT", reply.getheaders()
    assert reply.getheader("server") == "test", reply.getheaders()
    assert reply.getheader("x-text") == 'caf\xe9\t"quoted"', reply.getheaders()
    for name in ("x-split", "set-cookie", "x bad"):
        assert reply.getheader(name) is None, reply.getheaders()
    if path == "/length":
        assert reply.getheader("content-length") == str(len(PIECES))
    if path in ("/none", "/unchanged"):
        assert reply.getheader("content-length") is None and reply.getheader("transfer-encoding") is None
    got = reply.read()
    assert got == body, (method, path, len(got))
    return reply


def main(port):
    # All on one connection, twice: where one reply ends the next begins.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.connect()
    first = connection.sock
    for _ in range(2):
        for path, body in BODIES.items():
            check(connection, "GET", path, body)
            check(connection, "HEAD", path, b"")
            check(connection, "POST", path, body, sent=b"a" * 3000)
            check(connection, "POST", path, body, sent=iter([b"chunk", b"another"]))
            # It reads past 100 Continue.
            check(connection, "POST", path, body, sent=b"a", headers={"Expect": "100-continue"})
    assert connection.sock is first, "the connection was closed between"

    reply = check(connection, "GET", "/close", PIECES)
    assert reply.getheader("connection") == "close" and connection.sock is None

    # An older client gets no chunks.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection._http_vsn, connection._http_vsn_str = 10, "HTTP/1.0"
    for path, body in BODIES.items():
        reply = check(connection, "GET", path, body)
        assert reply.getheader("transfer-encoding") is None and reply.getheader("connection") == "close"


main(int(sys.argv[1]))
print("all replies were read")
