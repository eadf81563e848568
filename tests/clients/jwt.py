"""Makes JSON Web Tokens with what Python and openssl have: jwt.py ALGORITHM KEY-FILE, a line of JSON each with the claims, a token each.

ALGORITHM is HS256, RS256 or none. A line may be a pair of claims and of what stands in the header beside `alg`.
"""

import base64, hashlib, hmac, json, subprocess, sys


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signature(algorithm, key, text):
    if algorithm == "HS256":
        return hmac.new(open(key, "rb").read().rstrip(b"\n"), text, hashlib.sha256).digest()
    if algorithm == "RS256":
        command = ["openssl", "dgst", "-sha256", "-sign", key]
        return subprocess.run(command, input=text, capture_output=True, check=True).stdout
    return b""


algorithm, key = sys.argv[1:]
for line in sys.stdin:
    said = json.loads(line)
    claims, header = said if isinstance(said, list) else (said, {})
    parts = [{"alg": algorithm} | header, claims]
    text = b".".join(encoded(json.dumps(part).encode()) for part in parts)
    print((text + b"." + encoded(signature(algorithm, key, text))).decode())
