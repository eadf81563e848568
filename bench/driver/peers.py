"""The peers: how each is started, and which processes count as its proxy and which as its backend."""

import dataclasses
import pathlib
import shutil
import subprocess
from typing import Optional

import certificate
import clients
import configs
from processes import wait_for
from works import COMMON, WORKS

LABELS = {
    "floor": "floor: read, write, epoll",
    "plain": "no gateway",
    "nginx": "nginx",
    "haproxy": "HAProxy",
    "pingora": "pingora-proxy",
    "envoy": "Envoy transcoder",
    "callgate": "Callgate",
    "plain_default": "no gateway, default runtime",
    "callgate_default": "Callgate, default runtime",
}
GATEWAYS = ("nginx", "haproxy", "pingora", "envoy", "callgate")

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What the demo's backend is told of its runtime. Unless it is told, it takes tokio's default, as users do.
ONE_THREAD, DEFAULT_RUNTIME = ("--threads", 1), ()

# What is replaced in the demo's table.
ENDPOINTS = 'endpoints = ["127.0.0.1:7101", "127.0.0.1:7102"]'

# A backend's line by which all its instances stay in use.
NONE_IS_LEFT = "health = { max_ejected = 0, slow_factor = 1000 }\n"


class Tools:
    """Where the programs are; none for those that this machine lacks. `root` is the checkout that `product` was built in."""

    def __init__(self, product, built, envoy, root=ROOT):
        self.table = root / "routes" / "shop.toml"
        self.callgate, self.shop = product / "callgate", product / "shop"
        self.floor, self.plain = built / "floor", built / "plain"
        # The same programs: their services run on tokio's default runtime.
        self.callgate_default, self.plain_default = self.callgate, self.plain
        self.pingora = built / "pingora"
        self.grpc, self.load = built / "grpc", built / "load"
        system = "/usr/local/sbin:/usr/sbin:/sbin"
        self.wrk = shutil.which("wrk")
        self.h2load = shutil.which("h2load")
        self.nginx = shutil.which("nginx") or shutil.which("nginx", path=system)
        self.haproxy = shutil.which("haproxy") or shutil.which("haproxy", path=system)
        self.envoy = envoy if envoy and envoy.exists() else None
        if not self.wrk:
            raise SystemExit("bench: wrk is not installed, so nothing can be measured")

    def measures_secure(self):
        """Whether TLS and HTTP/2 can be measured."""
        return bool(self.h2load and shutil.which("openssl"))

    def missing(self):
        """Peers that must be left out."""
        return [name for name in LABELS if not getattr(self, name)]


@dataclasses.dataclass
class Peer:
    """A running peer. `proxy` is what stands between client and service, `backend` the service."""

    name: str
    workers: int
    port: int
    proxy: list
    backend: list
    admin: Optional[int] = None
    # Its ports for TLS and for HTTP/2 without TLS, if it was started with a certificate.
    https: Optional[int] = None
    h2c: Optional[int] = None
    # Its port where tokens are checked, if it has one.
    checked: Optional[int] = None
    # How the names of the threads begin in which it serves requests.
    serving: str = "worker-"

    def cpu(self):
        """CPU seconds so far: of the proxy, of the backend."""
        return tuple(sum(process.cpu() for process in side) for side in (self.proxy, self.backend))

    def worker_cpu(self):
        """CPU seconds so far of the threads in which it serves requests."""
        return sum(process.cpu(self.serving) for process in self.proxy)

    def worker_user(self):
        """The part of these that was not in the kernel."""
        return sum(process.user(self.serving) for process in self.proxy)

    def memory(self):
        """Bytes in use by the proxy, or by the service where there is none."""
        return sum(process.memory() for process in self.proxy or self.backend)

    def ask(self, work):
        """Asks once; returns the status and the answer's body."""
        return clients.ask(self.port, work.method, work.path, work.body, content_type=work.content_type, more=work.headers)

    def check(self, works):
        """Fails unless every work is answered as it must be."""
        for work in works:
            status, body = self.ask(work)
            if status != 200 or not work.is_answered_by(body):
                raise SystemExit(f"bench: {self.name} answers {work.name} with {status}: {body[:500]}")


