"""Tests of what TLS and HTTP/2 have brought to the driver, without a peer: python3 -m unittest discover -s bench/driver."""

import json
import pathlib
import ssl
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import certificate
import configs
import h2load
import http2
import plan
import ratios
import report
from stats import figure
from works import WORKS

RESULTS = pathlib.Path(__file__).resolve().parents[1] / "results" / "latest.json"
SECURE = configs.Secure(18443, 18080, pathlib.Path("/x/chain.pem"), pathlib.Path("/x/key.pem"))


def one(micros):
    return {"proxy_us": figure([micros])}


def cell(peer, transport, micros, connections=1, streams=64):
    place = {"peer": peer, "work": "quote", "transport": transport, "connections": connections, "streams": streams}
    keys = ("rps", "p50_us", "p99_us", "p999_us", "backend_us", "both_us", "memory_kb")
    return {**place, "errors": 0, **{key: figure([1.0]) for key in keys}, **one(micros)}


def with_secure(cells):
    """A full run's results, with these."""
    results = json.loads(RESULTS.read_text("utf-8"))
    idle = {"before_kb": 1000.0, "after_kb": 25000.0, "per_connection_kb": 12.0}
    results["secure"] = {
        "cells": cells,
        "handshakes": {"full": {"callgate": one(200)}, "resumed": {"callgate": one(100)}},
    }
    results["idle_secure"] = {"connections": 2000, "protocols": {"http/1.1": {"callgate": idle}, "h2": {}}}
    return results


class H2load(unittest.TestCase):
    def test_a_log_is_counted_and_its_latencies_are_ranked(self):
        lines = [f"{1_000_000 + number * 1000}\t200\t{number + 1}\n" for number in range(100)]
        said = h2load.Log("".join([*lines, "2000000\t503\t500\n"])).summary()
        self.assertEqual((said["requests"], said["errors"]), (101, 1))
        self.assertEqual((said["p50_us"], said["p99_us"], said["p999_us"]), (51.0, 100.0, 500.0))
        self.assertAlmostEqual(said["seconds"], 1.0005)

    def test_an_empty_log_is_no_request(self):
        self.assertEqual(h2load.Log("").summary()["requests"], 0)


class Http2(unittest.TestCase):
    def test_a_request_is_a_preface_settings_headers_and_data(self):
        sent = http2.request(WORKS["quote"], "localhost:1")
        self.assertTrue(sent.startswith(http2.PREFACE + b"\0\0\0\x04\0\0\0\0\0"))
        body = WORKS["quote"].body
        self.assertTrue(sent.endswith(http2.frame(http2.DATA, http2.END_STREAM, 1, body)))
        self.assertIn(b"\x07:method\x04POST", sent)

    def test_an_answer_ends_with_its_stream_however_it_is_cut(self):
        come = http2.frame(http2.SETTINGS, 0, 0, b"") + http2.frame(http2.HEADERS, http2.END_HEADERS, 1, b"\x20\x3f\xe1\x1f\x88abc")
        come += http2.frame(http2.DATA, 0, 1, b"{}")
        come += http2.frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, 1, b"\0\1x\1y")
        answer = http2.Answer()
        for at, byte in enumerate(come):
            self.assertFalse(answer.ended, at)
            answer.feed(bytes([byte]))
        self.assertTrue(answer.ended and answer.ok)

    def test_another_status_or_a_reset_is_no_answer(self):
        for frame in (
            http2.frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, 1, b"\x8d"),
            http2.frame(http2.RST_STREAM, 0, 1, b"\0\0\0\x08"),
        ):
            answer = http2.Answer()
            answer.feed(frame)
            self.assertTrue(answer.ended and not answer.ok)


class Configs(unittest.TestCase):
    def test_without_a_certificate_nothing_changes(self):
        for text in (
            configs.nginx(pathlib.Path("/x"), "n", 1, 2, 1),
            configs.envoy(1, 2, "/x/shop.pb"),
            configs.callgate(1, 2, 1, "/x"),
        ):
            self.assertNotIn("18443", text)
            self.assertNotIn("tls", text)

    def test_with_one_all_listen_with_tls_and_for_http2(self):
        for text in (
            configs.nginx(pathlib.Path("/x"), "n", 1, 2, 1, SECURE),
            configs.envoy(1, 2, "/x/shop.pb", SECURE),
            configs.callgate(1, 2, 1, "/x", SECURE) + configs.callgate_certificate(SECURE, "localhost"),
        ):
            for wanted in ("18443", "18080", "/x/chain.pem", "/x/key.pem"):
                self.assertIn(wanted, text)

    def test_the_transcoder_is_the_same_on_each_listener_of_envoy(self):
        listeners = json.loads(configs.envoy(1, 2, "/x/shop.pb", SECURE))["static_resources"]["listeners"]
        managers = [each["filter_chains"][0]["filters"][0]["typed_config"] for each in listeners]
        self.assertEqual([each.pop("codec_type") for each in managers], ["HTTP1", "AUTO", "HTTP2"])
        self.assertTrue(managers[0] == managers[1] == managers[2])


