"""What the benchmark makes of measurements: python3 -m unittest discover -s scripts/lib/bench -p tests.py."""

import mmap
import os
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))

from bars import bars  # noqa: E402
from figures import Spread, neighbours, percentile, quartiles, ratio  # noqa: E402
from page import page  # noqa: E402
from processes import cpu_seconds, memory, switches  # noqa: E402
from readings import DEBIANS, OURS, RAW  # noqa: E402
from steps import StepsError, steps  # noqa: E402
from subjects import CALLS, REFUSED, RawLoop, SubjectError, called, samples, whole_domains  # noqa: E402
from tables import linearity, number, table  # noqa: E402

EXPOSITION = (
    b"# HELP libvirt_up x\n# TYPE libvirt_up gauge\nlibvirt_up 1\n"
    b"# HELP libvirt_domain_stats_complete x\n# TYPE libvirt_domain_stats_complete gauge\n"
    b'libvirt_domain_stats_complete{domain="a"} 1\nlibvirt_domain_stats_complete{domain="b"} 0\n'
    b'libvirt_domain_stats_complete{domain="c"} 1\n'
    b"# HELP libvirt_nova_exporter_tasks x\n# TYPE libvirt_nova_exporter_tasks gauge\nlibvirt_nova_exporter_tasks 1\n"
    b'# HELP go_info x\n# TYPE go_info gauge\ngo_info{version="1"} 1\n')


DIVAN = """Timer precision: 20 ns
scrape             fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ decoder                       │               │               │               │         │
│  ├─ 50           86.98 µs      │ 1.426 ms      │ 88.24 µs      │ 102.9 µs      │ 100     │ 100
│  │               1.103 GB/s    │ 67.29 MB/s    │ 1.087 GB/s    │ 932.8 MB/s    │         │
│  │               574.8 Kitem/s │ 35.05 Kitem/s │ 566.6 Kitem/s │ 485.8 Kitem/s │         │
│  │               max alloc:    │               │               │               │         │
├─ decoder_wire                  │               │               │               │         │
│  ├─ 50           28.13 µs      │ 57.84 µs      │ 28.27 µs      │ 28.79 µs      │ 100     │ 100
╰─ exposition                    │               │               │               │         │
   ├─ 50           284.2 µs      │ 500.8 µs      │ 297.7 µs      │ 302.6 µs      │ 100     │ 100
   │               3.215 GB/s    │ 1.825 GB/s    │ 3.07 GB/s     │ 3.02 GB/s     │         │
   │               21.15 Mitem/s │ 12 Mitem/s    │ 20.19 Mitem/s │ 19.86 Mitem/s │         │
   ╰─ 500          2.483 ms      │ 7.672 ms      │ 2.621 ms      │ 3.053 ms      │ 100     │ 100
                   3.655 GB/s    │ 1.183 GB/s    │ 3.463 GB/s    │ 2.974 GB/s    │         │
                   24.16 Mitem/s │ 7.821 Mitem/s │ 22.89 Mitem/s │ 19.65 Mitem/s │         │
                   max alloc:    │               │               │               │         │
"""


class Figures(unittest.TestCase):
    def test_a_percentile_is_a_value_that_was_measured(self):
        hundred = list(range(100, 0, -1))
        self.assertEqual([percentile(hundred, percent) for percent in (1, 25, 50, 99, 100)], [1, 25, 50, 99, 100])
        self.assertEqual(percentile([7], 99), 7)
        self.assertEqual(percentile([1, 2, 3], 99), 3)

    def test_the_quartiles_are_around_the_median(self):
        self.assertEqual(quartiles([4, 1, 3, 2]), Spread(2.5, 1, 3))

    def test_what_slows_a_round_leaves_its_ratio(self):
        self.assertEqual(neighbours([1, 10, 100], [2, 20, 200]), Spread(0.5, 0.5, 0.5))
        with self.assertRaises(ValueError):
            neighbours([1, 2], [1])

    def test_a_ratio_of_medians_lies_in_its_interval_and_is_the_same_again(self):
        ours, theirs = [2.0, 2.1, 1.9, 2.0, 5.0], [1.0, 1.1, 0.9, 1.0]
        spread = ratio(ours, theirs)
        self.assertEqual(spread.median, 2.0)
        self.assertTrue(1.6 < spread.low < 2.0 < spread.high < 6, spread)
        self.assertEqual(spread, ratio(ours, theirs))


