"""The results as text for a terminal, and the same tables as Markdown."""

import dataclasses
import statistics

from peers import LABELS
from stats import median, spread
from works import WORKS

MARKS = {"aim": "aim reached", "must": "holds", "no": "DOES NOT HOLD", None: "not measured"}
TRANSPORTS = {"https": "TLS 1.3, HTTP/1.1", "h2": "TLS 1.3, HTTP/2", "h2c": "HTTP/2 without TLS"}
CHECKED = {"open": "nothing", "jwt": "a JWT, known from before", "api_key": "an API key", "rule": "a rule of two comparisons"}
CHECKING = {"callgate": "Callgate", "envoy": "Envoy, which answers by itself"}
SPOKEN = {"http/1.1": "HTTP/1.1", "h2": "HTTP/2"}
IDLE_COLUMNS = ["peer", "KB a connection", "MB before", "MB with them"]


def text(results):
    """All of it, for a terminal."""
    blocks = []
    for heading, header, rows in tables(results):
        blocks.append(f"\n{heading}\n\n{aligned([header, *rows])}")
    if any(found["errors"] for found in [*results["cells"], *results.get("secure", {}).get("cells", [])]):
        blocks.append("\n! requests failed in these cells; their figures say nothing")
    return "\n".join(blocks) + "\n"


def tables(results):
    """Heading, header and rows of every table, in the order in which they are read."""
    yield "What must hold", ["ratio of medians", "measured", "must", "aim", ""], _ratio_rows(results)
    for heading, cells in _groups(results):
        yield heading, _peer_columns(WORKS[cells[0]["work"]].unit), [_cell_row(found) for found in cells]
    yield from _secure_tables(results)
    yield from _credential_tables(results)
    yield from _observed_tables(results)
    yield from _beside_tables(results)
    tail = results["open"]
    heading = f"Open loop: {tail['rate']:,} requests/s, {place('quote', tail['connections'], 1)}"
    rows = [_latency_row(LABELS[name], found) for name, found in tail["peers"].items()]
    yield heading, ["peer", "p50 µs", "p99 µs", "p99.9 µs"], rows
    idle = results["idle"]
    rows = [_idle_row(name, found) for name, found in idle["peers"].items()]
    yield f"{idle['connections']:,} idle connections", IDLE_COLUMNS, rows
    yield from _idle_secure_tables(results)
    yield from _table_tables(results["table"])


def _secure_tables(results):
    """TLS and HTTP/2: nothing where they were not measured."""
    groups = {}
    for found in results.get("secure", {}).get("cells", []):
        groups.setdefault(secure_place(found), []).append(_cell_row(found))
    for heading, rows in groups.items():
        yield heading, _peer_columns("request"), rows
    shaken = results.get("secure", {}).get("handshakes")
    if shaken:
        columns = [f"{how}, {unit}" for how in shaken for unit in ("per CPU second", "CPU µs")]
        rows = [[LABELS[peer], *_handshake_columns(shaken, peer)] for peer in shaken["full"]]
        yield "TLS 1.3 handshakes", ["peer", *columns], rows


def _credential_tables(results):
    """What checks add: nothing where they were not measured."""
    peers = results.get("credentials", {})
    rows = [
        [f"{CHECKING[peer]}: {CHECKED[way]}", _figure(found["proxy_us"]), *_added(found["added_us"])]
        for peer, ways in peers.items()
        for way, found in ways.items()
    ]
    if rows:
        yield "Credentials and rules: quote, 270 bytes, 64 connections", ["what is checked", "CPU µs proxy", "added", "middle half of rounds"], rows


def _observed_tables(results):
    """What it costs to be seen: nothing where it was not measured."""
    rows = [
        [way, _figure(found["worker_us"]), *_added(found["added_us"])]
        for way, found in results.get("observed", {}).get("callgate", {}).items()
    ]
    if rows:
        yield "Seen by the access log, or by spans: quote, 270 bytes, 64 connections", ["what is seen", "CPU µs of workers", "added", "middle half of rounds"], rows


def _beside_tables(results):
    """Short calls beside what is long: nothing where they were not measured."""
    if found := results.get("beside"):
        heading = f"Beside what is long: quote, 270 bytes, {found['rate']:,} requests/s"
        rows = [[*_latency_row(way, each), _number(median(each["p99_ratio"]))] for way, each in found["ways"].items()]
        yield heading, ["beside", "p50 µs", "p99 µs", "p99.9 µs", "p99 ÷ alone"], rows


