"""What it costs a request to be seen: a line of the access log for each, a place among the last requests, or spans, against none of these.

It is the workers' time that counts, in which requests wait: lines are written by a thread of their own, to /dev/null here, and spans are sent
by another, to a collector that takes everything."""

import dataclasses
import http.server
import threading

import alternation
import clients
import configs
from peers import Starter
from works import ORDER_ID, WORKS

WORK = WORKS["quote"]
START = 3

# What `POST /-/log` is told before each round, and what gateway.toml says: there is a gateway for each text of it.
NO_LINES = "failures=false&successes=0%25"
SPANS = '[traces]\nendpoint = "{collector}"\nsample = "SAMPLE"\n'
WAYS = {
    "no lines": (NO_LINES, ""),
    "failures, the default": ("failures=true&successes=0%25", ""),
    "a line for each": ("failures=true&successes=100%25", ""),
    "the last 10,000 requests": (NO_LINES, "[replay]\nkeep = 10000\n"),
    "spans of 1 %": (NO_LINES, SPANS.replace("SAMPLE", "1%")),
    "spans of each": (NO_LINES, SPANS.replace("SAMPLE", "100%")),
}
BASE = "no lines"
SETTINGS = tuple(dict.fromkeys(settings for _, settings in WAYS.values()))


def expected(bench):
    """How long the stage will take, in seconds."""
    return len(SETTINGS) * START + alternation.expected(len(WAYS), bench.plan.observed_rounds)


def run(bench, _results):
    """Every way, in each round."""
    with bench.fleet("observed") as fleet, Collector() as collector:
        running = {}
        for number, settings in enumerate(SETTINGS):
            bench.progress.step(f"observed: starting gateway {number + 1}", START)
            running.update(ways(bench.tools, fleet, collector, settings))
        running = {"callgate": {way: running[way] for way in WAYS}}
        taken = alternation.measure(bench, running, bench.plan.observed_rounds)
    found = {name: alternation.added(each, BASE, "worker_us") for name, each in taken.items()}
    return {"observed": found}


def ways(tools, fleet, collector, settings, under=()):
    """The ways of the gateway with these settings, which is started, and ready for them."""
    told = settings.replace("{collector}", collector.url)
    peer = Starter(tools, fleet, routes=configs.CALLGATE_ROUTES, settings=told, under=under).start("callgate", 1, (WORK,))
    return {way: _way(peer, way, said) for way, (said, needed) in WAYS.items() if needed == settings}


def _way(peer, way, said):
    def tell():
        status, body = clients.ask(peer.admin, "POST", f"/-/log?{said}", b"")
        if status != 200:
            raise SystemExit(f"bench: the access log is not changed: {status} {body[:200]}")

    work = dataclasses.replace(WORK, name=f"quote, {way}")
    return alternation.Way(peer, work, tell)


class Takes(http.server.BaseHTTPRequestHandler):
    """Takes what it is sent, and looks at nothing of it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Collector:
    """A collector of spans."""

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Takes)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
