"""What must hold: ratios of medians within one run, each with what it must reach and what it aims at."""

from results import cell
from stats import median

# What a way of a stage may add to a request in microseconds: must and aim.
ADDED = (
    ("credentials", "jwt", "a cached JWT adds CPU µs", 0.5, 0.3),
    ("credentials", "api_key", "an API key adds CPU µs", 0.4, 0.2),
    ("credentials", "rule", "a rule of two comparisons adds CPU µs", 0.4, 0.2),
    ("observed", "a line for each", "a line of the access log for each request adds CPU µs of workers", 0.5, 0.3),
    ("observed", "spans of 1 %", "spans of 1 % of requests add CPU µs of workers", 0.1, 0.05),
    ("observed", "the last 10,000 requests", "the last 10,000 requests kept for a plan add CPU µs of workers", 0.1, 0.05),
)
# What a cached JWT may add, divided by what it adds in Envoy.
TO_ENVOY = (0.25, 0.1)


def of(results):
    """All of them, as rows. A ratio is none where one of its figures was not measured."""
    return [
        row("CPU per request ÷ nginx's", _proxy(results, "nginx"), 0.61, 0.53),
        row("CPU per request ÷ Envoy transcoder's", _proxy(results, "envoy"), 0.101, 0.088),
        row("CPU per request ÷ the floor's", _proxy(results, "floor"), 1.72, 1.50),
        row("gateway + backend ÷ no gateway at all", _both(results, "quote"), 1.15, 1.10),
        row("60 KB quote: ÷ Envoy's", _proxy(results, "envoy", "large"), 1 / 8, 1 / 14),
        row("60 KB quote: gateway + backend ÷ no gateway", _both(results, "large"), 0.70, 0.60),
        row("default runtime: gateway + backend ÷ no gateway", _both(results, "quote", "_default"), 1.15, 1.0),
        row("default runtime, 60 KB: gateway + backend ÷ no gateway", _both(results, "large", "_default"), 0.70, 0.6),
        row("instance: default runtime ÷ one thread", _instance(results, "quote"), 1.25, 1.1),
        row("instance, GET calc/add: default runtime ÷ one thread", _instance(results, "add"), 1.25, 1.1),
        row("two workers: CPU per request ÷ one worker's", _workers(results), 1.10, 1.0),
        row("one connection: p50 added ÷ what nginx adds", _added(results), 0.88, 0.70),
        row("open loop: p99 ÷ nginx's", _tail(results), 0.95, 0.80),
        row("stream: CPU per item ÷ Envoy transcoder's", _proxy(results, "envoy", "count", 4), 1 / 5, 1 / 10),
        row("1 MiB up: CPU per MiB ÷ nginx's", _proxy(results, "nginx", "put", 4), 1.2, 1.0),
        row("1 MiB down: CPU per MiB ÷ nginx's", _proxy(results, "nginx", "get", 4), 1.2, 1.0),
        row("p99 beside a stream whose reader pauses ÷ alone", _beside(results, "a stream whose reader pauses"), 1.2, 1.0),
        row("memory per idle connection, KB", _idle(results), 1.2, 0.6),
        row("10,000 routes ÷ 10: CPU per request", _table(results), 1.05, 1.0),
        row("p99 with a reload each second ÷ without", _reloading(results), 1.2, 1.0),
        row("TLS 1.3 keep-alive: CPU per request ÷ nginx's", _secure(results, "https", "nginx"), 0.75, 0.6),
        row("HTTP/2 over TLS, 64 streams: ÷ Envoy transcoder's", _secure(results, "h2", "envoy"), 0.15, 0.1),
        row("HTTP/2 over TLS, 64 streams: ÷ nginx's", _secure(results, "h2", "nginx"), 0.8, 0.8),
        row("HTTP/2 without TLS, 64 streams: ÷ Envoy transcoder's", _secure(results, "h2c", "envoy"), 0.15, 0.1),
        row("HTTP/2 without TLS, 64 streams: ÷ nginx's", _secure(results, "h2c", "nginx"), 0.8, 0.8),
        row("memory per idle TLS connection, KB", _idle_secure(results, "http/1.1"), 16, 10),
        row("memory per idle connection of HTTP/2 over TLS, KB", _idle_secure(results, "h2"), 40, 24),
        *(row(name, _added_by(results, stage, way), must, aim) for stage, way, name, must, aim in ADDED),
        row("a cached JWT: CPU added ÷ what Envoy's jwt_authn adds", _checks(results), *TO_ENVOY),
    ]


def row(name, value, must, aim):
    reached = None
    if value is not None:
        reached = "aim" if value <= aim else "must" if value <= must else "no"
    return {"name": name, "value": value, "must": must, "aim": aim, "reached": reached}


def _median(results, peer, key, work="quote", connections=64, workers=1):
    found = cell(results, peer, work, connections, workers)
    return median(found[key]) if found else None


def _divided(value, by):
    return value / by if value is not None and by else None


def _proxy(results, peer, work="quote", connections=64):
    ours, theirs = (_median(results, name, "proxy_us", work, connections) for name in ("callgate", peer))
    return _divided(ours, theirs)


def _both(results, work, runtime=""):
    """`runtime` is what the peers' names have behind them: of both services."""
    ours, theirs = (_median(results, name + runtime, "both_us", work) for name in ("callgate", "plain"))
    return _divided(ours, theirs)


def _instance(results, work):
    one, default = (_median(results, name, "backend_us", work) for name in ("callgate", "callgate_default"))
    return _divided(default, one)


def _workers(results):
    one, two = (_median(results, "callgate", "proxy_us", workers=workers) for workers in (1, 2))
    return _divided(two, one)


def _added(results):
    plain, ours, theirs = (_median(results, name, "p50_us", connections=1) for name in ("plain", "callgate", "nginx"))
    if None in (plain, ours, theirs):
        return None
    return _divided(ours - plain, theirs - plain)


def _tail(results):
    peers = results["open"]["peers"]
    ours, theirs = (peers.get(name) for name in ("callgate", "nginx"))
    return _divided(median(ours["p99_us"]), median(theirs["p99_us"])) if ours and theirs else None


def _idle(results):
    found = results["idle"]["peers"].get("callgate")
    return found["per_connection_kb"] if found else None


def _secure(results, transport, peer):
    """Of the cell with 64 requests at once."""
    found = {}
    for each in results.get("secure", {}).get("cells", []):
        if (each["work"], each["transport"], each["connections"] * each["streams"]) == ("quote", transport, 64):
            found[each["peer"]] = median(each["proxy_us"])
    return _divided(found.get("callgate"), found.get(peer))


def _added_by(results, stage, way, peer="callgate"):
    """What it adds to a request, in microseconds."""
    found = results.get(stage, {}).get(peer, {}).get(way)
    return median(found["added_us"]) if found else None


def _beside(results, way):
    """By how much short calls are slower beside something long."""
    found = results.get("beside", {}).get("ways", {}).get(way)
    return median(found["p99_ratio"]) if found else None


def _checks(results):
    return _divided(*(_added_by(results, "credentials", "jwt", peer) for peer in ("callgate", "envoy")))


def _idle_secure(results, protocol):
    protocols = results.get("idle_secure", {}).get("protocols", {})
    found = protocols.get(protocol, {}).get("callgate")
    return found["per_connection_kb"] if found else None


def _table(results):
    table = results["table"]
    return _divided(median(table["large"]["proxy_us"]), median(table["small"]["proxy_us"]))


def _reloading(results):
    table = results["table"]
    return _divided(median(table["reloading"]["p99_us"]), median(table["steady"]["p99_us"]))
