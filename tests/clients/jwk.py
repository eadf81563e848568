"""Prints a public key of RSA in PEM as a JWK (RFC 7517): jwk.py KID PEM-FILE."""

import base64, json, subprocess, sys

kid, pem = sys.argv[1:]
command = ["openssl", "rsa", "-pubin", "-in", pem, "-noout", "-modulus"]
modulus = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip().split("=")[1]
encoded = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
print(json.dumps({"kty": "RSA", "kid": kid, "alg": "RS256", "n": encoded(bytes.fromhex(modulus)), "e": "AQAB"}))
