"""The large table: what it costs a request, how long a reload takes, and what a reload each second does to the tail."""

import json
import threading
import time

import clients
import closed
import openloop
from peers import Starter, demo_table
from stats import figure, figures
from works import COMMON, WORKS

START = 12
WORK = WORKS["quote"]
CONNECTIONS = 64
SMALL_ROUTES = 10
FILES = 10


def expected(bench):
    """How long the stage will take, in seconds."""
    plan = bench.plan
    loops = plan.warm_up + plan.seconds + plan.reload_seconds + 2 * openloop.OVERHEAD
    return START + plan.reloads * 0.5 + 2 * plan.table_rounds * loops


def run(bench, results):
    """All of it, against a small table of the same backends in a gateway of its own."""
    plan, rate = bench.plan, openloop.half_of_the_slowest(results)
    with bench.fleet("table") as fleet:
        bench.progress.step(f"starting {plan.endpoints} endpoints", START)
        starter = Starter(bench.tools, fleet)
        addresses, shops = starter.shops()
        filler = _fillers(starter, plan.endpoints - len(addresses))
        small = Table(fleet.folder / "small", addresses, filler[:1], SMALL_ROUTES)
        large = Table(fleet.folder / "large", addresses, filler, plan.routes)
        gateways = {}
        for name, table in (("small", small), ("large", large)):
            gateways[name] = starter.callgate(1, table=(table.folder, shops))
            gateways[name].check(COMMON)
        reload_ms = [_reload(bench, gateways["large"], large) for _ in range(plan.reloads)]
        costs = _costs(bench, gateways)
        tails = _tails(bench, gateways["large"], large, rate)
    size = {"routes": plan.routes, "endpoints": plan.endpoints, "rate": rate}
    return {"table": {**size, "reload_ms": figure(reload_ms), **costs, **tails}}


class Table:
    """A table's files: the demo's, and as many routes and backends more as are wanted."""

    def __init__(self, folder, addresses, filler, routes):
        self.folder = folder
        self.version = 0
        folder.mkdir()
        demo = demo_table(addresses).replace("[[routes]]\n", '[[routes]]\nbackend = "shop"\n')
        self._write("shop.toml", demo)
        backends = [f'[backends.b{number}]\nendpoints = ["{a}", "{b}"]\n' for number, (a, b) in enumerate(filler)]
        self._write("backends.toml", "\n".join(backends))
        more = [_route(number, len(filler)) for number in range(routes - demo.count("[[routes]]"))]
        for number in range(FILES):
            self._write(f"routes-{number}.toml", "\n".join(more[number::FILES]))

    def change(self):
        """Makes it another table: one route's timeout is a different one."""
        self.version += 1
        route = _route("changing", 1) + f'timeout = "{1 + self.version % 2}s"\n'
        self._write("changing.toml", route)

    def _write(self, name, text):
        # Never a file cut short, which could hold; names with a full stop in front are not looked at.
        draft = self.folder / f".{name}"
        draft.write_text(text, "utf-8")
        draft.rename(self.folder / name)


def _route(number, backends):
    backend = number % backends if isinstance(number, int) else 0
    match = f"GET /v1/tenants/t{backend}/orders-{number}/{{order_id}}"
    return f'[[routes]]\nmatch = "{match}"\ncall = "orders.get"\nbackend = "b{backend}"\n'


def _fillers(starter, endpoints):
    """Pairs of addresses, on which two processes listen: addresses of loopback are many."""
    port = starter.fleet.port()
    pairs = []
    for number in range(endpoints // 2):
        high, low = divmod(number, 250)
        pairs.append((f"127.1.{high}.{low + 1}:{port}", f"127.2.{high}.{low + 1}:{port}"))
    for side in zip(*pairs):
        starter.shop(side)
    return pairs


def _reload(bench, gateway, table):
    """Changes the table and has it taken up; returns how long that took in milliseconds."""
    bench.progress.step("reloading the large table", 0.5)
    taken = _changed(gateway, table)
    # The watcher has seen the change too, and looks at it when it has been quiet; that shall not meet the next one.
    time.sleep(0.3)
    return taken


def _changed(gateway, table):
    table.change()
    begun = time.monotonic()
    status, body = clients.ask(gateway.admin, "POST", "/-/reload", timeout=30)
    if status != 200 or json.loads(body).get("outcome") != "ok":
        raise SystemExit(f"bench: a reload is answered with {status}: {body[:500]}")
    return (time.monotonic() - begun) * 1000


def _costs(bench, gateways):
    """CPU per request with the small and with the large table, in turn."""
    plan, taken = bench.plan, {name: [] for name in gateways}
    for number in range(plan.table_rounds):
        for name, gateway in gateways.items():
            label = f"the {name} table, round {number + 1}"
            bench.progress.step(label, plan.warm_up + plan.seconds + openloop.OVERHEAD)
            one = closed.measure(bench, gateway, WORK, CONNECTIONS)
            taken[name].append({key: one[key] for key in ("proxy_us", "rps", "memory_kb")})
    return {name: figures(rounds) for name, rounds in taken.items()}


def _tails(bench, gateway, table, rate):
    """Latency in an open loop, left alone and with a reload each second, in turn."""
    plan, taken = bench.plan, {"steady": [], "reloading": []}
    for number in range(plan.table_rounds):
        for name, rounds in taken.items():
            label = f"the large table, {name}, round {number + 1}"
            bench.progress.step(label, plan.reload_seconds + openloop.OVERHEAD)
            reloads = Reloads(gateway, table) if name == "reloading" else None
            rounds.append(openloop.latencies(bench, gateway, rate, plan.reload_seconds))
            if reloads:
                reloads.end()
    return {name: figures(rounds) for name, rounds in taken.items()}


class Reloads(threading.Thread):
    """A reload each second, beginning after half a second."""

    def __init__(self, gateway, table):
        super().__init__(daemon=True)
        self.gateway = gateway
        self.table = table
        self.over = threading.Event()
        self.failure = None
        self.start()

    def run(self):
        wait = 0.5
        while not self.over.wait(wait):
            wait = 1
            try:
                _changed(self.gateway, self.table)
            except (OSError, SystemExit) as failure:
                self.failure = failure
                return

    def end(self):
        self.over.set()
        self.join(60)
        if self.failure:
            raise self.failure
