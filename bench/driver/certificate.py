"""The certificate that all TLS peers show, and what their clients offer: one key type, one suite, one group for all of them."""

import dataclasses
import pathlib
import ssl
import subprocess

# What the certificate is for, and what clients ask for.
NAME = "localhost"

# Clients offer these alone, so that every server takes them whatever it prefers. Browsers offer this suite first.
SUITE = "TLS_AES_128_GCM_SHA256"
GROUP = "X25519"

# For OpenSSL, which wrk and h2load link.
CLIENT_CONF = f"""\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = clients
[clients]
MinProtocol = TLSv1.3
Ciphersuites = {SUITE}
Groups = {GROUP}
"""


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Files: a chain with a key of P-256, the authority that has signed it, and the settings of OpenSSL's clients."""

    chain: pathlib.Path
    key: pathlib.Path
    authority: pathlib.Path
    clients: pathlib.Path

    def context(self, protocol=None):
        """For clients written in Python; `protocol` is offered by ALPN."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if protocol:
            context.set_alpn_protocols([protocol])
        return context


def make(folder):
    """Makes them in a new folder, by the openssl program."""
    folder.mkdir()
    made = Certificate(*(folder / name for name in ("chain.pem", "key.pem", "authority.pem", "clients.cnf")))
    made.clients.write_text(CLIENT_CONF, "utf-8")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-sha256"]
    signer, request, extensions = folder / "authority.key", folder / "request.pem", folder / "extensions.cnf"
    extensions.write_text(
        f"subjectAltName=DNS:{NAME}\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n",
        "utf-8",
    )
    _openssl("req", "-x509", *key, "-subj", "/CN=bench", "-keyout", signer, "-out", made.authority)
    _openssl("req", *key[:-3], "-subj", f"/CN={NAME}", "-keyout", made.key, "-out", request)
    sign = ["-CA", made.authority, "-CAkey", signer, "-CAcreateserial", "-days", "30", "-sha256"]
    _openssl("x509", "-req", "-in", request, *sign, "-extfile", extensions, "-out", made.chain)
    # nginx's workers may run as another user.
    for file in (folder, made.chain, made.key, made.authority):
        file.chmod(0o755 if file.is_dir() else 0o644)
    return made


def _openssl(*arguments):
    command = ["openssl", *(str(argument) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(command)}\n{done.stderr}")