class Answers(unittest.TestCase):
    def test_domains_count_that_gave_all(self):
        self.assertEqual(whole_domains(EXPOSITION), 2)
        self.assertEqual(whole_domains(b"# HELP libvirt_up x\nlibvirt_up 1\n"), 0)

    def test_an_exporters_own_samples_do_not_count(self):
        self.assertEqual(samples(EXPOSITION), 4)


class Processes(unittest.TestCase):
    def test_the_clock_of_a_process_is_the_one_it_reads_itself(self):
        before, cpu, after = time.process_time(), cpu_seconds(os.getpid()), time.process_time()
        self.assertTrue(before <= cpu <= after, (before, cpu, after))

    def test_a_process_has_memory_and_has_been_woken(self):
        self.assertGreater(memory(os.getpid())["resident"], 1 << 20)
        before = switches(os.getpid())
        time.sleep(0.001)
        self.assertGreater(switches(os.getpid()), before)

    def test_memory_that_was_given_back_stays_in_the_peak(self):
        with mmap.mmap(-1, 64 << 20) as pages:
            pages.write(bytes(len(pages)))
        found = memory(os.getpid())
        self.assertGreater(found["peak"], found["resident"] + (32 << 20))

    def test_what_is_no_process_has_no_clock(self):
        with self.assertRaises(OSError):
            cpu_seconds(4_194_305)  # One more than the kernel gives.


def run(seconds):
    """A run with 50 guests in which ours takes so long and the others take a second."""
    def reading(subject, seconds, samples):
        return {"kind": "real", "domains": 50, "round": 0, "subject": subject, "seconds": seconds, "own": seconds,
                "libvirtd": 1.0, "bytes": 1, "resident": 1, "peak": 1, "samples": samples, "calls": {}}
    readings = [reading(OURS, seconds, 500), reading(RAW, 1.0, 0), reading(DEBIANS, 1.0, 100)]
    return {"size": 5_000_001, "steps": {"encoder": 0.003, "decoder": 0.00031}, "machine": {}, "readings": readings,
            "skipped": []}


def simulated(seconds, own, peak):
    """A run in which 100 and 1,000 domains take 1 ms each, of time and CPU, and 10,000 what is given."""
    readings = [{"kind": "simulated", "domains": domains, "round": number, "subject": OURS, "bytes": 1, "libvirtd": 1.0,
                 "samples": 1, "calls": {}, "resident": 1000 * domains, "peak": peak,
                 "seconds": domains * (seconds if domains == 10_000 else 0.001),
                 "own": domains * (own if domains == 10_000 else 0.001)}
                for domains in (100, 1000, 10_000) for number in range(5)]
    return {**run(1), "readings": readings}


class Steps(unittest.TestCase):
    def test_divans_medians_are_those_of_its_table(self):
        found = steps(DIVAN)
        self.assertAlmostEqual(found["encoder"], 60_000 / 22.89e6)
        self.assertAlmostEqual(found["decoder"], 88.24e-6)

    def test_what_divan_does_not_tell_is_a_fault(self):
        for absent in "decoder ", "─ 50 ", "22.89 Mitem/s", "exposition":
            with self.assertRaisesRegex(StepsError, "divan tells no median of"):
                steps(DIVAN.replace(absent, "x"))
        with self.assertRaises(StepsError):
            steps("")


class FakeOurs:
    calls, refused = {"DomainGetCPUStats": 2}, 1


