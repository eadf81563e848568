"""The side-by-side benchmark: starts the peers, measures them in turn, and says what came of it.

`make bench` builds what it needs and calls it. Python 3.9 or newer, and nothing beside its standard library:

    python3 bench/driver run --product DIR --peers DIR [--envoy FILE] [--quick]
    python3 bench/driver against --product DIR --peers DIR --other CHECKOUT --before DIR
    python3 bench/driver instructions --product DIR --peers DIR [--envoy FILE] [--commit NAME] [--profiles DIR]
    python3 bench/driver render     the charts and the tables of docs/performance.md anew, from the JSON
"""

import argparse
import json
import pathlib
import signal
import sys

sys.dont_write_bytecode = True

import against
import counted
import instructions
import measure
import peers
import plan
import ratios
import render
import report

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results" / "latest.json"
COUNTED = RESULTS.with_name("instructions.json")


def main():
    options = arguments()
    # A stop must end the processes that were started, so it is an exception like Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: told to stop"))
    if options.command == "render":
        print("bench: wrote " + ", ".join(rendered()))
        return
    if options.command == "against":
        sys.exit(compare(options))
    tools = peers.Tools(options.product, options.peers, options.envoy)
    if options.command == "instructions":
        count(tools, options)
        return
    chosen = plan.quick() if options.quick else plan.full()
    results = measure.run(tools, chosen, ROOT)
    results["ratios"] = ratios.of(results)
    print(report.text(results))
    write(results, options.out)
    if options.out.resolve() == RESULTS:
        print("bench: wrote " + ", ".join(render.all_of(results, ROOT)))


def count(tools, options):
    """What is executed for each request, counted."""
    results = instructions.run(tools, ROOT, options.commit, options.profiles)
    print(counted.text(results))
    write(results, options.out)
    if options.out.resolve() == COUNTED:
        print("bench: wrote " + render.instructions(results, ROOT))


def write(results, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(f"bench: wrote {file}")


def rendered():
    """Everything that is generated, anew; returns the names of the files."""
    files = render.all_of(json.loads(RESULTS.read_text("utf-8")), ROOT)
    if COUNTED.exists():
        render.instructions(json.loads(COUNTED.read_text("utf-8")), ROOT)
    return files


def compare(options):
    """This checkout's build against another's; the exit status says whether it holds."""
    after = peers.Tools(options.product, options.peers, None)
    before = peers.Tools(options.before, options.peers, None, options.other)
    found = [*([] if options.counts else against.run(after, before)), *against.count(after, before)]
    if not found:
        sys.exit("bench: nothing was measured")
    print(against.text(found, (ROOT, options.other)))
    return 0 if all(ratio.holds() for ratio in found) else 1


def arguments():
    parser = argparse.ArgumentParser(prog="bench/driver", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure")
    run.add_argument("--product", type=pathlib.Path, required=True, help="the folder of callgate and shop")
    run.add_argument("--peers", type=pathlib.Path, required=True, help="the folder of floor, plain, pingora, grpc and load")
    run.add_argument("--envoy", type=pathlib.Path, help="the program")
    run.add_argument("--quick", action="store_true", help="some minutes less, and figures that say less")
    run.add_argument("--out", type=pathlib.Path, default=RESULTS, help="the JSON file")
    pair = commands.add_parser("against", help="measure against another checkout's build")
    pair.add_argument("--product", type=pathlib.Path, required=True, help="the folder of callgate and shop")
    pair.add_argument("--peers", type=pathlib.Path, required=True, help="the folder of load")
    pair.add_argument("--other", type=pathlib.Path, required=True, help="the other checkout")
    pair.add_argument("--before", type=pathlib.Path, required=True, help="the folder of its callgate and shop")
    pair.add_argument("--counts", action="store_true", help="only count instructions: no CPU time")
    counts = commands.add_parser("instructions", help="count instructions per request")
    counts.add_argument("--product", type=pathlib.Path, required=True, help="the folder of callgate and shop")
    counts.add_argument("--peers", type=pathlib.Path, required=True, help="the folder of grpc and load")
    counts.add_argument("--envoy", type=pathlib.Path, help="the program")
    counts.add_argument("--commit", help="what the programs were built from, if not this checkout")
    counts.add_argument("--profiles", type=pathlib.Path, help="a folder for what callgrind_annotate reads")
    counts.add_argument("--out", type=pathlib.Path, default=COUNTED, help="the JSON file")
    commands.add_parser("render", help="charts and docs/performance.md from the JSON file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
