"""What the soak would find: python3 -m unittest discover -s scripts/lib/soak -p tests.py."""

import unittest

from bed import Guest
from disturbances import Plan
from exporter import Use
from exposition import parse, value, values
from scraper import CPU_TIME, GRACE, Control, Counters, Scraper


def scrape(cpu_time):
    return (f"# HELP {CPU_TIME} x\n# TYPE {CPU_TIME} counter\n"
            f'{CPU_TIME}{{libvirtname="instance-00000001"}} {cpu_time}\n')


def up(number):
    return f"# HELP libvirt_up x\n# TYPE libvirt_up gauge\nlibvirt_up {number}\n"


class Reading(unittest.TestCase):
    def test_samples_are_found_by_family_and_labels(self):
        families = parse(up(1) + scrape(7))
        self.assertEqual(value(families, "libvirt_up"), 1)
        self.assertEqual(values(families, CPU_TIME), [({"libvirtname": "instance-00000001"}, 7)])

    def test_what_is_not_the_text_format_is_refused(self):
        whole = up(1)
        for text in [whole[:-1], whole + whole, whole + "libvirt_up 1\n", whole + "other 1\n", whole + "\n",
                     up("NaN"), up("x"), up("1 "), whole.replace("# HELP", "# HELD"), "libvirt_up 1\n",
                     scrape(1).replace('1"}', '1}'), scrape(1).replace('1"}', '\\x"}')]:
            with self.subTest(text), self.assertRaises(ValueError):
                parse(text)


class Judging(unittest.TestCase):
    def setUp(self):
        self.guest, self.faults = Guest(1), []
        self.guest.runs = [(0, 100), (200, None)]
        counters = Counters({self.guest.name: self.guest})
        self.control = Control()
        self.scraper = Scraper(("one", 1, 1, False), 0, counters, [(30, 40)], self.control, self.faults.append)

    def judge(self, text, began, took=0.1, status=200):
        self.faults.clear()
        self.scraper._judge(status, text, began, began + took)
        return self.faults

    def test_a_counter_goes_backwards_only_with_a_new_run(self):
        self.assertFalse(self.judge(up(1) + scrape(50), 10))
        self.assertIn("backwards", self.judge(up(1) + scrape(49), 20)[0])
        self.assertFalse(self.judge(up(1) + scrape(1), 99.95), "the run ended meanwhile")
        self.assertFalse(self.judge(up(1) + scrape(1), 300))

    def test_scrapes_at_the_same_time_are_not_compared(self):
        self.assertFalse(self.judge(up(1) + scrape(50), 10, took=0.5))
        self.assertFalse(self.judge(up(1) + scrape(49), 10.2))

    def test_a_late_scrape_is_excused_by_as_much_as_the_machine_stalled(self):
        took = self.scraper.deadline + GRACE + 0.1
        self.assertIn("late", self.judge(up(1), 10, took)[0])
        self.control._stalls.append((10 + took - 0.2, 10 + took + 1))
        self.assertFalse(self.judge(up(1), 10, took))
        self.assertEqual(len(self.scraper.figures.excused), 1)
        self.assertIn("late", self.judge(up(1), 10, took + 1.5)[0])

    def test_up_is_0_near_an_outage_or_alone(self):
        for began in (29.95, 35, 45.9, 29.8, 46.1):
            self.judge(up(0), began)
        self.assertEqual(self.scraper.figures.down, 5)
        self.assertEqual([began for began, _ in self.scraper.figures.down_alone], [29.8, 46.1])

    def test_what_is_served_without_libvirtd_is_a_fault(self):
        self.assertFalse(self.judge(up(0), 10))
        self.assertIn("domains are served", self.judge(up(0) + scrape(1), 10)[0])
        self.assertIn("libvirt_up is 2", self.judge(up(2), 10)[0])
        self.assertIn("status 503", self.judge("", 10, status=503)[0])


class Comparing(unittest.TestCase):
    def test_memory_may_grow_a_little_and_nothing_else_may_change(self):
        start = Use(3_800_000, 13, 1, 4)
        self.assertEqual(start.changes(Use(4_700_000, 13, 1, 4)), [])
        for end in [Use(4_710_000, 13, 1, 4), Use(3_800_000, 14, 1, 4), Use(3_800_000, 12, 1, 4),
                    Use(3_800_000, 13, 2, 4), Use(3_800_000, 13, 1, 5), Use(3_800_000, 13, 1, 3)]:
            self.assertEqual(len(start.changes(end)), 1, end)
        self.assertEqual(len(Use(1, 1, 1).changes(Use(1, 1, 1))), 1, "no tasks at all")


class Planning(unittest.TestCase):
    def plan(self, seed):
        plan = Plan(seed, [Guest(number) for number in range(1, 9)], [Guest(9), Guest(10)])
        return [*plan.warm_up(), *(plan.another() for _ in range(200))]

    def test_a_seed_is_a_plan(self):
        told = [[[str(act) for act in acts] for acts in self.plan(seed)] for seed in ("1", "1", "2")]
        self.assertEqual(told[0], told[1])
        self.assertNotEqual(told[0], told[2])

    def test_no_two_disturbances_of_a_round_meet(self):
        for acts in self.plan("1"):
            guests = [guest.number for act in acts for guest in act.guests]
            self.assertEqual(len(guests), len(set(guests)), acts)
            self.assertLessEqual(sum(not act.guests for act in acts), 1, acts)
