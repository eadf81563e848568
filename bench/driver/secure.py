"""TLS and HTTP/2: closed loops over each transport, and handshakes; in interleaved rounds, as in `closed`."""

import certificate
from closed import OVERHEAD, costs, rotated
from peers import LABELS, Starter
from report import secure_place
from stats import figures
from works import WORKS

# Those that speak all of it, with the same key, suite and group, and with stateless tickets.
PEERS = ("nginx", "envoy", "callgate")
START = 8
# How a connection's keys come about.
HANDSHAKES = ("full", "resumed")


def expected(bench):
    """How long the stage will take, in seconds."""
    plan, peers = bench.plan, len(bench.present(PEERS))
    loops = sum(cell.rounds for cell in plan.secure) * _loop_seconds(plan)
    return START + peers * (loops + plan.handshake_rounds * len(HANDSHAKES) * _handshake_seconds(plan))


def run(bench, _results):
    """All of it, in one fleet."""
    shown = certificate.make(bench.folder / "certificate")
    with bench.fleet("secure") as fleet:
        bench.progress.step("TLS and HTTP/2: starting the peers", START)
        starter = Starter(bench.tools, fleet, shown)
        running = {name: starter.start(name) for name in bench.present(PEERS)}
        cells = _loops(bench, running, shown)
        handshakes = _handshakes(bench, running, shown)
    return {"secure": {"cells": cells, "handshakes": handshakes}}


def _loops(bench, running, shown):
    plan, taken = bench.plan, {}
    for number in range(max(cell.rounds for cell in plan.secure)):
        for cell in plan.secure:
            if number >= cell.rounds:
                continue
            for name in rotated(list(running), number):
                bench.progress.step(f"round {number + 1}: {LABELS[name]}, {secure_place(cell)}", _loop_seconds(plan))
                one = _measure(bench, running[name], cell, shown)
                taken.setdefault((cell, name), []).append(one)
    return [_result(cell, name, rounds) for (cell, name), rounds in taken.items()]


def _measure(bench, peer, cell, shown):
    """One round of one peer. The warm-up makes its connections to its service."""
    bench.clients.warm(peer, WORKS[cell.work], 64, bench.plan.warm_up)
    return costs(peer, lambda: bench.clients.secure(peer, cell, bench.plan.seconds, shown))


def _result(cell, name, rounds):
    errors = sum(one.pop("errors") for one in rounds)
    place = {"peer": name, "work": cell.work, "transport": cell.transport}
    return {**place, "connections": cell.connections, "streams": cell.streams, "errors": errors, **figures(rounds)}


def _handshakes(bench, running, shown):
    """CPU of the proxy for each handshake, in microseconds."""
    plan, taken = bench.plan, {how: {name: [] for name in running} for how in HANDSHAKES}
    for number in range(plan.handshake_rounds):
        for how, peers in taken.items():
            for name in rotated(list(running), number):
                bench.progress.step(f"{how} handshakes: {LABELS[name]}", _handshake_seconds(plan))
                peers[name].append(_shake(bench, running[name], how, shown))
    return {how: {name: figures(rounds) for name, rounds in peers.items()} for how, peers in taken.items()}


def _shake(bench, peer, how, shown):
    before, _ = peer.cpu()
    done = bench.clients.handshakes(peer, how, bench.plan.handshake_seconds, shown)
    after, _ = peer.cpu()
    if how == "resumed" and done["resumed"] < done["handshakes"]:
        raise SystemExit(f"bench: {peer.name} has resumed {done['resumed']} of {done['handshakes']} connections")
    return {"proxy_us": (after - before) / max(1, done["handshakes"]) * 1e6}


def _loop_seconds(plan):
    return plan.warm_up + plan.seconds + OVERHEAD


def _handshake_seconds(plan):
    return plan.handshake_seconds + OVERHEAD
