"""Instructions per request: what a gateway's workers execute in user space, counted and not timed.

The machine's speed changes by more than a check costs; a count does not depend on it. Each gateway is started anew for each of two counts,
under callgrind, and its ways are counted one after the other, when they have run for a while. Instructions in the kernel are not seen.

What an instruction takes is measured beside: user time of the worker under the same load, without callgrind, divided by the instructions."""

import contextlib
import dataclasses
import pathlib
import re
import shutil
import subprocess
import tempfile
from typing import Callable

import alternation
import callgrind
import configs
import credentials
import machine
import observed
from clients import Clients
from measure import Bench
from peers import Starter
from processes import raise_file_limit
from progress import Progress
from stats import figure
from works import COMMON, WORKS

CONNECTIONS = alternation.CONNECTIONS
# Of works that take milliseconds: more of them would come later than their route allows.
SLOW_CONNECTIONS = 4
ROUNDS = 2

# Requests of a count, and before it: more than what is kept of them. But none takes longer than so many seconds.
REQUESTS, BEFORE = 20_000, 12_000
MOST_SECONDS = 40
# The load of which connections and the like are known.
SHORT = 2
# A load is done again when answers were late: at first they wait for seconds, until all is translated.
TRIES = 10

# What each is compared with; works are not compared.
BASES = {"works": None, "credentials": credentials.BASE, "observed": observed.BASE}

# Whose versions are of interest.
NAMED = ("Callgate", "Envoy", "valgrind", "rustc", "tonic")

# What a way and a start take, roughly, in seconds.
START, COUNT = 15, 35
TIMED_ROUNDS, TIMED_SECONDS = 7, 3


@dataclasses.dataclass(frozen=True)
class Group:
    """Ways of one gateway. `start` is given a fleet, and what the gateway is to run by."""

    stage: str
    peer: str
    ways: tuple
    start: Callable


def run(tools, root, commit=None, profiles=None):
    """Counts everything, and returns the results. Profiles of the first round are kept in a folder, if one is named."""
    if not callgrind.present():
        raise SystemExit("bench: valgrind is not installed, so nothing can be counted")
    results = machine.describe(root, tools)
    results["commit"] = commit or results["commit"]
    results["versions"] = {name: version for name, version in results["versions"].items() if name in NAMED}
    with started(tools) as bench, observed.Collector() as collector:
        shown = credentials.make(bench.folder / "token.key")
        groups = [group for group in _groups(bench, shown, collector) if group.peer not in bench.left_out]
        bench.progress.expect(ROUNDS * sum(START + COUNT * len(group.ways) for group in groups) + _timing())
        taken = {}
        for number in range(ROUNDS):
            for group in groups:
                kept = profiles if number == 0 else None
                for way, one in _count_group(bench, group, kept):
                    taken.setdefault((group.stage, group.peer, way), []).append(one)
        results["counts"] = _nested(taken)
        results["time"] = _timed(bench, results["counts"]["works"]["callgate"]["quote"])
        results["seconds"] = round(bench.progress.end())
    return results


@contextlib.contextmanager
def started(tools):
    """What every count needs."""
    raise_file_limit(2 * configs.CLIENTS + 1000)
    with tempfile.TemporaryDirectory(prefix="callgate-bench-") as name:
        folder = pathlib.Path(name)
        yield Bench(tools, None, folder, Clients(tools, folder), Progress(), tools.missing())


def _groups(bench, shown, collector):
    """All gateways, and what each is asked."""

    def works(fleet, under):
        peer = Starter(bench.tools, fleet, under=under).start("callgate")
        return {work.name: alternation.Way(peer, work) for work in COMMON}

    def checked(name):
        return lambda fleet, under: credentials.ways(Starter(bench.tools, fleet, under=under), name, shown)

    def seen(settings):
        return lambda fleet, under: observed.ways(bench.tools, fleet, collector, settings, under)

    yield Group("works", "callgate", tuple(work.name for work in COMMON), works)
    for name, ways in credentials.WAYS.items():
        yield Group("credentials", name, ways, checked(name))
    for settings in observed.SETTINGS:
        ways = tuple(way for way, (_, needed) in observed.WAYS.items() if needed == settings)
        yield Group("observed", "callgate", ways, seen(settings))


def _count_group(bench, group, profiles):
    """Every way of the group with its count."""
    bench.progress.step(f"counting: starting {group.peer}, {group.stage}", START)
    with under_callgrind(bench, group.start) as (ways, counter):
        for name, way in ways.items():
            bench.progress.step(f"counting: {group.peer}, {name}", COUNT)
            one, (requests, threads) = count(bench, way, counter)
            if profiles:
                _keep(threads, profiles, f"{group.stage}-{group.peer}-{name}-{requests}-requests", way.peer.serving)
            yield name, one


