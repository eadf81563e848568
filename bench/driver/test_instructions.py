"""Tests of what is counted, without valgrind: python3 -m unittest discover -s bench/driver."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import against
import callgrind
import counted
import instructions
import render

# As callgrind-3.19.0 writes it.
PROFILE = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 9084
cmd:  callgate run --config totals: 5
part: 1
thread: 13

desc: Timerange: Basic block 0 - 42157095
desc: Trigger: Client Request

positions: line
events: Ir
summary: 0


ob=(3) /usr/lib/x86_64-linux-gnu/libm.so.6
fn=(1174) __expf_fma
67 665
-7 1330


totals: 36039537
"""

# As `vgdb v.info scheduler` says it.
SCHEDULER = """\
sched status:
  running_tid=13

Thread 1: status = VgTs_WaitSys syscall 202 (lwpid 9084)
==9084==    at 0x4A46829: syscall (syscall.S:38)
client stack range: [0x1FFEFF2000 0x1FFF000FFF] client SP: 0x1FFEFFD4F8

Thread 13: status = VgTs_Runnable (lwpid 9244)
==9084==    at 0x4A1444F: clock_gettime@@GLIBC_2.17 (clock_gettime.c:69)

Thread 19: status = VgTs_Empty (lwpid 0)
"""


# A program that hashes a text: nothing else than the first line of each function is its own.
HASHING = """\
fn=(1) find
10 5
cfn=(2) sha256_block_data_order
calls=3 0
10 300
11 7
fn=(2)
20 6
cfn=(3) sha256_block_data_order_hw
calls=3 0
20 294
fn=(3)
* 290
+2 4
"""


def rounds(*counts, blocks=0):
    return [{"worker": count, "process": count + 50, "blocks": blocks, "requests": 20_000} for count in counts]


def results(jwt=2_000, envoys=20_000, ns=0.2):
    """What was counted, with what a token adds to a request."""
    stages = {
        "works": {"callgate": {"quote": rounds(29_060, 29_064), "large": rounds(1e6, 1e6), "add": rounds(2e4, 2e4)}},
        "credentials": {
            "callgate": {"open": rounds(30_000, 30_010), "jwt": rounds(30_000 + jwt, 30_010 + jwt), "api_key": rounds(31_000, 31_010, blocks=1)},
            "envoy": {"open": rounds(400_000, 400_000), "jwt": rounds(400_000 + envoys, 400_000 + envoys)},
        },
        "observed": {"callgate": {"no lines": rounds(29_000, 29_000), "a line for each": rounds(34_000, 34_000)}},
    }
    counts = {
        stage: {peer: instructions.added(ways, instructions.BASES[stage]) for peer, ways in peers.items()} for stage, peers in stages.items()
    }
    time = {key: {"median": us, "min": us, "max": us, "rounds": [us]} for key, us in (("user_us", 5.8), ("cpu_us", 10.0))}
    return {"counts": counts, "time": {**time, "ns": ns, "block_us": 0.05}}


class Reading(unittest.TestCase):
    def test_a_profile_says_its_thread_and_its_sum(self):
        self.assertEqual(callgrind.dumped(PROFILE), (13, 36039537))

    def test_what_is_no_profile_of_a_thread_is_not_taken_for_none(self):
        for text in ("", PROFILE.replace("thread: 13\n", ""), PROFILE.replace("\ntotals: 36039537", "")):
            with self.assertRaises(SystemExit):
                callgrind.dumped(text)

    def test_blocks_of_sha_256_are_counted_apart(self):
        self.assertEqual(callgrind.hashed(HASHING), (300, 3))
        self.assertEqual(callgrind.hashed(PROFILE), (0, 0))

    def test_threads_that_have_ended_are_nobody(self):
        self.assertEqual(callgrind.tasks(SCHEDULER), {1: 9084, 13: 9244})


