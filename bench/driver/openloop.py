"""Open loops: latency when requests come at a fixed rate, however slow the answers are."""

from peers import GATEWAYS, LABELS, Starter
from results import cell
from stats import figures, median
from works import WORKS

CONNECTIONS = 64
START = 4
# Warm-up, and what starting the client takes, in seconds.
OVERHEAD = 0.5
WORK = WORKS["quote"]
PEERS = ("plain", *GATEWAYS)


def expected(bench):
    """How long the stage will take, in seconds."""
    plan, peers = bench.plan, len(bench.present(PEERS))
    tail = plan.open_rounds * (plan.open_seconds + OVERHEAD)
    curve = plan.curve_rounds * len(plan.curve) * (plan.curve_seconds + OVERHEAD)
    return START + peers * (tail + curve)


def half_of_the_slowest(results):
    """Requests per second: half of what the slowest gateway does in a closed loop."""
    capacities = [_capacity(results, name) for name in GATEWAYS]
    return round(min(capacity for capacity in capacities if capacity) / 2)


def run(bench, results):
    """The tail at one rate for all, and each peer's latency at parts of its own capacity."""
    rate = half_of_the_slowest(results)
    with bench.fleet("open") as fleet:
        bench.progress.step("open loop: starting the peers", START)
        starter = Starter(bench.tools, fleet)
        running = {name: starter.start(name) for name in bench.present(PEERS)}
        tail = _tail(bench, running, rate)
        curve = _curve(bench, running, results)
    return {"open": {"rate": rate, "connections": CONNECTIONS, "peers": tail}, "curve": curve}


def latencies(bench, peer, rate, seconds):
    """One round, behind a short closed loop that makes the peer's connections to its backend."""
    bench.clients.warm(peer, WORK, CONNECTIONS, bench.plan.warm_up)
    done = bench.clients.open(peer, WORK, CONNECTIONS, seconds, rate)
    one = {key: done[key] for key in ("p50_us", "p99_us", "p999_us")}
    return {**one, "errors": done["errors"] + done["unanswered"]}


def _tail(bench, running, rate):
    plan, taken = bench.plan, {name: [] for name in running}
    for number in range(plan.open_rounds):
        for name, peer in running.items():
            label = f"open loop, round {number + 1}: {LABELS[name]}, {rate} requests/s"
            bench.progress.step(label, plan.open_seconds + OVERHEAD)
            taken[name].append(latencies(bench, peer, rate, plan.open_seconds))
    return {name: figures(rounds) for name, rounds in taken.items()}


def _curve(bench, running, results):
    plan, curve = bench.plan, {name: [] for name in running}
    for part in plan.curve:
        for name, peer in running.items():
            rate = round(_capacity(results, name) * part)
            rounds = []
            for _ in range(plan.curve_rounds):
                label = f"latency against load: {LABELS[name]}, {rate} requests/s"
                bench.progress.step(label, plan.curve_seconds + OVERHEAD)
                rounds.append(latencies(bench, peer, rate, plan.curve_seconds))
            curve[name].append({"rate": rate, **figures(rounds)})
    return curve


def _capacity(results, name):
    found = cell(results, name, WORK.name, CONNECTIONS, 1)
    return median(found["rps"]) if found else None
