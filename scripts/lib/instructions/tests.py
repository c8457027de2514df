"""What scripts/instructions would find: python3 -m unittest discover -s scripts/lib/instructions -p tests.py."""

import unittest

import kept


class Comparing(unittest.TestCase):
    def test_growth_beyond_the_limit_is_a_fault(self):
        self.assertEqual(kept.compare({"a": 1000}, {"a": 1040}), ([], []))
        self.assertEqual(kept.compare({"a": 1000}, {"a": 1050}), ([], []))
        self.assertEqual(kept.compare({"a": 1000}, {"a": 1060}),
                         (["a: 1,060 instructions, 1,000 are kept: +6.0 %"], []))

    def test_a_gain_is_told_and_no_fault(self):
        self.assertEqual(kept.compare({"a": 1000}, {"a": 950}), ([], []))
        self.assertEqual(kept.compare({"a": 1000}, {"a": 940}),
                         ([], ["a: 940 instructions, 1,000 are kept: -6.0 %"]))

    def test_a_subject_without_a_line_and_a_line_without_a_subject_are_faults(self):
        self.assertEqual(kept.compare({"a": 1}, {"a": 1, "b": 2}), (["b: 2 instructions, and none are kept"], []))
        self.assertEqual(kept.compare({"a": 1, "b": 2}, {"a": 1}),
                         (["b: 2 instructions are kept, and there is no such subject"], []))

    def test_each_subject_is_compared_with_itself(self):
        faults, gains = kept.compare({"a": 1000, "b": 2000}, {"a": 2000, "b": 1000})
        self.assertEqual((len(faults), len(gains)), (1, 1))


class Keeping(unittest.TestCase):
    def test_what_is_written_is_read_again_in_the_order_of_the_names(self):
        counts = {"snapshot_50": 7, "decoder_50": 123456789}
        text = kept.write("rustc 1.95.0, valgrind-3.19.0", counts)
        self.assertEqual(kept.read(text), ("rustc 1.95.0, valgrind-3.19.0", counts))
        self.assertLess(text.index("decoder_50"), text.index("snapshot_50"))


if __name__ == "__main__":
    unittest.main()