def _added(found):
    """The median of the rounds' differences, and where their middle half lies; nothing of the way that others are compared with."""
    if not any(found["rounds"]):
        return "", ""
    low, _, high = statistics.quantiles(found["rounds"], n=4)
    return f"{found['median']:.2f}", f"{low:.2f} to {high:.2f}"


def _handshake_columns(shaken, peer):
    for peers in shaken.values():
        micros = peers[peer]["proxy_us"]
        yield f"{1e6 / micros['median']:,.0f}"
        yield _figure(micros)


def _idle_secure_tables(results):
    idle = results.get("idle_secure", {})
    for protocol, peers in idle.get("protocols", {}).items():
        rows = [_idle_row(name, found) for name, found in peers.items()]
        yield f"{idle['connections']:,} idle connections with TLS, {SPOKEN[protocol]}", IDLE_COLUMNS, rows


def _peer_columns(unit):
    """CPU time is that of one unit; latencies are of whole requests."""
    cpu = "CPU µs" if unit == "request" else f"CPU µs per {unit}:"
    rate = "MiB/s" if unit == "MiB" else f"{unit}s/s"
    return ["peer", rate, "p50 µs", "p99 µs", "p99.9 µs", f"{cpu} proxy", "backend", "both", "memory MB"]


def _groups(results):
    """The cells by work, connections and workers."""
    groups = {}
    for found in results["cells"]:
        heading = place(found["work"], found["connections"], found["workers"])
        groups.setdefault(heading[0].upper() + heading[1:], []).append(found)
    return groups.items()


def place(work, connections, workers):
    """A cell's name."""
    return f"{WORKS[work].label}, {_count(connections, 'connection')}, {_count(workers, 'worker')}"


def secure_place(cell):
    """The name of a cell with TLS or HTTP/2: one of the plan, or one of the results."""
    cell = cell if isinstance(cell, dict) else dataclasses.asdict(cell)
    streams = f", {_count(cell['streams'], 'stream')} each" if cell["streams"] > 1 else ""
    return f"{TRANSPORTS[cell['transport']]}: {WORKS[cell['work']].label}, {_count(cell['connections'], 'connection')}{streams}"


def _count(number, what):
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _table_tables(table):
    size = f"{table['routes']:,} routes, {table['endpoints']:,} endpoints"
    rows = [
        [name, _figure(found["proxy_us"]), _figure(found["rps"]), _megabytes(found["memory_kb"])]
        for name, found in ((size, table["large"]), ("10 routes, 4 endpoints", table["small"]))
    ]
    yield "The large table", ["table", "CPU µs proxy", "requests/s", "memory MB"], rows
    rows = [
        _latency_row(name, table[key])
        for name, key in (("left alone", "steady"), ("a reload each second", "reloading"))
    ]
    reload_ms = _figure(table["reload_ms"])
    heading = f"Reloading it: {reload_ms} ms each; latency at {table['rate']:,} requests/s"
    yield heading, ["", "p50 µs", "p99 µs", "p99.9 µs"], rows


def _ratio_rows(results):
    rows = []
    for ratio in results["ratios"]:
        value = "" if ratio["value"] is None else _number(ratio["value"])
        rows.append([ratio["name"], value, _number(ratio["must"]), _number(ratio["aim"]), MARKS[ratio["reached"]]])
    return rows


def _cell_row(found):
    keys = ("rps", "p50_us", "p99_us", "p999_us", "proxy_us", "backend_us", "both_us")
    label = LABELS[found["peer"]] + (" !" if found["errors"] else "")
    return [label, *(_figure(found[key]) for key in keys), _megabytes(found["memory_kb"])]


def _latency_row(name, found):
    label = name + (" !" if median(found.get("errors")) else "")
    return [label, *(_figure(found[key]) for key in ("p50_us", "p99_us", "p999_us"))]


def _idle_row(name, found):
    before, after = found["before_kb"] / 1024, found["after_kb"] / 1024
    return [LABELS[name], f"{found['per_connection_kb']:.1f}", f"{before:.1f}", f"{after:.1f}"]


def _figure(found):
    """The median, and half of the range in percent of it. Nothing where there is nothing, as a proxy of no gateway."""
    if not found or not found["median"]:
        return ""
    spread_of = spread(found)
    return _number(found["median"]) + (f" ±{spread_of:.0%}" if len(found["rounds"]) > 1 else "")


def _megabytes(found):
    return f"{median(found) / 1024:.1f}"


def _number(value):
    """Three digits that mean something, and no exponent."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) < 0.1995 else f"{value:.2f}"


def aligned(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [each.rjust(width) for each, width in zip(row[1:], widths[1:])]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)
