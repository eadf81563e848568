"""The charts, as SVG that can be read on light and on dark paper."""

import math

from peers import GATEWAYS, LABELS
from plan import ALL
from results import cell
from stats import median

# The paper that a name takes.
LABEL_WIDTH = 120
LINE = 16

STYLE = """<style>
    .ink { fill: #1f2328; } .dim { fill: #57606a; font-size: 12px; } .rule { stroke: #d0d7de; fill: none; }
    .proxy { fill: #0969da; } .backend { fill: #9ec5f4; }
    .ours .proxy { fill: #bc4c00; } .ours .backend { fill: #f4b183; }
    .line { fill: none; stroke-width: 2; }
    .s-callgate { stroke: #bc4c00; } .s-nginx { stroke: #1a7f37; } .s-haproxy { stroke: #0969da; }
    .s-envoy { stroke: #8250df; } .s-pingora { stroke: #9a6700; } .s-plain { stroke: #57606a; stroke-dasharray: 5 4; }
    .f-callgate { fill: #bc4c00; } .f-nginx { fill: #1a7f37; } .f-haproxy { fill: #0969da; }
    .f-envoy { fill: #8250df; } .f-pingora { fill: #9a6700; } .f-plain { fill: #57606a; }
    @media (prefers-color-scheme: dark) {
      .ink { fill: #e6edf3; } .dim { fill: #8b949e; } .rule { stroke: #30363d; }
      .proxy { fill: #58a6ff; } .backend { fill: #1f4f86; }
      .ours .proxy { fill: #ff9a52; } .ours .backend { fill: #8a4b1f; }
      .s-callgate { stroke: #ff9a52; } .s-nginx { stroke: #56d364; } .s-haproxy { stroke: #58a6ff; }
      .s-envoy { stroke: #bc8cff; } .s-pingora { stroke: #d29922; } .s-plain { stroke: #8b949e; }
      .f-callgate { fill: #ff9a52; } .f-nginx { fill: #56d364; } .f-haproxy { fill: #58a6ff; }
      .f-envoy { fill: #bc8cff; } .f-pingora { fill: #d29922; } .f-plain { fill: #8b949e; }
    }
  </style>"""


def cpu(results):
    """Bars: CPU per request of proxy and backend, by peer, for the 270-byte quote on 64 connections, one worker."""
    found = [cell(results, peer, "quote", 64, 1) for peer in ALL]
    found = [each for each in found if each]
    widest = max(median(each["both_us"]) for each in found)
    left, width, step, top = 190, 560, 34, 64
    parts = [
        '<text class="ink" x="10" y="22" font-weight="600">CPU per request, µs (user + system)</text>',
        '<text class="dim" x="10" y="42">270-byte quote, 64 connections, one worker; the less the better</text>',
        _legend(560, 36),
    ]
    for number, each in enumerate(found):
        y, x, ours = top + number * step, left, ' class="ours"' if each["peer"] == "callgate" else ""
        parts.append(
            f'<g{ours}><text class="ink" x="{left - 10}" y="{y + 15}" text-anchor="end">{LABELS[each["peer"]]}</text>'
        )
        for side in ("proxy", "backend"):
            part = (median(each[f"{side}_us"]) or 0) / widest * width
            parts.append(f'<rect class="{side}" x="{x:.1f}" y="{y}" width="{part:.1f}" height="20" rx="2"/>')
            x += part
        parts.append(f'<text class="ink" x="{x + 8:.1f}" y="{y + 15}">{median(each["both_us"]):.1f}</text></g>')
    return _svg("CPU per request by peer", 820, top + len(found) * step + 10, parts)


def _legend(x, y):
    return (
        f'<rect class="proxy" x="{x}" y="{y - 10}" width="12" height="12" rx="2"/>'
        f'<text class="dim" x="{x + 18}" y="{y}">proxy</text>'
        f'<rect class="backend" x="{x + 70}" y="{y - 10}" width="12" height="12" rx="2"/>'
        f'<text class="dim" x="{x + 88}" y="{y}">service behind it</text>'
    )


def latency(results):
    """Lines: the 99th percentile against the rate of requests, both on scales of powers of ten."""
    curves = {name: results["curve"][name] for name in ("plain", *GATEWAYS) if results["curve"].get(name)}
    points = [(point["rate"], median(point["p99_us"])) for curve in curves.values() for point in curve]
    box = (70, 60, 590, 320)
    across = Scale([rate for rate, _ in points], box[0], box[0] + box[2])
    down = Scale([late for _, late in points], box[1] + box[3], box[1])
    parts = [
        '<text class="ink" x="10" y="22" font-weight="600">Latency against load: 99th percentile, µs</text>',
        '<text class="dim" x="10" y="42">open loop, 270-byte quote, 64 connections, one worker</text>',
        *_grid(across, down, box),
    ]
    ends = []
    for name, curve in curves.items():
        drawn = [(across.at(point["rate"]), down.at(median(point["p99_us"]))) for point in curve]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
        parts.append(f'<polyline class="line s-{name}" points="{path}"/>')
        parts += [f'<circle class="f-{name}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in drawn]
        ends.append((*drawn[-1], name))
    parts += _labels(ends)
    return _svg("Latency against load by peer", 820, box[1] + box[3] + 50, parts)


class Scale:
    """A logarithmic scale between two places on the paper."""

    def __init__(self, values, begin, end):
        self.low, self.high = math.log10(min(values) * 0.9), math.log10(max(values) * 1.1)
        self.begin, self.end = begin, end

    def at(self, value):
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self.begin + part * (self.end - self.begin)

    def ticks(self):
        """1, 2 and 5 times the powers of ten that lie on it."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        ticks = [digit * 10**power for power in powers for digit in (1, 2, 5)]
        return [tick for tick in ticks if self.low <= math.log10(tick) <= self.high]


def _grid(across, down, box):
    left, top, width, height = box
    parts = []
    for tick in down.ticks():
        y = down.at(tick)
        parts.append(f'<path class="rule" d="M{left} {y:.1f}h{width}"/>')
        parts.append(f'<text class="dim" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:,.0f}</text>')
    for tick in across.ticks():
        x = across.at(tick)
        parts.append(f'<path class="rule" d="M{x:.1f} {top}v{height}"/>')
        parts.append(f'<text class="dim" x="{x:.1f}" y="{top + height + 18}" text-anchor="middle">{tick:,.0f}</text>')
    middle, below = left + width / 2, top + height + 38
    parts.append(f'<text class="dim" x="{middle}" y="{below}" text-anchor="middle">requests per second</text>')
    return parts


def _labels(ends):
    """The names at the lines' ends, moved down where two would meet."""
    parts, placed = [], []
    for x, y, name in sorted(ends, key=lambda end: end[1]):
        while any(abs(x - other) < LABEL_WIDTH and abs(y - above) < LINE for other, above in placed):
            y += 1
        placed.append((x, y))
        parts.append(f'<text class="f-{name}" x="{x + 8:.1f}" y="{y + 5:.1f}">{LABELS[name]}</text>')
    return parts


def _svg(title, width, height, parts):
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="ui-sans-serif, system-ui, sans-serif" font-size="14">'
    )
    return "\n  ".join([head, f"<title>{title}</title>", STYLE, *parts]) + "\n</svg>\n"
