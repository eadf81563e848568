"""The whole run: stage after stage, into one set of results."""

import dataclasses
import json
import os
import pathlib
import sys
import tempfile

import beside
import closed
import configs
import credentials
import idle
import machine
import observed
import openloop
import secure
import table
from clients import Clients
from peers import LABELS
from processes import Fleet, raise_file_limit
from progress import Progress


@dataclasses.dataclass
class Bench:
    """What every stage needs."""

    tools: object
    plan: object
    folder: pathlib.Path
    clients: Clients
    progress: Progress
    left_out: list

    def fleet(self, stage):
        """A fleet with a folder of its own."""
        folder = self.folder / stage
        folder.mkdir()
        return Fleet(folder)

    def present(self, names):
        """Those of the peers that this machine has."""
        return [name for name in names if name not in self.left_out]


def run(tools, plan, root):
    """Measures everything, and returns the results as they go into the JSON file."""
    left_out = tools.missing()
    for name in left_out:
        print(f"bench: {LABELS[name]} is not installed here and is left out", file=sys.stderr)
    if not tools.measures_secure():
        print("bench: h2load or openssl is not installed here; TLS and HTTP/2 are left out", file=sys.stderr)
        plan = dataclasses.replace(plan, secure=())
    busy = os.getloadavg()[0]
    if busy > 0.7:
        print(f"bench: the machine is busy (load {busy:.1f}), so the figures will be noisy", file=sys.stderr)
    files = raise_file_limit(2 * configs.CLIENTS + 1000)
    if files < plan.idle + 1000:
        plan = dataclasses.replace(plan, idle=files - 1000, idle_secure=min(plan.idle_secure, files // 8))
        print(
            f"bench: {files} files may be open here, so only {plan.idle} connections are idle",
            file=sys.stderr,
        )
    results = machine.describe(root, tools)
    results.update(quick=plan.quick, left_out=left_out, load_before=round(busy, 2))
    with tempfile.TemporaryDirectory(prefix="callgate-bench-") as name:
        folder = pathlib.Path(name)
        # nginx's workers may run as another user.
        folder.chmod(0o755)
        bench = Bench(tools, plan, folder, Clients(tools, folder), Progress(), left_out)
        stages = (closed, openloop, *([secure] if plan.secure else []), credentials, observed, beside, idle, table)
        for stage in stages:
            bench.progress.expect(stage.expected(bench))
        for stage in stages:
            results.update(stage.run(bench, results))
        results["seconds"] = round(bench.progress.end())
    return json.loads(json.dumps(results))
