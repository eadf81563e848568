"""The clients: wrk for closed loops of short requests, h2load for HTTP/2, our own for others, for open loops and for
handshakes; and one that only looks whether an answer is right."""

import http.client
import json
import os
import pathlib
import subprocess
import sys

import certificate
import h2load
from works import WORKS

SCRIPT = pathlib.Path(__file__).with_name("wrk.lua")
HANDSHAKES = pathlib.Path(__file__).with_name("handshakes.py")

# Over its own duration, how long a client may take, in seconds.
MARGIN = 30


class Clients:
    """The clients' programs, and a folder for what they read."""

    def __init__(self, tools, folder):
        self.wrk_program = tools.wrk
        self.load_program = tools.load
        self.h2load_program = tools.h2load
        self.folder = folder

    def closed(self, peer, work, connections, seconds):
        """Each connection sends its next request when the last is answered. `seconds` is a whole number.

        wrk drops what is under way when its time is up. That costs the peer CPU time for requests that are not counted:
        nothing where there are ten thousands, but too much where one takes milliseconds. There our own client is used,
        which waits for the last answers."""
        if work.slow:
            return self.short(peer, work, connections, seconds)
        return self._wrk(f"http://127.0.0.1:{peer.port}", work, connections, seconds)

    def secure(self, peer, cell, seconds, shown):
        """A closed loop over the cell's transport: `https` (HTTP/1.1), `h2` (HTTP/2 over TLS) or `h2c` (HTTP/2 without)."""
        work, environment = WORKS[cell.work], {"OPENSSL_CONF": str(shown.clients)}
        if cell.transport == "https":
            server = f"https://{certificate.NAME}:{peer.https}"
            return self._wrk(server, work, cell.connections, seconds, environment)
        port, scheme = (peer.https, "https") if cell.transport == "h2" else (peer.h2c, "http")
        log = self.folder / "h2load.tsv"
        log.unlink(missing_ok=True)
        command = [self.h2load_program, "-t1", f"-c{cell.connections}", f"-m{cell.streams}", f"-D{seconds}s"]
        command += [f"--log-file={log}", f"--connect-to=127.0.0.1:{port}"]
        command += [f"--tls13-ciphers={certificate.SUITE}", f"--groups={certificate.GROUP}"]
        if work.body:
            command += ["-d", self._file(f"{work.name}.json", work.body), "-H", "content-type: application/json"]
        _run([*command, f"{scheme}://{certificate.NAME}:{port}{work.path}"], seconds, environment)
        return h2load.Log(log.read_text("ascii")).summary()

    def handshakes(self, peer, how, seconds, shown):
        """One connection after the other, each closed when its handshake is complete."""
        command = [sys.executable, HANDSHAKES, peer.https, certificate.NAME, seconds]
        if how == "resumed":
            command.append("--resume")
        return json.loads(_run(command, seconds, {"OPENSSL_CONF": str(shown.clients)}))

    def _wrk(self, server, work, connections, seconds, environment=None):
        body = self._file(f"{work.name}.json", work.body) if work.body else ""
        command = [self.wrk_program, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", SCRIPT]
        command += [f"{server}{work.path}", "--", work.method, body]
        command += [part for field in work.headers for part in field]
        output = _run(command, seconds, environment)
        line = next(line for line in output.splitlines() if line.startswith("RESULT "))
        return json.loads(line[len("RESULT ") :])

    def open(self, peer, work, connections, seconds, rate):
        """Requests at a fixed rate, with latencies counted from when each was due."""
        return self._load(peer, work, connections, seconds, "--rate", str(rate))

    def short(self, peer, work, connections, seconds):
        """A closed loop by our own client, which takes parts of a second, and waits for the last answers."""
        done = self._load(peer, work, connections, seconds)
        return {**done, "errors": done["errors"] + done["unanswered"]}

    def warm(self, peer, work, connections, seconds):
        """A closed loop of which the figures are not wanted."""
        return self._load(peer, work, connections, seconds)

    def _load(self, peer, work, connections, seconds, *more):
        request = self._file(f"{work.name}-{peer.port}.http", work.request(peer.port))
        command = [self.load_program, "--address", f"127.0.0.1:{peer.port}", "--request", request]
        command += ["--connections", connections, "--seconds", seconds, *more]
        return json.loads(_run(command, seconds))

    def _file(self, name, content):
        path = self.folder / name
        if not path.exists():
            path.write_bytes(content)
        return path


def ask(port, method, path, body=b"", timeout=20, content_type="application/json", more=()):
    """One request; returns the status and the answer's body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = {"Content-Type": content_type, **dict(more)} if body else dict(more)
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _run(command, seconds, environment=None):
    command, timeout = [str(part) for part in command], seconds + MARGIN
    environment = {**os.environ, **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
