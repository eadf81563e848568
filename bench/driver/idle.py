"""Memory of idle keep-alive connections."""

import socket
import time

from peers import GATEWAYS, LABELS, Starter
from works import WORKS

# Opening and asking once takes so long for a connection, in seconds.
PER_CONNECTION = 0.0004
# Until what only the start or the requests needed has gone back to the system, in seconds: allocators keep what is
# freed for a while (jemalloc for ten, counted from when Callgate has seen that a connection rests), and connections are idle for longer.
SETTLE = 25


def expected(bench):
    """How long the stage will take, in seconds."""
    return SETTLE + len(bench.present(GATEWAYS)) * _seconds(bench)


def run(bench, _results):
    """Opens connections, sends one request on each, and looks what the process has grown by. The gateways are started
    anew for it: what a loaded one has freed would be used again, and hide the growth. What the kernel keeps for the
    sockets is the same for all and not counted."""
    count, found = bench.plan.idle, {}
    with bench.fleet("idle") as fleet:
        bench.progress.step("idle connections: starting the gateways", SETTLE)
        starter = Starter(bench.tools, fleet)
        running = [starter.start(name) for name in bench.present(GATEWAYS)]
        time.sleep(SETTLE)
        for peer in running:
            bench.progress.step(f"{count:,} idle connections: {LABELS[peer.name]}", _seconds(bench))
            found[peer.name] = _measure(peer, count)
    return {"idle": {"connections": count, "peers": found}}


def _measure(peer, count):
    before = peer.memory()
    sockets = _connect(peer, count)
    try:
        time.sleep(SETTLE)
        after = peer.memory()
    finally:
        for each in sockets:
            each.close()
    return {
        "before_kb": before / 1024,
        "after_kb": after / 1024,
        "per_connection_kb": (after - before) / 1024 / count,
    }


def _connect(peer, count):
    request = WORKS["quote"].request(peer.port)
    sockets = []
    for _ in range(count):
        each = socket.create_connection(("127.0.0.1", peer.port), timeout=20)
        sockets.append(each)
        each.sendall(request)
        # The answer is far smaller than a segment of loopback.
        if not each.recv(65536).startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"bench: {peer.name} does not serve connection {len(sockets)}")
    return sockets


def _seconds(bench):
    return SETTLE + bench.plan.idle * PER_CONNECTION
