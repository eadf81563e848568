"""Memory of idle connections: of HTTP/1.1, of TLS with HTTP/1.1, of HTTP/2 over TLS."""

import socket
import time

import certificate
import http2
import secure
from peers import GATEWAYS, LABELS, Starter
from works import WORKS

# Opening and asking once takes so long for a connection, in seconds; with a handshake, so long.
PER_CONNECTION = 0.0004
PER_HANDSHAKE = 0.002
# Until what only the start or the requests needed has gone back to the system, in seconds: allocators keep what is
# freed for a while (jemalloc for ten, counted from when Callgate has seen that a connection rests), and connections are idle for longer.
SETTLE = 25
# What is spoken on connections with TLS.
PROTOCOLS = ("http/1.1", "h2")
WORK = WORKS["quote"]


def expected(bench):
    """How long the stage will take, in seconds."""
    return SETTLE + len(bench.present(GATEWAYS)) * _seconds(bench) + _secure_seconds(bench)


def run(bench, _results):
    """Opens connections, sends one request on each, and looks what the process has grown by. The gateways are started
    anew for it: what a loaded one has freed would be used again, and hide the growth. What the kernel keeps for the
    sockets is the same for all and not counted."""
    found = {"idle": _plain(bench)}
    if bench.plan.secure:
        found["idle_secure"] = _secure(bench)
    return found


def _plain(bench):
    count, found = bench.plan.idle, {}
    with bench.fleet("idle") as fleet:
        bench.progress.step("idle connections: starting the gateways", SETTLE)
        starter = Starter(bench.tools, fleet)
        running = [starter.start(name) for name in bench.present(GATEWAYS)]
        time.sleep(SETTLE)
        for peer in running:
            bench.progress.step(f"{count:,} idle connections: {LABELS[peer.name]}", _seconds(bench))
            before, sockets = peer.memory(), [_connect(peer) for _ in range(count)]
            time.sleep(SETTLE)
            found[peer.name] = _grown(peer, before, count)
            _close(sockets)
    return {"connections": count, "peers": found}


def _secure(bench):
    """A gateway for each protocol; all connections are open at the same time, and settle together."""
    count = bench.plan.idle_secure
    shown = certificate.make(bench.folder / "idle-certificate")
    with bench.fleet("idle-secure") as fleet:
        bench.progress.step(f"{count:,} idle connections with TLS, of each kind", _secure_seconds(bench))
        starter = Starter(bench.tools, fleet, shown)
        names = bench.present(secure.PEERS)
        running = [(protocol, starter.start(name)) for protocol in PROTOCOLS for name in names]
        time.sleep(SETTLE)
        before = [peer.memory() for _, peer in running]
        contexts = {protocol: shown.context(protocol) for protocol in PROTOCOLS}
        sockets = [_connect_tls(peer, protocol, contexts[protocol]) for protocol, peer in running for _ in range(count)]
        time.sleep(SETTLE)
        found = {protocol: {} for protocol in PROTOCOLS}
        for (protocol, peer), then in zip(running, before):
            found[protocol][peer.name] = _grown(peer, then, count)
        _close(sockets)
    return {"connections": count, "protocols": found}


def _grown(peer, before, count):
    after = peer.memory()
    return {
        "before_kb": before / 1024,
        "after_kb": after / 1024,
        "per_connection_kb": (after - before) / 1024 / count,
    }


def _connect(peer):
    each = socket.create_connection(("127.0.0.1", peer.port), timeout=20)
    _ask(peer, each, WORK.request(peer.port))
    return each


def _ask(peer, each, request):
    each.sendall(request)
    # The answer is far smaller than a segment of loopback.
    if not each.recv(65536).startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"bench: {peer.name} does not serve one of many connections")


def _connect_tls(peer, protocol, context):
    """With a handshake of its own: nothing is resumed."""
    each = context.wrap_socket(
        socket.create_connection(("127.0.0.1", peer.https), timeout=20), server_hostname=certificate.NAME
    )
    if each.selected_alpn_protocol() not in (protocol, None):
        raise SystemExit(f"bench: {peer.name} speaks {each.selected_alpn_protocol()} for {protocol}")
    if protocol == "http/1.1":
        _ask(peer, each, WORK.request(peer.https, certificate.NAME))
        return each
    each.sendall(http2.request(WORK, f"{certificate.NAME}:{peer.https}"))
    answer = http2.Answer()
    while not answer.ended and (data := each.recv(65536)):
        answer.feed(data)
    each.sendall(http2.SETTINGS_ACK)
    if not answer.ok:
        raise SystemExit(f"bench: {peer.name} does not serve one of many connections of HTTP/2")
    return each


def _close(sockets):
    for each in sockets:
        each.close()


def _seconds(bench):
    return SETTLE + bench.plan.idle * PER_CONNECTION


def _secure_seconds(bench):
    if not bench.plan.secure:
        return 0
    connections = len(bench.present(secure.PEERS)) * len(PROTOCOLS) * bench.plan.idle_secure
    return 2 * SETTLE + connections * PER_HANDSHAKE
