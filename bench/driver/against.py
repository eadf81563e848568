"""Two builds of Callgate, one against the other, in paired rounds: whether a change has made a request dearer.

In each round both builds are started anew, each with backends of its own, and measured one after the other; the next
round begins with the other one. What the machine does meanwhile meets both alike, and what a process owes to its place in
memory is different in each round. A ratio is the geometric mean of the rounds' ratios, with its 95 % interval.

Instructions are counted besides, where valgrind is installed. They do not depend on what the machine does, so two rounds are enough, and
their ratio is shown with the least and the greatest.
"""

import dataclasses
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

import alternation
import callgrind
import closed
import instructions
from clients import Clients
from measure import Bench
from peers import Starter
from progress import Progress
from report import place
from works import WORKS

ROUNDS = 10
# Student's t for a 95 % interval from so many rounds.
T = 2.262

CONNECTIONS = 64
# With instances of one thread each, and with one worker also on tokio's default runtime.
PEERS = [("callgate", 1), ("callgate", 2), ("callgate_default", 1)]
CELLS = [(work, peer) for peer in PEERS for work in ("quote", "add")]
SIDES = {"proxy_us": "gateway", "backend_us": "backend"}
# Of which instructions are counted.
COUNTED = [peer for peer in PEERS if peer[0] == "callgate"]

# A change must not make a request dearer than this: the whole interval above it is a failure.
MOST = 1.02

# What a round of one build takes beside its works, in seconds.
OVERHEAD = 2


@dataclasses.dataclass(frozen=True)
class Loop:
    """How long one closed loop takes, and its warm-up before, in seconds."""

    seconds: int = 2
    warm_up: float = 0.5


@dataclasses.dataclass(frozen=True)
class Ratio:
    """What the build costs, divided by what the other one does; and the ends of its interval."""

    where: str
    unit: str
    after: float
    before: float
    value: float
    low: float
    high: float

    def holds(self):
        return self.low <= MOST


def run(after, before):
    """Measures both builds, each given by its tools, and returns the ratios."""
    loop = Loop()
    one = OVERHEAD + len(CELLS) * (loop.warm_up + loop.seconds + closed.OVERHEAD)
    builds, taken = [("after", after), ("before", before)], {}
    with tempfile.TemporaryDirectory(prefix="callgate-bench-") as name:
        folder = pathlib.Path(name)
        bench = Bench(after, loop, folder, Clients(after, folder), Progress(), [])
        bench.progress.expect(ROUNDS * len(builds) * one)
        for number in range(ROUNDS):
            for name, tools in builds[:: -1 if number % 2 else 1]:
                bench.progress.step(f"round {number + 1} of {ROUNDS}: {name}", one)
                for cell, done in _measure(bench, tools, bench.fleet(f"{number}-{name}")):
                    taken.setdefault(cell, {}).setdefault(name, []).append(done)
        bench.progress.end()
    return [_ratio(cell, side, rounds) for cell, rounds in taken.items() for side in SIDES]


def _measure(bench, tools, fleet):
    """A round of one build: its cells with what each has cost. The gateways sleep while they are not asked."""
    with fleet:
        starter = Starter(tools, fleet)
        running = {peer: starter.start(*peer) for peer in PEERS}
        for work, peer in CELLS:
            done = closed.measure(bench, running[peer], WORKS[work], CONNECTIONS)
            if done["errors"]:
                raise SystemExit(f"bench: {done['errors']} requests of {work} failed")
            yield (work, peer), done


def _ratio(cell, side, rounds):
    work, (peer, workers) = cell
    after, before = ([one[side] for one in rounds[name]] for name in ("after", "before"))
    value, low, high = interval([ours / theirs for ours, theirs in zip(after, before)])
    runtime = ", default runtime" if peer == "callgate_default" else ""
    where = f"{place(work, CONNECTIONS, workers)}{runtime}: {SIDES[side]}"
    return Ratio(where, "µs", statistics.median(after), statistics.median(before), value, low, high)


def count(after, before):
    """The ratios of instructions per request, of the gateway's workers; none where there is no valgrind."""
    if not callgrind.present():
        print("bench: valgrind is not installed, so instructions are not counted", file=sys.stderr)
        return []
    taken = {}
    with instructions.started(after) as bench:
        bench.progress.expect(instructions.ROUNDS * 2 * len(COUNTED) * 3 * instructions.START)
        for number in range(instructions.ROUNDS):
            for name, tools in [("after", after), ("before", before)][:: -1 if number % 2 else 1]:
                for workers in (workers for _, workers in COUNTED):
                    bench.progress.step(f"counting {number + 1} of {instructions.ROUNDS}: {name}", 3 * instructions.START)
                    for work, found in _count(bench, tools, workers):
                        taken.setdefault((work, workers), {}).setdefault(name, []).append(found)
        bench.progress.end()
    return [_counted(cell, rounds) for cell, rounds in taken.items()]


def _count(bench, tools, workers):
    """A count of one build."""

    def start(fleet, under):
        peer = Starter(tools, fleet, under=under).start("callgate", workers)
        return {work: alternation.Way(peer, WORKS[work]) for work in ("quote", "add")}

    with instructions.under_callgrind(bench, start) as (ways, counter):
        for work, way in ways.items():
            yield work, instructions.count(bench, way, counter)[0]["worker"]


def _counted(cell, rounds):
    work, workers = cell
    after, before = rounds["after"], rounds["before"]
    ratios = [ours / theirs for ours, theirs in zip(after, before)]
    where = f"{place(work, CONNECTIONS, workers)}: gateway"
    value = statistics.geometric_mean(ratios)
    return Ratio(where, "instructions", statistics.median(after), statistics.median(before), value, min(ratios), max(ratios))


def interval(ratios):
    """The geometric mean of ratios, and the ends of its 95 % interval."""
    logs = [math.log(ratio) for ratio in ratios]
    mean, spread = statistics.mean(logs), T * statistics.stdev(logs) / math.sqrt(len(logs))
    return tuple(math.exp(end) for end in (mean, mean - spread, mean + spread))


def text(ratios, folders):
    """The ratios as a table, and what the two builds are."""
    after, before = (_described(folder) for folder in folders)
    lines = [f"Cost of a request of {after} ÷ {before}; of {ROUNDS} paired rounds of CPU time, and of {instructions.ROUNDS} counts:", ""]
    width = max(len(ratio.where) for ratio in ratios)
    for ratio in ratios:
        verdict = "holds" if ratio.holds() else f"DOES NOT HOLD: above {MOST}"
        figures = f"{ratio.value:.3f}  ({ratio.low:.3f} to {ratio.high:.3f})"
        after, before = (f"{cost:6.2f}" if ratio.unit == "µs" else f"{cost:6,.0f}" for cost in (ratio.after, ratio.before))
        costs = f"{after} {ratio.unit}, was {before}"
        lines.append(f"  {ratio.where:<{width}}  {figures}  {costs}  {verdict}")
    return "\n".join(lines)


def _described(folder):
    """A checkout's commit, with a plus where it has changes beside it."""
    git = ["git", "-C", str(folder), "describe", "--always", "--dirty=+"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return done.stdout.strip() or str(folder)
