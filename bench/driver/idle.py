"""Memory of idle keep-alive connections."""

import socket
import time

from peers import GATEWAYS, LABELS, Starter
from works import WORKS

# Opening and asking once takes so long for a connection, starting and settling for a gateway, in seconds.
PER_CONNECTION = 0.0004
PER_GATEWAY = 4
# How long a gateway has to free what only the request needed, in seconds.
SETTLE = 1.5


def expected(bench):
    """How long the stage will take, in seconds."""
    return len(bench.present(GATEWAYS)) * _seconds(bench)


def run(bench, _results):
    """Opens connections, sends one request on each, and looks what the process has grown by. Each gateway is started
    anew for it: what a loaded one has freed would be used again, and hide the growth. What the kernel keeps for the
    sockets is the same for all and not counted."""
    count, found = bench.plan.idle, {}
    for name in bench.present(GATEWAYS):
        bench.progress.step(f"{count} idle connections: {LABELS[name]}", _seconds(bench))
        with bench.fleet(f"idle-{name}") as fleet:
            peer = Starter(bench.tools, fleet).start(name)
            time.sleep(SETTLE)
            before = peer.memory()
            sockets = _connect(peer, count)
            try:
                time.sleep(SETTLE)
                after = peer.memory()
            finally:
                for each in sockets:
                    each.close()
        found[name] = {
            "before_kb": before / 1024,
            "after_kb": after / 1024,
            "per_connection_kb": (after - before) / 1024 / count,
        }
    return {"idle": {"connections": count, "peers": found}}


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
    return PER_GATEWAY + bench.plan.idle * PER_CONNECTION
