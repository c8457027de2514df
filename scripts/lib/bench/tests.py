"""What the benchmark makes of measurements: python3 -m unittest discover -s scripts/lib/bench -p tests.py."""

import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))

from bars import bars  # noqa: E402
from figures import Spread, neighbours, percentile, quartiles, ratio  # noqa: E402
from processes import cpu_seconds, resident, switches  # noqa: E402
from readings import DEBIANS, OURS, RAW  # noqa: E402
from subjects import samples, whole_domains  # noqa: E402
from tables import number, table  # noqa: E402

EXPOSITION = (
    b"# HELP libvirt_up x\n# TYPE libvirt_up gauge\nlibvirt_up 1\n"
    b"# HELP libvirt_domain_stats_complete x\n# TYPE libvirt_domain_stats_complete gauge\n"
    b'libvirt_domain_stats_complete{domain="a"} 1\nlibvirt_domain_stats_complete{domain="b"} 0\n'
    b'libvirt_domain_stats_complete{domain="c"} 1\n'
    b"# HELP libvirt_nova_exporter_tasks x\n# TYPE libvirt_nova_exporter_tasks gauge\nlibvirt_nova_exporter_tasks 1\n"
    b'# HELP go_info x\n# TYPE go_info gauge\ngo_info{version="1"} 1\n')


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
        self.assertGreater(resident(os.getpid()), 1 << 20)
        self.assertGreater(switches(os.getpid()), 0)

    def test_what_is_no_process_has_no_clock(self):
        with self.assertRaises(OSError):
            cpu_seconds(4_194_305)  # One more than the kernel gives.


def run(seconds):
    """A run with 50 guests in which ours takes so long and the others take a second."""
    def reading(subject, seconds, samples):
        return {"kind": "real", "domains": 50, "round": 0, "subject": subject, "seconds": seconds, "own": seconds,
                "libvirtd": 1.0, "bytes": 1, "resident": 1, "samples": samples, "calls": {}}
    readings = [reading(OURS, seconds, 500), reading(RAW, 1.0, 0), reading(DEBIANS, 1.0, 100)]
    return {"size": 5_000_001, "readings": readings}


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
        self.assertEqual(self.verdicts(1)["10,000 domains: resident memory"], "not measured")


class Tables(unittest.TestCase):
    def test_numbers_have_three_digits_or_all(self):
        printed = [number(value) for value in (0.0512, 1.148, 12.34, 1234.5)]
        self.assertEqual(printed, ["0.0512", "1.15", "12.3", "1,234"])

    def test_a_table_is_markdown(self):
        self.assertEqual(table(("", "a"), [("x", 1)]), "|  | a |\n| --- | --- |\n| x | 1 |\n")
