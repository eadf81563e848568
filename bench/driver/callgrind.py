"""Callgrind: what a running process executes, instruction by instruction, and thread by thread.

Valgrind runs the program on a processor of its own making, one thread at a time, some fifty times slower. What it counts does not depend on
how fast that goes, nor on what else the machine does. Threads are told apart by their names, which the kernel has: callgrind numbers them,
and says which of the kernel's numbers each number stands for."""

import re
import shutil
import subprocess

from processes import PROC

# The function that SHA-256 takes a block of 64 bytes by. Callgrind's processor lacks the instructions that processors have for it.
HASH = "sha256_block"

# How long valgrind may take to do what it is told, in seconds: it waits for the instruction at which it may.
TIMEOUT = 120


def present():
    """Whether this machine has it."""
    return all(shutil.which(program) for program in ("valgrind", "vgdb"))


def under(folder):
    """What stands before a command that is to be counted. Nothing is counted until it is told so."""
    how = ["--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes"]
    return ["valgrind", *how, f"--callgrind-out-file={folder}/%p.out"]


class Counter:
    """Counts what a process does that was started `under` callgrind with this folder."""

    def __init__(self, process, folder):
        self.pid = process.popen.pid
        self.folder = folder

    def on(self):
        """From now on the process is far slower, at first most of all: everything is translated once more."""
        self._tell("instrumentation", "on")

    def begin(self):
        self._tell("zero")

    def end(self):
        """The instructions since it began, but for those of SHA-256, the blocks that were hashed, and the file that says where all went, for
        each thread: a list of names, counts, blocks and files."""
        for file in self._files():
            file.unlink()
        names = self._names()
        self._tell("dump")
        read = [(file, file.read_text("utf-8", "replace")) for file in self._files()]
        read = [(file, *dumped(text), *hashed(text)) for file, text in read]
        return [(names.get(thread, ""), count - own, blocks, file) for file, thread, count, own, blocks in read]

    def _files(self):
        return list(self.folder.glob(f"{self.pid}.out.*"))

    def _names(self):
        """The threads' names, by callgrind's numbers."""
        found = {}
        for thread, task in tasks(self._tell("v.info", "scheduler")).items():
            try:
                found[thread] = (PROC / str(self.pid) / "task" / str(task) / "comm").read_text().strip()
            except OSError:
                continue  # A thread that has just ended.
        return found

    def _tell(self, *command):
        command = ["vgdb", f"--pid={self.pid}", *command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        if done.returncode != 0:
            raise SystemExit(f"bench: {' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout


def dumped(text):
    """Of a file that callgrind has written of one thread: its number, and the instructions."""
    thread, total = (re.search(rf"^{what}: (\d+)", text, re.MULTILINE) for what in ("thread", "totals"))
    if not thread or not total:
        raise SystemExit(f"bench: this is no profile of a thread:\n{text[:500]}")
    return int(thread.group(1)), int(total.group(1))


def hashed(text):
    """Of such a file: the instructions by which SHA-256 takes its blocks, and how often it was called, which is once for a short text."""
    names, own, calls, inside, called, of_call = {}, 0, 0, False, False, False
    for line in text.splitlines():
        if named := re.match(r"(c?fn)=\((\d+)\)(?: (.*))?$", line):
            kind, number, name = named.groups()
            if name:
                names[number] = name
            is_hash = HASH in names[number]
            if kind == "fn":
                inside = is_hash
            else:
                called = is_hash
        elif counted := re.match(r"calls=(\d+)", line):
            calls += int(counted.group(1)) if called and not inside else 0
            of_call = True
        elif inside and (cost := re.match(r"(?:[+-]?\d+|\*) (\d+)$", line)):
            own += 0 if of_call else int(cost.group(1))
            of_call = False
        else:
            of_call = False
    return own, calls


def tasks(text):
    """The kernel's numbers of the threads, by callgrind's, out of what it says of its scheduler."""
    found = re.findall(r"^Thread (\d+): status = .*\(lwpid (\d+)\)", text, re.MULTILINE)
    return {int(thread): int(task) for thread, task in found if task != "0"}