class Starter:
    """Starts peers in a fleet; those that know TLS with these files of a certificate, if there are any."""

    def __init__(self, tools, fleet, shown=None, routes="", settings="", under=()):
        self.tools = tools
        self.fleet = fleet
        self.shown = shown
        # What Callgate's tables have beside the demo's, and its settings beside those that it ships with.
        self.routes = routes
        self.settings = settings
        # What Callgate and Envoy are run by, if by anything: a program that counts takes its time.
        self.under = list(under)
        self.patience = 300 if under else 30
        # Beside it instances may look slow, to be left and tried again, or not: a count would be of one or of the other.
        self.health = NONE_IS_LEFT if under else ""

    def start(self, name, workers=1, works=COMMON):
        """Starts a peer with its backend, waits until it answers, and checks its answers."""
        peer = getattr(self, name)(workers)
        self.ready(peer, works)
        return peer

    def ready(self, peer, works):
        """Waits until it answers, and checks its answers."""
        process = (peer.proxy or peer.backend)[0]
        wait_for(lambda: _answers(peer.port), process, peer.name, self.patience)
        peer.check(works)

    def floor(self, _workers):
        port, body = self.fleet.port(), self._write("floor.json", WORKS["quote"].answer_text())
        command = [self.tools.floor, "--listen", f"127.0.0.1:{port}", "--body", body]
        return Peer("floor", 1, port, [self.fleet.start(f"floor-{port}", command)], [])

    def plain(self, workers):
        return self._plain("plain", workers, ["--threads", workers])

    def plain_default(self, workers):
        """The service on tokio's default runtime, which has a thread for each core."""
        return self._plain("plain_default", workers, ["--default-runtime"])

    def _plain(self, name, workers, runtime):
        port = self.fleet.port()
        command = [self.tools.plain, "--listen", f"127.0.0.1:{port}", *runtime]
        return Peer(name, workers, port, [], [self.fleet.start(f"plain-{port}", command)])

    def nginx(self, workers):
        service, port = self.plain(workers), self.fleet.port()
        name = f"nginx-{port}"
        secure = self._secure()
        text = configs.nginx(self.fleet.folder, name, port, service.port, workers, secure)
        config = self._write(f"{name}.conf", text)
        process = self.fleet.start(name, [self.tools.nginx, "-c", config, "-e", "stderr"])
        return Peer("nginx", workers, port, [process], service.backend, **_ports(secure))

    def haproxy(self, workers):
        service, port = self.plain(workers), self.fleet.port()
        config = self._write(f"haproxy-{port}.cfg", configs.haproxy(port, service.port, workers))
        process = self.fleet.start(f"haproxy-{port}", [self.tools.haproxy, "-db", "-f", config])
        return Peer("haproxy", workers, port, [process], service.backend)

    def pingora(self, workers):
        service, port = self.plain(workers), self.fleet.port()
        command = [self.tools.pingora, "--listen", f"127.0.0.1:{port}", "--threads", workers]
        process = self.fleet.start(f"pingora-{port}", [*command, "--upstream", f"127.0.0.1:{service.port}"])
        return Peer("pingora", workers, port, [process], service.backend)

    def envoy(self, workers):
        service, port = self.fleet.port(), self.fleet.port()
        descriptor = self.fleet.folder / "shop.pb"
        writer = self.fleet.start("descriptor", [self.tools.grpc, "--descriptor", descriptor])
        writer.popen.wait(10)
        command = [self.tools.grpc, "--listen", f"127.0.0.1:{service}", "--threads", workers]
        backend = self.fleet.start(f"grpc-{service}", command)
        secure = self._secure()
        process = self._envoy(workers, port, configs.envoy(port, service, descriptor, secure))
        return Peer("envoy", workers, port, [process], [backend], serving="wrk:worker_", **_ports(secure))

    def envoy_checking(self, workers, jwks, answer):
        """With a further port, where tokens are checked. It has no service: it answers by itself."""
        port, checked = self.fleet.port(), self.fleet.port()
        config = configs.envoy_checking(port, configs.Checked(checked, jwks, answer))
        process = self._envoy(workers, port, config)
        return Peer("envoy", workers, port, [process], [], serving="wrk:worker_", checked=checked)

    def _envoy(self, workers, port, config):
        config = self._write(f"envoy-{port}.json", config)
        command = [*self.under, self.tools.envoy, "--config-path", config, "--concurrency", workers]
        command += ["--disable-hot-restart", "--log-level", "warning"]
        return self.fleet.start(f"envoy-{port}", command)

    def callgate(self, workers, table=None):
        """As it ships, but for ports and workers. `table` names the tables' folder and the backends' processes."""
        return self._callgate("callgate", workers, table or self._demo_table(ONE_THREAD))

    def callgate_default(self, workers):
        """The same, with instances on tokio's default runtime."""
        return self._callgate("callgate_default", workers, self._demo_table(DEFAULT_RUNTIME))

    def _callgate(self, name, workers, table):
        port, admin, secure = self.fleet.port(), self.fleet.port(), self._secure()
        folder, shops = table
        if secure:
            part = configs.callgate_certificate(secure, certificate.NAME)
            (folder / "certificates.toml").write_text(part, "utf-8")
        settings = configs.callgate(port, admin, workers, folder, secure)
        config = self._write(f"callgate-{port}.toml", settings + self.settings)
        # The access log goes to standard output.
        command = [*self.under, self.tools.callgate, "run", "--config", config]
        process = self.fleet.start(f"callgate-{port}", command, subprocess.DEVNULL)
        wait_for(lambda: _answers(admin, "/readyz", 200), process, "callgate", self.patience)
        return Peer(name, workers, port, [process], shops, admin, **_ports(secure))

    def shops(self, count=2, runtime=ONE_THREAD):
        """Instances of the demo's backend; returns their addresses and processes."""
        addresses, processes = [], []
        for _ in range(count):
            address = f"127.0.0.1:{self.fleet.port()}"
            processes.append(self.shop([address], runtime))
            addresses.append(address)
        return addresses, processes

    def shop(self, addresses, runtime=ONE_THREAD):
        """One instance that listens on all of these."""
        command = [self.tools.shop, *runtime]
        for address in addresses:
            command += ["--listen", address]
        return self.fleet.start(f"shop-{addresses[0]}", command)

    def _demo_table(self, runtime):
        addresses, processes = self.shops(runtime=runtime)
        folder = self.fleet.folder / f"routes-{self.fleet.port()}"
        folder.mkdir()
        (folder / "shop.toml").write_text(demo_table(addresses, self.tools.table, self.health), "utf-8")
        if self.routes:
            (folder / "more.toml").write_text(self.routes.replace("{first}", addresses[0]), "utf-8")
        return folder, processes

    def _secure(self):
        """Further ports and the certificate's files, where there is one."""
        if not self.shown:
            return None
        return configs.Secure(self.fleet.port(), self.fleet.port(), self.shown.chain, self.shown.key)

    def _write(self, name, text):
        path = self.fleet.folder / name
        path.write_text(text, "utf-8")
        return path


def _ports(secure):
    return {"https": secure.https, "h2c": secure.h2c} if secure else {}


def demo_table(addresses, file=ROOT / "routes" / "shop.toml", more=""):
    """The demo's table with these endpoints, and more lines of their backend."""
    table = file.read_text("utf-8")
    if ENDPOINTS not in table:
        raise SystemExit(f"bench: {file} has other endpoints than the benchmark knows")
    listed = ", ".join(f'"{address}"' for address in addresses)
    return table.replace(ENDPOINTS, f"endpoints = [{listed}]\n{more}")


def _answers(port, path="/v1/calc/add?a=1&b=2", wanted=None):
    """Whether anybody answers there, with that status if one is wanted."""
    try:
        status, _ = clients.ask(port, "GET", path, timeout=2)
    except OSError:
        return False
    return status == (wanted or 200)
