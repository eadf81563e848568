"""Tests of what is measured of credentials, without a peer: python3 -m unittest discover -s bench/driver."""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import configs
import alternation
import beside
import credentials
import plan
import ratios
import report
from stats import figure, figures

RESULTS = pathlib.Path(__file__).resolve().parents[1] / "results" / "latest.json"


def measured(**added):
    """A full run's results, with these microseconds that ways add."""
    results = json.loads(RESULTS.read_text("utf-8"))
    results["credentials"] = {
        peer: {way: {"proxy_us": figure([10.0, 10.0]), "rps": figure([1.0]), "added_us": figure([us, us])} for way, us in ways.items()}
        for peer, ways in added.items()
    }
    results["ratios"] = ratios.of(results)
    return results


class Token(unittest.TestCase):
    def test_it_is_signed_by_the_key_of_the_set(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            shown = credentials.make(folder / "key.pem", now=lambda: 1_000)
            signed, _, signature = shown.token.rpartition(".")
            claims = json.loads(decoded(signed.split(".")[1]))
            self.assertEqual((claims["exp"], claims["iss"]), (87_400, configs.ISSUER))
            (folder / "signature").write_bytes(decoded(signature))
            openssl = ["openssl", "dgst", "-sha256", "-prverify", str(folder / "key.pem"), "-signature", str(folder / "signature")]
            done = subprocess.run(openssl, input=signed.encode(), capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            key = json.loads(shown.jwks)["keys"][0]
            modulus = subprocess.run(
                ["openssl", "rsa", "-in", str(folder / "key.pem"), "-noout", "-modulus"], capture_output=True, check=True
            )
            self.assertEqual(modulus.stdout.decode().strip(), "Modulus=" + decoded(key["n"]).hex().upper())


class Configs(unittest.TestCase):
    def test_envoy_checks_tokens_on_one_port_alone(self):
        text = json.loads(configs.envoy_checking(1, configs.Checked(3, "{}", "[1]")))
        listeners = {each["name"]: each for each in text["static_resources"]["listeners"]}
        managers = {name: each["filter_chains"][0]["filters"][0]["typed_config"] for name, each in listeners.items()}
        names = {name: [one["name"] for one in manager["http_filters"]] for name, manager in managers.items()}
        self.assertEqual(names["checked"][1:], names["clients"])
        self.assertEqual(names["checked"][0], "envoy.filters.http.jwt_authn")
        self.assertNotIn("jwt_authn", configs.envoy(1, 2, "/x/shop.pb"))


class Added(unittest.TestCase):
    def test_differences_are_taken_within_a_round(self):
        ways = {way: [{"proxy_us": us, "rps": 1.0} for us in rounds] for way, rounds in (("open", (10, 20)), ("jwt", (10.5, 20.5)))}
        self.assertEqual(alternation.added(ways, "open")["jwt"]["added_us"]["rounds"], [0.5, 0.5])

    def test_they_are_judged(self):
        found = measured(callgate={"open": 0.0, "jwt": 0.4, "api_key": 0.5, "rule": 0.1}, envoy={"open": 0.0, "jwt": 8.0})
        rows = {row["name"]: row for row in found["ratios"]}
        self.assertEqual(rows["a cached JWT adds CPU µs"]["reached"], "must")
        self.assertEqual(rows["a cached JWT: CPU added ÷ what Envoy's jwt_authn adds"]["value"], 0.05)
        self.assertEqual(rows["an API key adds CPU µs"]["reached"], "no")
        self.assertEqual(rows["a rule of two comparisons adds CPU µs"]["reached"], "aim")
        self.assertIn("an API key", report.text(found))

    def test_being_seen_is_judged(self):
        results = json.loads(RESULTS.read_text("utf-8"))
        kept = "the last 10,000 requests"
        ways = {"no lines": 0.0, "a line for each": 0.6, "spans of 1 %": 0.08, kept: 0.08}
        results["observed"] = {
            "callgate": {way: {"worker_us": figure([9.0]), "added_us": figure([us, us])} for way, us in ways.items()}
        }
        results["ratios"] = ratios.of(results)
        rows = {row["name"]: row for row in results["ratios"]}
        self.assertEqual(rows["a line of the access log for each request adds CPU µs of workers"]["reached"], "no")
        self.assertEqual(rows["spans of 1 % of requests add CPU µs of workers"]["reached"], "must")
        self.assertIn("a line for each", report.text(results))
        self.assertEqual(rows["the last 10,000 requests kept for a plan add CPU µs of workers"]["reached"], "must")

    def test_calls_beside_what_is_long_are_judged(self):
        results = json.loads(RESULTS.read_text("utf-8"))
        one = {"p50_us": 90.0, "p99_us": 130.0, "p999_us": 200.0, "p99_ratio": 1.3}
        results["beside"] = {"rate": 1000, "ways": {way: figures([one]) for way in beside.WAYS}}
        results["ratios"] = ratios.of(results)
        rows = {row["name"]: row["reached"] for row in results["ratios"]}
        self.assertEqual(rows["p99 beside a stream whose reader pauses ÷ alone"], "no")
        self.assertIn("50 MiB/s up", report.text(results))

    def test_each_plan_measures_enough_for_a_spread(self):
        for each in (plan.full(), plan.quick()):
            self.assertGreaterEqual(min(each.credential_rounds, each.observed_rounds, each.beside_rounds), 2)


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


if __name__ == "__main__":
    unittest.main()
