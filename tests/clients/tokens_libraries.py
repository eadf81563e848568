"""Tokens as PyJWT and jwcrypto make them, and what these libraries think of them: tokens_libraries.py FOLDER.

In the folder it leaves `jwks.json` (made by jwcrypto), `keys.pem` (by cryptography, as PyJWT reads keys) and `secret`. It prints a line of JSON for
each token: which library has made it, which keys verify it (jwks, pem or secret), the token, and whether the library accepts it itself.
"""

import json, sys, time

# The jwt.py beside this is not PyJWT.
sys.path.pop(0)

import jwt
from cryptography.hazmat.primitives import serialization
from jwcrypto import jwk, jws
from jwcrypto import jwt as jwcrypto_jwt

folder = sys.argv[1]
ISSUER, AUDIENCE, NOW = "https://id.example", "orders", int(time.time())
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
SECRET = b"a secret of the tests, 32 bytes!"


def generated(algorithm):
    kinds = {"RS": ("RSA", {"size": 2048}), "PS": ("RSA", {"size": 2048}), "Ed": ("OKP", {"crv": "Ed25519"})}
    kind, more = kinds.get(algorithm[:2], ("EC", {"crv": f"P-{algorithm[2:]}"}))
    return jwk.JWK.generate(kty=kind, kid=algorithm, alg=algorithm, use="sig", **more)


KEYS = {algorithm: generated(algorithm) for algorithm in ALGORITHMS}
OTHERS = {algorithm: generated(algorithm) for algorithm in ALGORITHMS}
OCT = jwk.JWK.from_password(SECRET.decode())

jwks = jwk.JWKSet()
for key in KEYS.values():
    jwks.add(key)
with open(f"{folder}/jwks.json", "w") as file:
    file.write(jwks.export(private_keys=False))
with open(f"{folder}/keys.pem", "wb") as file:
    file.write(b"".join(key.export_to_pem() for key in KEYS.values()))
with open(f"{folder}/secret", "wb") as file:
    file.write(SECRET)


def claims(**more):
    said = {"sub": "ada", "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 3600, "iat": NOW} | more
    return {name: value for name, value in said.items() if value is not None}


CLAIMS = {
    "good": claims(),
    "of several audiences": claims(aud=["others", AUDIENCE]),
    "with time to begin that is over": claims(nbf=NOW - 60),
    "with scopes and more": claims(scope="a b", jti="7", tenant={"name": "äcme"}),
    "expired": claims(exp=NOW - 3600),
    "not yet": claims(nbf=NOW + 3600),
    "without an end": claims(exp=None),
    "for others": claims(aud="others"),
    "for nobody": claims(aud=None),
    "of another issuer": claims(iss="https://other.example"),
    "of nobody": claims(iss=None),
}


def private(key):
    return serialization.load_pem_private_key(key.export_to_pem(private_key=True, password=None), None)


def pyjwt_accepts(token, key, algorithms):
    """As PyJWT verifies with what the gateway's table says."""
    try:
        options = {"require": ["exp", "iss", "aud", "sub"]}
        jwt.decode(token, key, algorithms=algorithms, issuer=ISSUER, audience=AUDIENCE, leeway=30, options=options)
        return True
    except jwt.PyJWTError:
        return False


def jwcrypto_accepts(token, key, algorithms):
    try:
        wanted = {"iss": ISSUER, "aud": AUDIENCE, "exp": None, "sub": None}
        # It looks at what it is told to look at.
        said = jws.JWS()
        said.deserialize(token)
        if "nbf" in json.loads(said.objects["payload"]):
            wanted["nbf"] = None
        read = jwcrypto_jwt.JWT(check_claims=wanted, algs=algorithms)
        read.leeway = 30
        read.deserialize(token, key)
        return True
    except Exception:
        return False


def tell(by, what, verified_by, token, accepted):
    print(json.dumps({"by": by, "what": what, "keys": verified_by, "token": token, "accepted": accepted}))


def with_pyjwt(what, said, algorithm, key, headers):
    token = jwt.encode(said, SECRET if key is OCT else private(key), algorithm=algorithm, headers=headers)
    return token


def with_jwcrypto(what, said, algorithm, key, headers):
    token = jwcrypto_jwt.JWT(header={"alg": algorithm, "typ": "JWT"} | headers, claims=said)
    token.make_signed_token(key)
    return token.serialize()


for by, make in [("PyJWT", with_pyjwt), ("jwcrypto", with_jwcrypto)]:

    def accepts(token, algorithm, verified_by):
        if verified_by == "secret":
            key, allowed = (SECRET if by == "PyJWT" else OCT), ["HS256"]
        else:
            key, allowed = KEYS[algorithm], ALGORITHMS
            if by == "PyJWT":
                key = private(key).public_key()
        return (pyjwt_accepts if by == "PyJWT" else jwcrypto_accepts)(token, key, allowed)

    for algorithm in ALGORITHMS:
        for what, said in CLAIMS.items():
            for verified_by in ["jwks", "pem"]:
                headers = {"kid": algorithm} if verified_by == "jwks" else {}
                token = make(what, said, algorithm, KEYS[algorithm], headers)
                tell(by, f"{algorithm}, {what}", verified_by, token, accepts(token, algorithm, verified_by))
        token = make("", CLAIMS["good"], algorithm, OTHERS[algorithm], {"kid": algorithm})
        tell(by, f"{algorithm} by another key", "jwks", token, accepts(token, algorithm, "jwks"))
        # One letter of the signature is another.
        token = make("", CLAIMS["good"], algorithm, KEYS[algorithm], {"kid": algorithm})
        head, body, signature = token.split(".")
        changed = ("A" if signature[5] != "A" else "B")
        token = f"{head}.{body}.{signature[:5]}{changed}{signature[6:]}"
        tell(by, f"{algorithm} with another signature", "jwks", token, accepts(token, algorithm, "jwks"))
    for what, said in CLAIMS.items():
        token = make(what, said, "HS256", OCT, {})
        tell(by, f"HS256, {what}", "secret", token, accepts(token, "HS256", "secret"))

# What no library accepts that is told which algorithms there may be.
unsigned = jwt.encode(CLAIMS["good"], None, algorithm="none")
tell("PyJWT", "none", "secret", unsigned, pyjwt_accepts(unsigned, SECRET, ["HS256"]))
tell("PyJWT", "none", "jwks", unsigned, pyjwt_accepts(unsigned, private(KEYS["RS256"]).public_key(), ALGORITHMS))
# The public key's text as the secret: RFC 8725, 2.1.
text = jwk.JWK.from_password(KEYS["RS256"].export_to_pem().decode())
confused = with_jwcrypto("", CLAIMS["good"], "HS256", text, {"kid": "RS256"})
tell("jwcrypto", "HS256 by the text of a public key", "jwks", confused, jwcrypto_accepts(confused, KEYS["RS256"], ALGORITHMS))
# Signed as JSON and not as three parts.
whole = jws.JWS(json.dumps(CLAIMS["good"]).encode())
whole.add_signature(KEYS["ES256"], None, json.dumps({"alg": "ES256", "kid": "ES256"}))
tell("jwcrypto", "as JSON", "jwks", whole.serialize(), False)
