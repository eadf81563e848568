"""Latency of short calls beside what is long: a stream whose reader pauses, and bodies of a MiB, up and down.

All of it goes over the gateway's one connection to the backend. The short calls come at a fixed rate. Rounds alternate, and the 99th percentile of each is divided
by that of the calls alone in the same round."""

import contextlib
import http.client
import socket
import threading
import time

import configs
from closed import rotated
from peers import Starter
from stats import figure, figures
from works import MIB, WORKS, count

WORK = WORKS["quote"]
CONNECTIONS = 16
RATE = 1_000
SECONDS = 1
# What starting the client takes, in seconds.
OVERHEAD = 0.3
START = 3
# So many bodies of a MiB in a second.
BODIES = 50
STREAM = count("paused", "a stream that nobody reads on", 1_000_000)
# Enough of it that its method has begun, and that it goes on until all windows are full.
READ = 64 * 1024
ALONE = "alone"


@contextlib.contextmanager
def alone(_peer):
    yield


@contextlib.contextmanager
def paused(peer):
    """A reader that takes the beginning of a million items, and no more."""
    with socket.create_connection(("127.0.0.1", peer.port), timeout=10) as connection:
        connection.sendall(STREAM.request(peer.port))
        left = READ
        while left > 0:
            come = connection.recv(left)
            if not come:
                raise SystemExit("bench: the stream ended before its reader paused")
            left -= len(come)
        yield


def bodies(work):
    """A client that sends one such request after the other, at a fixed rate."""

    @contextlib.contextmanager
    def going(peer):
        over, failed = threading.Event(), []

        def ask():
            connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=10)
            due = time.monotonic()
            while not over.wait(max(0, due - time.monotonic())):
                due += 1 / BODIES
                headers = {"Content-Type": work.content_type} if work.body else {}
                connection.request(work.method, work.path, work.body or None, headers)
                answer = connection.getresponse()
                if not work.is_answered_by(answer.read()):
                    failed.append(answer.status)
            connection.close()

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        if failed:
            raise SystemExit(f"bench: {len(failed)} bodies failed beside short calls: {failed[:3]}")

    return going


WAYS = {
    ALONE: alone,
    "a stream whose reader pauses": paused,
    f"{BODIES} MiB/s up": bodies(WORKS["put"]),
    f"{BODIES} MiB/s down": bodies(WORKS["get"]),
}
assert len(WORKS["put"].body) == MIB


def expected(bench):
    """How long the stage will take, in seconds."""
    return START + len(WAYS) * bench.plan.beside_rounds * (SECONDS + OVERHEAD)


def run(bench, _results):
    """Every way, in each round."""
    taken = {way: [] for way in WAYS}
    with bench.fleet("beside") as fleet:
        bench.progress.step("beside: starting the gateway", START)
        starter = Starter(bench.tools, fleet, routes=configs.CALLGATE_ROUTES)
        peer = starter.start("callgate", 1, (WORK, WORKS["put"], WORKS["get"]))
        for number in range(bench.plan.beside_rounds):
            for way in rotated(list(WAYS), number):
                bench.progress.step(f"round {number + 1}: short calls, {way}", SECONDS + OVERHEAD)
                with WAYS[way](peer):
                    taken[way].append(_round(bench, peer))
    found = {way: figures(rounds) for way, rounds in taken.items()}
    for way, rounds in taken.items():
        found[way]["p99_ratio"] = figure([one["p99_us"] / none["p99_us"] for one, none in zip(rounds, taken[ALONE])])
    return {"beside": {"rate": RATE, "ways": found}}


def _round(bench, peer):
    done = bench.clients.open(peer, WORK, CONNECTIONS, SECONDS, RATE)
    if done["errors"] or done["unanswered"]:
        raise SystemExit(f"bench: short calls failed: {done}")
    return {key: done[key] for key in ("p50_us", "p99_us", "p999_us")}
