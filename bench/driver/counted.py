"""What was counted, as tables for a terminal and for docs/performance.md, and what must hold of it."""

import ratios
import report
from stats import median
from works import WORKS

HEADER = ["", "instructions of workers", "of all threads", "added", "≈ µs"]
MUST = ["what is added, by instructions", "instructions", "≈ µs", "must", "aim", ""]


def tables(results):
    """Heading, header and rows of every table."""
    counts, time = results["counts"], results["time"]
    rows = [_row(WORKS[way].label, found, time) for way, found in counts["works"]["callgate"].items()]
    yield "Works", HEADER, rows
    rows = [
        _row(f"{report.CHECKING[peer]}: {report.CHECKED[way]}", found, time if peer == "callgate" else None)
        for peer, ways in counts["credentials"].items()
        for way, found in ways.items()
    ]
    yield "Credentials and rules: quote, 270 bytes", HEADER, rows
    rows = [_row(way, found, time) for way, found in counts["observed"]["callgate"].items()]
    yield "Seen by the access log, or by spans: quote, 270 bytes", HEADER, rows
    yield "What must hold of these", MUST, [_judged_row(*each) for each in judged(results)]


def judged(results):
    """What must hold: each with its instructions, and the ratio's row."""
    counts, time = results["counts"], results["time"]
    for stage, way, name, must, aim in ratios.ADDED:
        more = _added(counts, stage, "callgate", way)
        found = counts.get(stage, {}).get("callgate", {}).get(way)
        yield more, ratios.row(name, None if more is None else micros(found, time), must, aim)
    ours, theirs = (_added(counts, "credentials", peer, "jwt") for peer in ("callgate", "envoy"))
    ratio = ours / theirs if None not in (ours, theirs) and theirs > 0 else None
    yield None, ratios.row("a cached JWT: instructions added ÷ what Envoy's jwt_authn adds", ratio, *ratios.TO_ENVOY)


def micros(found, time):
    """What a way's instructions take, and the blocks that it hashes beside."""
    return found["added"]["median"] * time["ns"] / 1000 + found["blocks"]["median"] * time["block_us"]


def text(results):
    """All of it, for a terminal."""
    blocks = [f"\n{heading}\n\n{report.aligned([header, *rows])}" for heading, header, rows in tables(results)]
    return "\n".join([*blocks, "", time(results), ""])


def time(results):
    """What an instruction takes, in words."""
    found = results["time"]
    user, cpu = (median(found[key]) for key in ("user_us", "cpu_us"))
    quote = f"A quote took {cpu:.2f} µs of the worker's CPU time, {user:.2f} of them in user space: {found['ns']:.3f} ns an instruction."
    return f"{quote} A block of SHA-256, which is not among the instructions, takes {found['block_us'] * 1000:.0f} ns."


def _added(counts, stage, peer, way):
    return median(counts.get(stage, {}).get(peer, {}).get(way, {}).get("added"))


def _row(name, found, time):
    more = found.get("added")
    figures = [number(found[key]) for key in ("worker", "process")]
    took = f"{micros(found, time):.2f}" if more and time else ""
    return [name, *figures, number(more) if more else "", took]


def _judged_row(more, ratio):
    value = "" if ratio["value"] is None else f"{ratio['value']:.2f}"
    limits = [f"{ratio[key]:g}" for key in ("must", "aim")]
    return [ratio["name"], "" if more is None else f"{more:,.0f}", value, *limits, report.MARKS[ratio["reached"]]]


def number(found):
    """The mean of the counts, and how far they lie from it."""
    half = (found["max"] - found["min"]) / 2
    return f"{found['median']:,.0f}" + (f" ±{half:,.0f}" if len(found["rounds"]) > 1 else "")
