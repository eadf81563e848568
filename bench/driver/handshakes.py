"""A client that makes handshakes: one connection after the other, each closed when its handshake is complete.

A process of its own, because OpenSSL reads its settings (certificate.py) when it starts:

    OPENSSL_CONF=clients.cnf python3 handshakes.py PORT NAME SECONDS [--resume]

With --resume one connection is made first, which asks for something, because some servers keep their tickets back until
they have an answer to send. All others are resumed with its ticket. Servers whose tickets hold the session itself let
one be used again.
"""

import json
import socket
import ssl
import sys
import time


def main(port, name, seconds, resume):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The driver has checked the certificate before. Here it would be time that the server waits.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    session = _session(context, port, name) if resume else None
    handshakes = resumed = 0
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        with _shake(context, port, name, session) as connection:
            handshakes += 1
            resumed += connection.session_reused
    said = {"handshakes": handshakes, "resumed": resumed, "seconds": time.monotonic() - begun}
    print(json.dumps(said))


def _shake(context, port, name, session):
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(connection, server_hostname=name, session=session)


def _session(context, port, name):
    """One whose ticket has come: with the answer to a request, or before it."""
    with _shake(context, port, name, None) as connection:
        request = f"GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nHost: {name}\r\n\r\n"
        connection.sendall(request.encode())
        connection.recv(65536)
        return connection.session


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4:] == ["--resume"])
