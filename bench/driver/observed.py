"""What it costs a request to be seen: a line of the access log for each, and a place among the last requests, against none.

It is the workers' time that counts, in which requests wait: lines are written by a thread of their own, to /dev/null here."""

import dataclasses

import alternation
import clients
import configs
from peers import Starter
from works import ORDER_ID, WORKS

WORK = WORKS["quote"]
START = 3

# What `POST /-/log` is told before each round.
WAYS = {
    "no lines": "failures=false&successes=0%25",
    "failures, the default": "failures=true&successes=0%25",
    "a line for each": "failures=true&successes=100%25",
}
BASE = "no lines"

# Of a second gateway, which has no lines either.
REPLAY = "the last 10,000 requests"
KEEPS = "[replay]\nkeep = 10000\n"


def expected(bench):
    """How long the stage will take, in seconds."""
    return 2 * START + alternation.expected(len(WAYS) + 1, bench.plan.observed_rounds)


def run(bench, _results):
    """Every way, in each round."""
    with bench.fleet("observed") as fleet:
        bench.progress.step("observed: starting the gateway", START)
        peer = Starter(bench.tools, fleet, routes=configs.CALLGATE_ROUTES).start("callgate", 1, (WORK,))
        ways = {"callgate": {way: _way(peer, way, said) for way, said in WAYS.items()}}
        bench.progress.step("observed: starting the gateway that keeps requests", START)
        keeping = Starter(bench.tools, fleet, routes=configs.CALLGATE_ROUTES, settings=KEEPS)
        ways["callgate"][REPLAY] = _way(keeping.start("callgate", 1, (WORK,)), REPLAY, WAYS[BASE])
        taken = alternation.measure(bench, ways, bench.plan.observed_rounds)
    found = {name: alternation.added(each, BASE, "worker_us") for name, each in taken.items()}
    return {"observed": found}


def _way(peer, way, said):
    def tell():
        status, body = clients.ask(peer.admin, "POST", f"/-/log?{said}", b"")
        if status != 200:
            raise SystemExit(f"bench: the access log is not changed: {status} {body[:200]}")

    work = dataclasses.replace(WORK, name=f"quote, {way}")
    return alternation.Way(peer, work, tell)