class RawLoops(unittest.TestCase):
    def ask(self, answer):
        with tempfile.TemporaryDirectory() as directory:
            program = Path(directory) / "loop"
            program.write_text(f"#!/bin/sh\n{answer}\n")
            program.chmod(0o755)
            loop = RawLoop(program, directory, FakeOurs)
            try:
                return loop.ask()
            finally:
                loop.stop()
                loop._process.stdout.close()

    def said(self, received, refused):
        return self.ask(f"read line; echo nanoseconds=5 bytes={received} refused={refused} DomainGetCPUStats=2")

    def test_it_may_be_refused_what_ours_was(self):
        self.assertEqual(self.said(1000, 1).domains, 2)
        with self.assertRaisesRegex(SubjectError, "2 calls were refused, expected 1"):
            self.said(1000, 2)

    def test_too_few_bytes_are_a_fault(self):
        with self.assertRaisesRegex(SubjectError, "999 bytes of 2 domains"):
            self.said(999, 0)

    def test_one_that_has_ended_is_a_fault(self):
        with self.assertRaisesRegex(SubjectError, "raw loop: it has ended, status 3"):
            self.ask("exit 3")

    def test_calls_and_refusals_are_those_of_a_scrape(self):
        text = (b'libvirt_nova_exporter_rpc_errors_total{code="8",procedure="DomainGetJobStats"} 2\n'
                b'libvirt_nova_exporter_rpc_errors_total{code="9",procedure="DomainGetJobStats"} 1\n'
                b'libvirt_nova_exporter_rpc_errors_total{code="9",procedure="DomainGetXMLDesc"} 1\n'
                b'libvirt_nova_exporter_rpc_duration_seconds_count{procedure="NodeGetInfo"} 4\n')
        self.assertEqual({name: count for name, count in called(REFUSED, text).items() if count}, {"DomainGetJobStats": 3})
        self.assertEqual({name: count for name, count in called(CALLS, text).items() if count}, {"NodeGetInfo": 4})


class Bars(unittest.TestCase):
    def verdicts(self, seconds):
        return {bar.what: bar.verdict() for bar in bars(run(seconds))}

    def test_a_bar_is_met_up_to_its_limit(self):
        what = "50 guests, to the raw loop: time"
        self.assertEqual([self.verdicts(seconds)[what] for seconds in (1.15, 1.16)], ["met", "missed"])
        self.assertEqual(self.verdicts(1)["The binary"], "missed")

    def test_a_sample_is_what_debians_is_held_against(self):
        what = "50 guests, to Debian's, a sample: time"
        self.assertEqual([self.verdicts(seconds)[what] for seconds in (1.6, 1.7)], ["met", "missed"])

    def test_what_was_not_measured_is_said_so(self):
        self.assertEqual(self.verdicts(1)["10,000 domains: memory, the peak"], "not measured")

    def test_time_and_cpu_a_domain_may_grow_by_a_fifth_each(self):
        found = {bar.what: bar for bar in bars(simulated(0.0012, 0.00121, 251e6))}
        time, cpu = [found[f"10,000 domains to 1,000: {what} a domain"] for what in ("time", "CPU of the exporter")]
        self.assertAlmostEqual(time.measured.median, 1.2)
        self.assertEqual((time.limit, cpu.limit, cpu.verdict()), (1.2, 1.2, "missed"))
        self.assertAlmostEqual(cpu.measured.median, 1.21)
        self.assertEqual(found["10,000 domains: memory, the peak"].verdict(), "missed")

    def test_encoder_and_decoder_are_held_in_milliseconds(self):
        verdicts = self.verdicts(1)
        self.assertEqual(verdicts["The encoder: 60,000 samples"], "met")
        self.assertEqual(verdicts["The decoder: full statistics of 50 domains"], "missed")


class Tables(unittest.TestCase):
    def test_numbers_have_three_digits_or_all(self):
        printed = [number(value) for value in (0.0512, 1.148, 12.34, 1234.5)]
        self.assertEqual(printed, ["0.0512", "1.15", "12.3", "1,234"])

    def test_a_table_is_markdown(self):
        self.assertEqual(table(("", "a"), [("x", 1)]), "|  | a |\n| --- | --- |\n| x | 1 |\n")

    def test_each_size_has_its_time_cpu_and_memory_a_domain(self):
        lines = linearity(simulated(0.0012, 0.001, 2e6)).splitlines()
        self.assertEqual(len(lines), 5)
        self.assertEqual(lines[2], "| 100 | 1,000 µs |  | 1,000 µs |  | 1 kB | 20 kB |")
        self.assertTrue(lines[4].startswith("| 10,000 | 1,200 µs | 1.2 (1.2 to 1.2) | 1,000 µs | 1 (1 to 1) | 1 kB | 0.2 kB"))

    def test_no_line_of_the_page_is_a_command_line(self):
        lines = page(simulated(0.001, 0.001, 1)).splitlines()
        self.assertIn("# Benchmarks", lines)
        self.assertEqual([line for line in lines if line.startswith("libvirt_nova ")], [])
