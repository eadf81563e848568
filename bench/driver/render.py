"""What is generated from the JSON: the charts, and the measured part of docs/performance.md."""

import charts
import counted
import report

BEGIN = "<!-- measured: begin (written by `make bench`) -->"
END = "<!-- measured: end -->"
COUNTED = "<!-- counted: begin (written by `scripts/bench --instructions`) -->"
COUNTED_END = "<!-- counted: end -->"


def all_of(results, root):
    """Writes everything; returns the names of the files."""
    page = root / "docs" / "performance.md"
    folder = root / "docs" / "performance"
    folder.mkdir(exist_ok=True)
    drawn = {folder / "cpu.svg": charts.cpu(results), folder / "latency.svg": charts.latency(results)}
    for file, svg in drawn.items():
        file.write_text(svg, "utf-8")
    _replace(page, BEGIN, END, _measured(results))
    return [str(file.relative_to(root)) for file in (*drawn, page)]


def instructions(results, root):
    """Writes what was counted; returns the name of the file."""
    page = root / "docs" / "performance.md"
    _replace(page, COUNTED, COUNTED_END, _counted(results))
    return str(page.relative_to(root))


def _replace(page, begin, end, text):
    before, rest = page.read_text("utf-8").split(begin)
    after = rest.split(end)[1]
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")


def _counted(results):
    blocks = [_conditions(results), counted.time(results)]
    for heading, header, rows in counted.tables(results):
        blocks += [f"### {heading}", _markdown(header, rows)]
    return "\n\n".join(blocks)


def _measured(results):
    blocks = ["## Figures", _conditions(results)]
    for heading, header, rows in report.tables(results):
        blocks += [f"### {heading}", _markdown(header, rows)]
        if heading == "What must hold":
            blocks.append("![CPU per request by peer](performance/cpu.svg)")
        if heading.startswith("Open loop"):
            blocks.append("![Latency against load](performance/latency.svg)")
    return "\n\n".join(blocks)


def _conditions(results):
    machine, versions = results["machine"], results["versions"]
    made = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        f"Measured {results['taken']} at commit {results['commit']} on {machine['cores']} cores of {machine['cpu']},"
        f" {machine['memory_gib']:.0f} GiB, {machine['system']}, Linux {machine['kernel']}, in"
        f" {results['seconds'] / 60:.0f} minutes. {made}."
    ]
    if results.get("quick"):
        lines.append("**This was a quick run, of few and short rounds: it shows roughly where things stand.**")
    if results.get("left_out"):
        lines.append("Not installed there, and left out: " + ", ".join(results["left_out"]) + ".")
    return "\n\n".join(lines)


def _markdown(header, rows):
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])
