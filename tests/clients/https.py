"""A client over TLS by Python's standard library: both versions, requests one after the other, a session that goes on.

https.py PORT CA
"""

import http.client
import socket
import ssl
import sys

HOST = "a.example"
SUM = b'{"result":3}'


def connect(context, port, session=None):
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection = http.client.HTTPSConnection(HOST, port, context=context, timeout=30)
    connection.sock = context.wrap_socket(raw, server_hostname=HOST, session=session)
    return connection


def ask(connection):
    connection.request("GET", "/v1/calc/add?a=1&b=2")
    reply = connection.getresponse()
    body = reply.read()
    assert (reply.status, body) == (200, SUM), (reply.status, body)


def main():
    port, ca = int(sys.argv[1]), sys.argv[2]
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=ca)
        context.minimum_version = context.maximum_version = version
        connection = connect(context, port)
        for _ in range(3):
            ask(connection)
        session = connection.sock.session
        connection.close()
        again = connect(context, port, session)
        ask(again)
        assert again.sock.session_reused, version
        again.close()
    strangers = ssl.create_default_context()
    try:
        connect(strangers, port)
    except ssl.SSLCertVerificationError:
        print("well")
    else:
        raise AssertionError("it trusts whom it does not know")


main()
