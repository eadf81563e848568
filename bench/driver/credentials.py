"""Credentials and rules: what each check adds to a request, against the same request where nothing is checked.

All requests of the stage show the same credentials, checked or not. So the bytes on the wire, and reading them, are on both sides of
each difference. Envoy answers by itself, so that what its check adds is not lost in what else it does."""

import base64
import dataclasses
import hashlib
import json
import subprocess
import time

import alternation
import configs
from peers import Starter
from works import ORDER_ID, WORKS

WORK = WORKS["quote"]
START = 5

# How each gateway is asked: nothing is checked, and what is. The token is known from the requests before, with both.
WAYS = {"callgate": ("open", "jwt", "api_key", "rule"), "envoy": ("open", "jwt")}
BASE = "open"

KEY = "cg_a-key-of-the-benchmark-and-of-nobody-else"
CLAIMS = {
    "iss": configs.ISSUER,
    "aud": configs.AUDIENCE,
    "sub": "0197f3c2-5d8e-7b60-9a41-c3f2e8d51b07",
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "scope": "orders:read orders:write",
    "tenant": "acme",
    "jti": "5f1c9d0e-7a46-4b6f-9c55-0d1b8f6b2a11",
}


@dataclasses.dataclass(frozen=True)
class Shown:
    """A token, the key set that verifies it, and the hash of the key."""

    token: str
    jwks: str
    key_hash: str

    def headers(self):
        return (("Authorization", f"Bearer {self.token}"), ("X-Api-Key", KEY))


def expected(bench):
    """How long the stage will take, in seconds."""
    ways = sum(len(WAYS[name]) for name in bench.present(WAYS))
    return START + alternation.expected(ways, bench.plan.credential_rounds)


def run(bench, _results):
    """Every way of every gateway, in each round."""
    shown = make(bench.folder / "token.key")
    with bench.fleet("credentials") as fleet:
        bench.progress.step("credentials: starting the peers", START)
        starter = Starter(bench.tools, fleet)
        running = {name: ways(starter, name, shown) for name in bench.present(WAYS)}
        taken = alternation.measure(bench, running, bench.plan.credential_rounds)
    return {"credentials": {name: alternation.added(each, BASE) for name, each in taken.items()}}


def ways(starter, name, shown):
    """The ways of a gateway, which is started, and ready for them."""
    asking = WORK
    if name == "envoy":
        # Who answers by himself does not wait for a body, and closes the connection instead.
        asking = dataclasses.replace(WORK, method="GET", body=b"")
        peer = starter.envoy_checking(1, shown.jwks, WORK.answer_text())
        peers = {"open": peer, "jwt": dataclasses.replace(peer, port=peer.checked)}
        paths = {way: WORK.path for way in peers}
    else:
        peer = starter.callgate(1, _table(starter, shown))
        peers = {way: peer for way in WAYS[name]}
        paths = {way: f"/{way}/orders/{ORDER_ID}/quote" for way in peers}
    starter.ready(peer, [])
    asked = {}
    for way, peer in peers.items():
        work = dataclasses.replace(asking, name=f"quote-{way}", path=paths[way], headers=shown.headers())
        peer.check([work])
        _refuses_without(peer, work, checked=way in ("jwt", "api_key"))
        asked[way] = alternation.Way(peer, work)
    return asked


def _table(starter, shown):
    addresses, shops = starter.shops()
    folder = starter.fleet.folder / "routes"
    folder.mkdir()
    jwks, keys = starter.fleet.folder / "jwks.json", starter.fleet.folder / "keys.toml"
    jwks.write_text(shown.jwks, "utf-8")
    keys.write_text(f'[[key]]\nname = "ada"\nsha256 = "{shown.key_hash}"\n', "utf-8")
    (folder / "routes.toml").write_text(configs.callgate_credentials(addresses, jwks, keys, starter.health), "utf-8")
    return folder, shops


def _refuses_without(peer, work, checked):
    """A check that lets everybody pass would be the cheapest."""
    status, _ = peer.ask(dataclasses.replace(work, headers=()))
    if status != (401 if checked else 200):
        raise SystemExit(f"bench: {peer.name} answers {work.name} without credentials with {status}")


def make(file, now=time.time):
    """A token of RS256 for a day, signed by a new key in `file`."""
    _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(file))
    modulus = _openssl("rsa", "-in", str(file), "-noout", "-modulus").decode("ascii").strip().removeprefix("Modulus=")
    known = {"kty": "RSA", "kid": "bench", "use": "sig", "alg": "RS256", "n": _base64(bytes.fromhex(modulus)), "e": "AQAB"}
    claims = {**CLAIMS, "iat": int(now()), "exp": int(now()) + 86_400}
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "bench"}, claims]
    signed = ".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    signature = _openssl("dgst", "-sha256", "-sign", str(file), given=signed.encode())
    key_hash = hashlib.sha256(KEY.encode()).hexdigest()
    return Shown(f"{signed}.{_base64(signature)}", json.dumps({"keys": [known]}), key_hash)


def _base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _openssl(*arguments, given=b""):
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: openssl {' '.join(arguments)}\n{done.stderr.decode()}")
    return done.stdout
