"""On what, with what and when it was measured."""

import datetime
import os
import pathlib
import platform
import re
import shutil
import subprocess


def describe(root, tools):
    """All of it, for the results."""
    return {
        "taken": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _output(["git", "-C", root, "describe", "--always", "--dirty"]),
        "machine": {
            "cpu": _line("/proc/cpuinfo", r"model name\s*: (.*)") or platform.machine(),
            "cores": os.cpu_count(),
            "memory_gib": round(int(_line("/proc/meminfo", r"MemTotal:\s*(\d+)") or 0) / 2**20, 1),
            "system": _line("/etc/os-release", r'PRETTY_NAME="?([^"\n]*)') or platform.system(),
            "kernel": platform.release().split("-")[0],
        },
        "versions": _versions(root, tools),
    }


def _versions(root, tools):
    found = {
        "Callgate": _version([tools.callgate, "--version"], r"(\d[\w.]*)"),
        "nginx": _version([tools.nginx, "-v"], r"nginx/([\w.]+)"),
        "HAProxy": _version([tools.haproxy, "-v"], r"version ([\w.]+)"),
        "Envoy": _version([tools.envoy, "--version"], r"/(\d+\.\d+\.\d+)/"),
        "wrk": _version([tools.wrk, "-v"], r"(\d+\.\d+\.\d+)"),
        "valgrind": _version([shutil.which("valgrind"), "--version"], r"valgrind-([\d.]+)"),
        "h2load": _version([tools.h2load, "--version"], r"nghttp2/([\d.]+)"),
        "rustc": _version(["rustc", "--version"], r"rustc (\S+)"),
    }
    if found["Callgate"]:
        profile = tools.callgate.with_suffix(".profdata").exists()
        found["Callgate"] += " (laid out by a profile)" if profile else " (without a profile)"
    lock = (root / "bench" / "Cargo.lock").read_text("utf-8")
    for crate in ("hyper", "serde_json", "tonic", "pingora-proxy"):
        named = re.search(rf'name = "{crate}"\nversion = "([^"]+)"', lock)
        found[crate] = named.group(1) if named else None
    return {name: version for name, version in found.items() if version}


def _version(command, pattern):
    """What the program says of itself; none if it is not there."""
    if not command[0]:
        return None
    found = re.search(pattern, _output(command))
    return found.group(1) if found else "unknown"


def _output(command):
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).strip()


def _line(file, pattern):
    try:
        found = re.search(pattern, pathlib.Path(file).read_text("utf-8", "replace"))
    except OSError:
        return None
    return found.group(1).strip() if found else None
