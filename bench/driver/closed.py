"""Closed loops: throughput, CPU per request and latency of every peer in every cell, in interleaved rounds."""

import configs
from peers import LABELS, Starter
from report import place
from stats import figures
from works import WORKS

# Beside warm-up and measurement, what one round of one peer takes, and what starting everything takes, in seconds.
OVERHEAD = 0.2
START = 6


def expected(bench):
    """How long the stage will take, in seconds."""
    rounds = sum(cell.rounds * len(bench.present(cell.peers)) for cell in bench.plan.cells)
    return START + rounds * _round_seconds(bench.plan)


def run(bench, _results):
    """Measures all cells, in interleaved rounds."""
    plan, taken = bench.plan, {}
    with bench.fleet("closed") as fleet:
        bench.progress.step("starting the peers", START)
        running = _start(bench, fleet)
        for number, cell, name in _schedule(bench):
            where = place(cell.work, cell.connections, cell.workers)
            bench.progress.step(f"round {number + 1}: {LABELS[name]}, {where}", _round_seconds(plan))
            one = measure(bench, running[name, cell.workers], WORKS[cell.work], cell.connections)
            taken.setdefault((cell, name), []).append(one)
    return {"cells": [_result(cell, name, rounds) for (cell, name), rounds in taken.items()]}


def _schedule(bench):
    """Round by round, in each round cell by cell, in each cell peer by peer, beginning with another one each round:
    what changes on the machine in the meantime meets all peers alike."""
    cells = bench.plan.cells
    for number in range(max(cell.rounds for cell in cells)):
        for cell in cells:
            if number < cell.rounds:
                for name in rotated(bench.present(cell.peers), number):
                    yield number, cell, name


def measure(bench, peer, work, connections):
    """One round of one peer."""
    bench.clients.warm(peer, work, connections, bench.plan.warm_up)
    return costs(peer, lambda: bench.clients.closed(peer, work, connections, bench.plan.seconds), work.units)


def costs(peer, load, units=1):
    """What `load`, which says what came of its requests, has cost the peer: each unit, of which a request has so many."""
    before = peer.cpu()
    done = load()
    proxy, backend = (after - then for after, then in zip(peer.cpu(), before))
    counted = max(1, done["requests"]) * units
    return {
        "rps": done["requests"] * units / done["seconds"],
        "p50_us": done["p50_us"],
        "p99_us": done["p99_us"],
        "p999_us": done["p999_us"],
        "proxy_us": proxy / counted * 1e6,
        "backend_us": backend / counted * 1e6,
        "both_us": (proxy + backend) / counted * 1e6,
        "memory_kb": peer.memory() / 1024,
        "errors": done["errors"],
    }


def _start(bench, fleet):
    """Every peer with every number of workers that a cell asks for. Those that are not asked anything sleep."""
    wanted = {}
    for cell in bench.plan.cells:
        for name in bench.present(cell.peers):
            wanted.setdefault((name, cell.workers), {})[cell.work] = WORKS[cell.work]
    starter = Starter(bench.tools, fleet, routes=configs.CALLGATE_ROUTES)
    return {peer: starter.start(*peer, works.values()) for peer, works in sorted(wanted.items())}


def _result(cell, name, rounds):
    errors = sum(one.pop("errors") for one in rounds)
    place = {"peer": name, "work": cell.work, "connections": cell.connections, "workers": cell.workers}
    return {**place, "errors": errors, **figures(rounds)}


def rotated(names, by):
    """The names, beginning with another one each round."""
    by %= len(names) or 1
    return names[by:] + names[:by]


def _round_seconds(plan):
    return plan.warm_up + plan.seconds + OVERHEAD
