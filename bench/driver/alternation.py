"""What a little more costs a request, where the machine's speed changes by more from second to second.

Rounds are many and short: each measures all ways right after each other, for a quarter of a second, and differences are taken within
a round."""

import dataclasses
from typing import Callable, Optional

from closed import costs, rotated
from peers import LABELS, Peer
from stats import figure, figures
from works import Work

CONNECTIONS = 64
SECONDS = 0.25
# What it takes beside to start the client.
OVERHEAD = 0.1


@dataclasses.dataclass(frozen=True)
class Way:
    """A peer that is asked something; `before` each of its rounds that is done."""

    peer: Peer
    work: Work
    before: Optional[Callable[[], None]] = None


def expected(ways, rounds):
    """How long so many ways take, in seconds."""
    return ways * (1 + rounds * (SECONDS + OVERHEAD))


def measure(bench, ways, rounds):
    """The rounds of each way, of some peers by their names."""
    for each in ways.values():
        for way in each.values():
            bench.clients.warm(way.peer, way.work, CONNECTIONS, 1)
    taken = {name: {way: [] for way in each} for name, each in ways.items()}
    for number in range(rounds):
        for name, each in ways.items():
            for label in rotated(list(each), number):
                bench.progress.step(f"round {number + 1}: {LABELS[name]}, {label}", SECONDS + OVERHEAD)
                taken[name][label].append(_round(bench, each[label]))
    return taken


def _round(bench, way):
    if way.before:
        way.before()
    done = {}

    def load():
        done.update(bench.clients.short(way.peer, way.work, CONNECTIONS, SECONDS))
        return done

    workers = way.peer.worker_cpu()
    found = costs(way.peer, load)
    workers = way.peer.worker_cpu() - workers
    if done["errors"]:
        raise SystemExit(f"bench: {done['errors']} requests of {way.work.name} failed with {way.peer.name}")
    worker_us = workers / max(1, done["requests"]) * 1e6
    return {"proxy_us": found["proxy_us"], "worker_us": worker_us, "rps": found["rps"]}


def added(ways, base, key="proxy_us"):
    """Each way's figures, and by how much its rounds were dearer than those of the way `base`."""
    found = {}
    for way, rounds in ways.items():
        more = [one[key] - none[key] for one, none in zip(rounds, ways[base])]
        found[way] = {**figures(rounds), "added_us": figure(more)}
    return found
