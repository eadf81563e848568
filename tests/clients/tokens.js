// Tokens as jose of npm makes them, and what it thinks of them: node tokens.js FOLDER. It leaves and prints what tokens_libraries.py does.

const fs = require("node:fs");
const path = require("node:path");

// The module is found where NODE_PATH says, which modules of ECMAScript do not look at.
const jose = require("jose");

const folder = process.argv[2];
const [issuer, audience, now] = ["https://id.example", "orders", Math.floor(Date.now() / 1000)];
const algorithms = ["RS256", "PS256", "ES256", "ES384", "EdDSA"];
const secret = new TextEncoder().encode("a secret of the tests, 32 bytes!");

const claims = (more) => ({ sub: "ada", iss: issuer, aud: audience, exp: now + 3600, iat: now, ...more });
const all = {
  good: claims({}),
  "of several audiences": claims({ aud: ["others", audience] }),
  "with time to begin that is over": claims({ nbf: now - 60 }),
  "with scopes and more": claims({ scope: "a b", jti: "7", tenant: { name: "äcme" } }),
  expired: claims({ exp: now - 3600 }),
  "not yet": claims({ nbf: now + 3600 }),
  "without an end": claims({ exp: undefined }),
  "for others": claims({ aud: "others" }),
  "for nobody": claims({ aud: undefined }),
  "of another issuer": claims({ iss: "https://other.example" }),
  "of nobody": claims({ iss: undefined }),
};

const made = (said, algorithm, key, header) =>
  new jose.SignJWT(said).setProtectedHeader({ alg: algorithm, ...header }).sign(key);

async function accepts(token, key, allowed) {
  const options = { issuer, audience, algorithms: allowed, clockTolerance: 30, requiredClaims: ["exp", "sub"] };
  return jose.jwtVerify(token, key, options).then(
    () => true,
    () => false,
  );
}

function tell(what, keys, token, accepted) {
  console.log(JSON.stringify({ by: "jose", what, keys, token, accepted }));
}

async function main() {
  const pairs = {};
  const others = {};
  for (const algorithm of algorithms) {
    pairs[algorithm] = await jose.generateKeyPair(algorithm, { extractable: true });
    others[algorithm] = await jose.generateKeyPair(algorithm, { extractable: true });
  }
  const jwk = async (algorithm) => ({
    ...(await jose.exportJWK(pairs[algorithm].publicKey)),
    kid: algorithm,
    alg: algorithm,
    use: "sig",
  });
  const set = { keys: await Promise.all(algorithms.map(jwk)) };
  fs.writeFileSync(path.join(folder, "jwks.json"), JSON.stringify(set));
  const pem = await Promise.all(algorithms.map((algorithm) => jose.exportSPKI(pairs[algorithm].publicKey)));
  fs.writeFileSync(path.join(folder, "keys.pem"), pem.map((text) => text.trimEnd() + "\n").join(""));
  fs.writeFileSync(path.join(folder, "secret"), secret);
  const keySet = jose.createLocalJWKSet(set);

  for (const algorithm of algorithms) {
    const { privateKey, publicKey } = pairs[algorithm];
    for (const [what, said] of Object.entries(all)) {
      const known = await made(said, algorithm, privateKey, { kid: algorithm, typ: "JWT" });
      tell(`${algorithm}, ${what}`, "jwks", known, await accepts(known, keySet, algorithms));
      const token = await made(said, algorithm, privateKey, {});
      tell(`${algorithm}, ${what}`, "pem", token, await accepts(token, publicKey, algorithms));
    }
    const forged = await made(all.good, algorithm, others[algorithm].privateKey, { kid: algorithm });
    tell(`${algorithm} by another key`, "jwks", forged, await accepts(forged, keySet, algorithms));
    const unknown = await made(all.good, algorithm, privateKey, { kid: "unknown" });
    tell(`${algorithm} by a key that is not known`, "jwks", unknown, await accepts(unknown, keySet, algorithms));
  }
  for (const [what, said] of Object.entries(all)) {
    const token = await made(said, "HS256", secret, {});
    tell(`HS256, ${what}`, "secret", token, await accepts(token, secret, ["HS256"]));
  }
  const unsigned = new jose.UnsecuredJWT(all.good).encode();
  tell("none", "jwks", unsigned, await accepts(unsigned, keySet, algorithms));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