class Certificate(unittest.TestCase):
    def test_it_is_made_for_its_name_and_signed_by_its_authority(self):
        with tempfile.TemporaryDirectory() as folder:
            made = certificate.make(pathlib.Path(folder) / "made")
            server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.load_cert_chain(made.chain, made.key)
            to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
            ours = made.context("h2").wrap_bio(to_client, to_server, server_hostname=certificate.NAME)
            theirs = server.wrap_bio(to_server, to_client, server_side=True)
            for _ in range(3):
                for side in (ours, theirs):
                    try:
                        side.do_handshake()
                    except ssl.SSLWantReadError:
                        pass
            self.assertEqual(ours.version(), "TLSv1.3")


class Ratios(unittest.TestCase):
    def rows(self, results):
        return {row["name"]: row for row in ratios.of(results)}

    def test_they_are_of_the_cells_with_64_requests_at_once(self):
        cells = [cell("callgate", "https", 9.0, 64, 1), cell("nginx", "https", 18.0, 64, 1)]
        cells += [cell("callgate", "https", 99.0, 1, 1), cell("nginx", "https", 1.0, 1, 1)]
        cells += [cell("callgate", "h2", 12.0), cell("envoy", "h2", 120.0), cell("nginx", "h2", 10.0)]
        rows = self.rows(with_secure(cells))
        self.assertEqual(rows["TLS 1.3 keep-alive: CPU per request ÷ nginx's"]["value"], 0.5)
        self.assertEqual(rows["HTTP/2 over TLS, 64 streams: ÷ Envoy transcoder's"]["reached"], "aim")
        self.assertEqual(rows["HTTP/2 over TLS, 64 streams: ÷ nginx's"]["reached"], "no")
        self.assertIsNone(rows["HTTP/2 without TLS, 64 streams: ÷ nginx's"]["value"])
        self.assertEqual(rows["memory per idle TLS connection, KB"]["reached"], "must")
        self.assertIsNone(rows["memory per idle connection of HTTP/2 over TLS, KB"]["reached"])

    def test_results_of_before_have_none(self):
        results = json.loads(RESULTS.read_text("utf-8"))
        results.pop("secure", None)
        results.pop("idle_secure", None)
        self.assertIsNone(self.rows(results)["TLS 1.3 keep-alive: CPU per request ÷ nginx's"]["value"])


class Report(unittest.TestCase):
    def test_each_transport_has_a_table_and_handshakes_have_one(self):
        cells = [cell("callgate", "https", 9.0, 64, 1), cell("nginx", "h2", 10.0)]
        results = with_secure(cells)
        results["ratios"] = ratios.of(results)
        tables = {heading: rows for heading, _, rows in report.tables(results)}
        self.assertEqual(len(tables["TLS 1.3, HTTP/1.1: quote, 270 bytes, 64 connections"]), 1)
        self.assertEqual(len(tables["TLS 1.3, HTTP/2: quote, 270 bytes, 1 connection, 64 streams each"]), 1)
        self.assertEqual(tables["TLS 1.3 handshakes"], [["Callgate", "5,000", "200", "10,000", "100"]])
        self.assertIn("2,000 idle connections with TLS, HTTP/1.1", tables)

    def test_a_row_is_as_wide_as_its_header(self):
        results = with_secure([cell("callgate", "h2c", 9.0)])
        results["ratios"] = ratios.of(results)
        for heading, header, rows in report.tables(results):
            self.assertTrue(all(len(row) == len(header) for row in rows), heading)


class Plans(unittest.TestCase):
    def test_each_measures_what_is_judged(self):
        for each in (plan.full(), plan.quick()):
            judged = {(cell.transport, cell.connections * cell.streams) for cell in each.secure}
            self.assertLessEqual({("https", 64), ("h2", 64), ("h2c", 64)}, judged)


if __name__ == "__main__":
    unittest.main()
