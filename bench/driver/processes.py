"""Processes that the benchmark starts: their ports, their end, their CPU time and memory."""

import os
import pathlib
import resource
import socket
import subprocess
import time

PROC = pathlib.Path("/proc")

# Below the ports that the kernel gives to clients.
FIRST_PORT = 17000
LAST_PORT = 32000

# How long a process may take to end before it is killed, in seconds.
END_TIMEOUT = 10


class Process:
    """A process with whatever it starts."""

    def __init__(self, command, log, stdout=None):
        self.name = pathlib.Path(command[0]).name
        self.log = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=stdout or out, stderr=out
            )

    def alive(self):
        return self.popen.poll() is None

    def pids(self):
        """Its number and those of its children (nginx's workers)."""
        found = [self.popen.pid]
        parents = {int(stat[0]): int(stat[1]) for stat in map(_stat, PROC.glob("[0-9]*/stat")) if stat}
        for pid in found:
            found.extend(child for child, parent in parents.items() if parent == pid)
        return found

    def cpu(self, threads=""):
        """User and system time so far of all threads whose names begin so, in seconds."""
        return sum(_cpu(pid, threads) for pid in self.pids())

    def user(self, threads=""):
        """User time so far of all threads whose names begin so, in seconds: in hundredths of one, as the kernel tells it."""
        return sum(_user(pid, threads) for pid in self.pids())

    def memory(self):
        """Proportional share of the memory that it has in use, in bytes."""
        return sum(_memory(pid) for pid in self.pids())

    def end(self):
        if self.alive():
            self.popen.terminate()
        try:
            self.popen.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


class Fleet:
    """All processes of a stage; ends them, and no others, in the order opposite to their start."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        self.next_port = FIRST_PORT

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.end()

    def start(self, name, command, stdout=None):
        process = Process(command, self.folder / f"{name}.log", stdout)
        self.processes.append(process)
        return process

    def port(self):
        """A port of 127.0.0.1 that nobody listens on."""
        for port in range(self.next_port, LAST_PORT):
            self.next_port = port + 1
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue
        raise SystemExit("bench: there is no free port")


def wait_for(ready, process, what, timeout=30):
    """Waits until `ready()`; fails if the process ends before, or with the time."""
    deadline = time.monotonic() + timeout
    while not ready():
        if not process.alive() or time.monotonic() > deadline:
            tail = process.log.read_text("utf-8", "replace")[-2000:]
            raise SystemExit(f"bench: {what} does not come up:\n{tail}")
        time.sleep(0.05)


def raise_file_limit(wanted):
    """Raises the limit of open files for us and for what we start, and returns what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in ((wanted, max(wanted, hard)), (min(wanted, hard), hard)):
        if soft >= wanted:
            break
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            break
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _stat(path):
    """The process's number and its parent's; none if it is gone."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return None
    return text.split(" ", 1)[0], text.rpartition(")")[2].split()[1]


def _cpu(pid, threads):
    """The scheduler's own count, in nanoseconds. It is user and system time together, of which /proc/PID/stat shows
    the same sum in hundredths of a second, too coarse for a run of two seconds."""
    return sum(int(text.split()[0]) for text in _tasks(pid, threads, "schedstat")) / 1e9


def _user(pid, threads):
    """The name, which may have blanks, stands in brackets; user time is the twelfth field behind it."""
    ticks = sum(int(text.rpartition(")")[2].split()[11]) for text in _tasks(pid, threads, "stat"))
    return ticks / os.sysconf("SC_CLK_TCK")


def _tasks(pid, threads, file):
    """What the file says of each thread whose name begins so."""
    for path in PROC.glob(f"{pid}/task/*"):
        try:
            if (path / "comm").read_text().startswith(threads):
                yield (path / file).read_text()
        except OSError:
            continue  # A thread that has just ended.


def _memory(pid):
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