@contextlib.contextmanager
def under_callgrind(bench, start):
    """A gateway that is counted, with its ways."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=bench.folder))
    with bench.fleet(f"{folder.name}-fleet") as fleet:
        ways = start(fleet, callgrind.under(folder))
        first = next(iter(ways.values()))
        _ask(bench, first, BEFORE, 5)
        counter = callgrind.Counter(first.peer.proxy[0], folder)
        counter.on()
        yield ways, counter


def count(bench, way, counter):
    """Instructions per request, and the requests and threads of the last load, with their files.

    It is the difference between a long load and a short one, so what both do alike, such as opening connections, is not in it."""
    if way.before:
        way.before()
    rate = _warm(bench, way)
    short, _ = _load(bench, way, counter, SHORT)
    long, threads = _load(bench, way, counter, min(MOST_SECONDS, max(2 * SHORT, REQUESTS / rate)))
    return between(short, long), (long["requests"], threads)


def _load(bench, way, counter, seconds):
    """What a load executed, and the threads. One of which answers were late is no count, and is done again."""
    for _ in range(TRIES):
        counter.begin()
        done = bench.clients.short(way.peer, way.work, connections(way.work), seconds)
        threads = counter.end()
        if done["requests"] and not done["errors"]:
            return executed(threads, way.peer.serving, done["requests"]), threads
    raise SystemExit(f"bench: requests of {way.work.name} fail with {way.peer.name} under callgrind: {done}")


def executed(threads, serving, requests):
    """By the threads that serve, whose names begin so, and by all."""
    ours = [(found, blocks) for name, found, blocks, _ in threads if name.startswith(serving)]
    if not any(found for found, _ in ours):
        raise SystemExit(f"bench: no thread is called {serving}…, of {sorted({name for name, *_ in threads})}")
    worker, blocks = (sum(found) for found in zip(*ours))
    process = sum(found for _, found, *_ in threads)
    return {"worker": worker, "process": process, "blocks": blocks, "requests": requests}


def between(short, long):
    """Instructions per request of the requests that the longer load has more."""
    more = long["requests"] - short["requests"]
    if more <= 0:
        raise SystemExit(f"bench: the longer load had no more requests: {long} after {short}")
    return {**{key: (long[key] - short[key]) / more for key in ("worker", "process", "blocks")}, "requests": more}


def connections(work):
    return SLOW_CONNECTIONS if work.slow else CONNECTIONS


def added(ways, base):
    """Each way's figures, and by how much its counts were higher than those of the way `base`."""
    found = {}
    for way, rounds in ways.items():
        found[way] = {key: figure([one[key] for one in rounds]) for key in ("worker", "process", "blocks", "requests")}
        if base and way != base:
            found[way]["added"] = figure([one["worker"] - none["worker"] for one, none in zip(rounds, ways[base])])
    return found


def _warm(bench, way):
    """Until its requests are answered as they must be; returns how many are in a second."""
    for _ in range(TRIES):
        done = _ask(bench, way, 0, 2)
        if done["requests"] and not done["errors"] and not done["unanswered"]:
            return done["requests"] / done["seconds"]
    raise SystemExit(f"bench: requests of {way.work.name} fail with {way.peer.name} under callgrind: {done}")


def _ask(bench, way, requests, tries):
    """Loads of two seconds, until there were so many requests, or so many loads; returns the last."""
    for _ in range(tries):
        done = bench.clients.warm(way.peer, way.work, connections(way.work), 2)
        requests -= done["requests"]
        if requests <= 0:
            break
    return done


def _nested(taken):
    """Stage, peer and way, one within the other, as figures."""
    rounds = {}
    for (stage, peer, way), found in taken.items():
        rounds.setdefault(stage, {}).setdefault(peer, {})[way] = found
    return {stage: {peer: added(ways, BASES[stage]) for peer, ways in peers.items()} for stage, peers in rounds.items()}


def _timing():
    return TIMED_ROUNDS * (TIMED_SECONDS + 1)


def _timed(bench, counted):
    """What one instruction of a quote takes, in user time of the worker, without callgrind."""
    with bench.fleet("timed") as fleet:
        peer, work = Starter(bench.tools, fleet).start("callgate"), WORKS["quote"]
        bench.clients.warm(peer, work, CONNECTIONS, 1)
        rounds = []
        for number in range(TIMED_ROUNDS):
            bench.progress.step(f"timing a quote, round {number + 1}", TIMED_SECONDS + 1)
            before = peer.worker_user(), peer.worker_cpu()
            done = bench.clients.closed(peer, work, CONNECTIONS, TIMED_SECONDS)
            spent = peer.worker_user() - before[0], peer.worker_cpu() - before[1]
            rounds.append([seconds / done["requests"] * 1e6 for seconds in spent])
    user, cpu = (figure([one[at] for one in rounds]) for at in (0, 1))
    ns = user["median"] * 1000 / counted["worker"]["median"]
    return {"user_us": user, "cpu_us": cpu, "ns": ns, "block_us": _block_us()}


def _block_us():
    """What SHA-256 takes for a block of 64 bytes here, by openssl, which uses the processor's instructions as our library does."""
    command = ["openssl", "speed", "-seconds", "1", "-bytes", "16384", "sha256"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    thousands = re.search(r"^sha256\s+([\d.]+)k", done.stdout, re.MULTILINE)
    if not thousands:
        raise SystemExit(f"bench: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return 64 / (float(thousands.group(1)) * 1000) * 1e6


def _keep(threads, folder, name, serving):
    """The workers' profiles, for callgrind_annotate."""
    folder.mkdir(parents=True, exist_ok=True)
    for thread, _, _, file in threads:
        if thread.startswith(serving):
            shutil.copy(file, folder / re.sub(r"[^\w.-]+", "-", f"{name}-{thread}.callgrind"))