class Arithmetic(unittest.TestCase):
    def test_workers_are_told_from_what_runs_beside_them(self):
        threads = [("worker-0", 6_000, 1, None), ("worker-1", 4_000, 2, None), ("access-log", 500, 0, None), ("", 0, 0, None)]
        expected = {"worker": 10_000, "process": 10_500, "blocks": 3, "requests": 10}
        self.assertEqual(instructions.executed(threads, "worker-", 10), expected)

    def test_a_count_without_a_worker_is_none(self):
        for threads in ([], [("admin", 5, 0, None)], [("worker-0", 0, 0, None)]):
            with self.assertRaises(SystemExit):
                instructions.executed(threads, "worker-", 10)

    def test_what_is_done_once_in_a_load_is_not_counted(self):
        short, long = ({"worker": 700 + 30 * n, "process": 900 + 31 * n, "blocks": n, "requests": n} for n in (10, 200))
        self.assertEqual(instructions.between(short, long), {"worker": 30, "process": 31, "blocks": 1, "requests": 190})
        with self.assertRaises(SystemExit):
            instructions.between(long, short)

    def test_differences_are_taken_within_a_round(self):
        found = instructions.added({"open": rounds(100, 200), "jwt": rounds(110, 214)}, "open")
        self.assertEqual(found["jwt"]["added"]["rounds"], [10, 14])
        self.assertNotIn("added", found["open"])

    def test_what_is_added_is_judged_by_the_time_that_it_takes(self):
        rows = {ratio["name"]: (more, ratio) for more, ratio in counted.judged(results())}
        more, jwt = rows["a cached JWT adds CPU µs"]
        self.assertEqual((more, jwt["value"], jwt["reached"]), (2_000, 0.4, "must"))
        more, key = rows["an API key adds CPU µs"]
        self.assertEqual((more, round(key["value"], 6)), (1_000, 0.25))
        self.assertEqual(rows["a cached JWT: instructions added ÷ what Envoy's jwt_authn adds"][1]["reached"], "aim")
        line = rows["a line of the access log for each request adds CPU µs of workers"]
        self.assertEqual((line[0], line[1]["reached"]), (5_000, "no"))

    def test_what_was_not_counted_is_not_judged(self):
        found = results()
        del found["counts"]["credentials"]["envoy"]
        rows = {ratio["name"]: ratio["reached"] for _, ratio in counted.judged(found)}
        self.assertIsNone(rows["a cached JWT: instructions added ÷ what Envoy's jwt_authn adds"])
        self.assertIsNone(rows["spans of 1 % of requests add CPU µs of workers"])

    def test_two_builds_are_compared_round_by_round(self):
        ratio = against._counted(("quote", 1), {"after": [103, 206], "before": [100, 200]})
        self.assertEqual((round(ratio.value, 3), ratio.low, ratio.unit), (1.03, 1.03, "instructions"))
        self.assertFalse(ratio.holds())
        self.assertIn("DOES NOT HOLD", against.text([ratio], (pathlib.Path("/after"), pathlib.Path("/before"))))


class Tables(unittest.TestCase):
    def test_all_of_it_is_shown(self):
        text = counted.text(results())
        for part in ("29,062 ±2", "2,000 ±0", "0.200 ns", "Envoy, which answers by itself: a JWT", "a line for each"):
            self.assertIn(part, text)

    def test_a_page_has_them_between_their_marks(self):
        found = {**results(), "taken": "today", "commit": "abc", "seconds": 60, "versions": {"valgrind": "3.19.0"}}
        found["machine"] = {"cores": 2, "cpu": "one", "memory_gib": 1, "system": "Linux", "kernel": "6"}
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            page = root / "docs" / "performance.md"
            page.parent.mkdir()
            page.write_text(f"before\n{render.COUNTED}\nstale figures\n{render.COUNTED_END}\nafter\n", "utf-8")
            self.assertEqual(render.instructions(found, root), "docs/performance.md")
            written = page.read_text("utf-8")
        self.assertTrue(written.startswith("before\n") and written.endswith("\nafter\n"), written)
        self.assertIn("| a line for each | 34,000 ±0 | 34,050 ±0 | 5,000 ±0 | 1.00 |", written)
        self.assertNotIn("stale figures", written)


if __name__ == "__main__":
    unittest.main()
