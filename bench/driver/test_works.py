"""Tests of the works and of what is counted of them, without a peer: python3 -m unittest discover -s bench/driver."""

import json
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True

import closed
import plan
import ratios
import report
from stats import figure
from works import FILE, MIB, WORKS

RESULTS = pathlib.Path(__file__).resolve().parents[1] / "results" / "latest.json"


class Peer:
    """One that has used a second more of each kind whenever it is asked."""

    seconds = 0

    def cpu(self):
        self.seconds += 1
        return self.seconds, 2 * self.seconds

    def memory(self):
        return 1024


def cell(peer, work, micros):
    keys = ("rps", "p50_us", "p99_us", "p999_us", "backend_us", "both_us", "memory_kb")
    place = {"peer": peer, "work": work, "connections": 4, "workers": 1}
    return {**place, "errors": 0, **{key: figure([1.0]) for key in keys}, "proxy_us": figure([micros])}


def with_cells(*cells):
    """A full run's results, with these beside its own."""
    results = json.loads(RESULTS.read_text("utf-8"))
    results["cells"] = [found for found in results["cells"] if WORKS[found["work"]].unit == "request"] + list(cells)
    results["ratios"] = ratios.of(results)
    return results


class Works(unittest.TestCase):
    def test_a_stream_is_all_of_its_items_in_order(self):
        lines = [b'{"number":"%d"}\n' % number for number in range(1, 51)]
        ticks = WORKS["ticks"]
        self.assertTrue(ticks.is_answered_by(b"".join(lines)))
        for body in (b"".join(lines[:-1]), b"".join(reversed(lines)), b"".join(lines) + b"\x1e{}\n", b"", b"[]"):
            self.assertFalse(ticks.is_answered_by(body), body[-40:])

    def test_a_file_is_bytes_and_its_size_is_what_is_said_of_it(self):
        self.assertTrue(WORKS["get"].is_answered_by(FILE))
        self.assertFalse(WORKS["get"].is_answered_by(FILE[:-1] + b"?"))
        self.assertTrue(WORKS["put"].is_answered_by(str(MIB).encode()))
        self.assertTrue(WORKS["put"].request(80).startswith(b"PUT /v1/files/a HTTP/1.1\r\n"))
        self.assertIn(b"Content-Type: application/octet-stream\r\n", WORKS["put"].request(80)[:200])

    def test_a_sum_may_be_a_string_and_no_other_number(self):
        add = WORKS["add"]
        self.assertTrue(add.is_answered_by(b'{"result":3}') and add.is_answered_by(b'{"result":"3"}'))
        self.assertFalse(add.is_answered_by(b'{"result":4}') or add.is_answered_by(b"busy"))


class Costs(unittest.TestCase):
    def test_they_are_of_each_unit_and_latencies_of_requests(self):
        done = {"requests": 10, "seconds": 2, "errors": 0, "p50_us": 7, "p99_us": 8, "p999_us": 9}
        found = closed.costs(Peer(), lambda: done, 1000)
        self.assertEqual((found["rps"], found["proxy_us"], found["both_us"]), (5000, 100, 300))
        self.assertEqual(found["p50_us"], 7)
        self.assertEqual(closed.costs(Peer(), lambda: done)["rps"], 5)


class Ratios(unittest.TestCase):
    def test_streams_and_files_are_judged(self):
        found = with_cells(cell("callgate", "count", 1.0), cell("envoy", "count", 7.0), cell("callgate", "put", 130.0), cell("nginx", "put", 100.0))
        rows = {row["name"]: row for row in found["ratios"]}
        self.assertEqual(rows["stream: CPU per item ÷ Envoy transcoder's"]["reached"], "must")
        self.assertEqual(rows["1 MiB up: CPU per MiB ÷ nginx's"]["reached"], "no")
        self.assertIsNone(rows["1 MiB down: CPU per MiB ÷ nginx's"]["value"])

    def test_each_plan_measures_what_is_judged(self):
        for each in (plan.full(), plan.quick()):
            cells = {(cell.work, cell.connections): cell.peers for cell in each.cells}
            self.assertLessEqual({"envoy", "callgate"}, set(cells["count", 4]))
            for work in ("put", "get"):
                self.assertLessEqual({"nginx", "callgate"}, set(cells[work, 4]))


class Report(unittest.TestCase):
    def test_a_table_says_what_is_counted(self):
        found = with_cells(cell("callgate", "count", 1.0), cell("nginx", "get", 1.0))
        headers = {heading: header for heading, header, _ in report.tables(found)}
        self.assertEqual(headers["Stream of 10,000 items, 4 connections, 1 worker"][1], "items/s")
        self.assertEqual(headers["Stream of 10,000 items, 4 connections, 1 worker"][5], "CPU µs per item: proxy")
        self.assertEqual(headers["1 MiB down, 4 connections, 1 worker"][1], "MiB/s")
        self.assertEqual(headers["Quote, 270 bytes, 64 connections, 1 worker"][1], "requests/s")


if __name__ == "__main__":
    unittest.main()
