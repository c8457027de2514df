"""What the check would find: python3 -m unittest discover -s scripts/lib/rules -p tests.py."""

import unittest
from types import SimpleNamespace

from check import faults
from mutants import mutated
from promql import PromqlError, mentioned
from tree import Rule, families

TABLE = """
| name | type | unit | labels | from |
|---|---|---|---|---|
| `libvirt_up` | gauge |  |  | a list |
| `libvirt_domain_state` | gauge |  | domain, state, uuid | state |
| `libvirt_took_seconds` | histogram | seconds | procedure | the session |
"""


def record(name, expression):
    return Rule("recording.yml", "group", "1m", {"record": name, "expr": expression})


def alert(name, expression, **changed):
    annotations = {"summary": "s", "description": "d", "runbook_url": f"docs/runbooks.md#{name.lower()}"}
    body = {"alert": name, "expr": expression, "labels": {"severity": "info"}, "annotations": annotations}
    return Rule("alerts.yml", "group", "1m", body | changed)


def tree(rules, tests=None, runbooks=None):
    records = [rule for rule in rules if rule.records]
    alerts = [rule for rule in rules if not rule.records]
    whole = [
        {"promql_expr_test": [{"expr": rule.name, "exp_samples": [1]} for rule in records]},
        {"alert_rule_test": [{"alertname": rule.name, "exp_alerts": fired} for rule in alerts for fired in ([], [1])]},
    ]
    return SimpleNamespace(
        rules=rules, recordings=records, alerts=alerts, families=families(TABLE),
        tests={"test.yml": {"tests": whole if tests is None else tests}},
        runbooks="".join(f"### {rule.name}\n" for rule in alerts) if runbooks is None else runbooks,
        readme="".join(f"| `{rule.name}` |\n" for rule in records),
    )


class Reading(unittest.TestCase):
    def test_metrics_and_labels_are_found_in_every_place(self):
        found = mentioned('sum without (a) (rate(x:y{b="c{}",d!~"e"}[5m])) * on (f) group_left (g) z offset 1h > bool 2 # h')
        self.assertEqual(found.selected, [("x:y", ["b", "d"]), ("z", [])])
        self.assertEqual(found.labels, {"a", "f", "g"})

    def test_words_of_promql_are_no_metrics(self):
        found = mentioned("topk by (a) (1, x) and on (a) absent(y) unless count without (b) (z) == Inf")
        self.assertEqual(found.metrics, {"x", "y", "z"})

    def test_a_label_that_is_made_is_known(self):
        self.assertEqual(mentioned('label_replace(f(x{a="b"}, 1), "made", "$1", "a", "(.*)")').made, {"made"})

    def test_what_cannot_be_read_is_refused(self):
        for expression in ["x{", "x & y", '{__name__="x"}', "sum by (a"]:
            with self.subTest(expression), self.assertRaises(PromqlError):
                mentioned(expression)

    def test_a_histogram_is_three_metrics(self):
        self.assertEqual(families(TABLE)["libvirt_took_seconds_bucket"], {"procedure", "le"})
        self.assertNotIn("libvirt_took_seconds", families(TABLE))


class Checking(unittest.TestCase):
    sound = [
        record("domain:libvirt_there:max", 'max without (state, name) (libvirt_domain_state{state="running"})'),
        record("instance:libvirt_there:sum", "sum without (domain, uuid) (domain:libvirt_there:max) or instance:libvirt_there:sum"),
        alert("LibvirtDown", "libvirt_up == 0 and on (job, instance) up"),
    ]

    def assert_fault(self, words, tree):
        found = list(faults(tree))
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def test_sound_rules_have_no_fault(self):
        self.assertEqual(list(faults(tree(self.sound))), [])

    def test_what_is_not_there_is_found(self):
        for words, expression in [
            ("there is no libvirt_upp", "libvirt_upp"),
            ("libvirt_up has no label state", 'libvirt_up{state="x"}'),
            ("no metric in it has a label vcpu", "sum without (vcpu) (libvirt_domain_state)"),
            ("domain:libvirt_there:max has no label vcpu", 'domain:libvirt_there:max{vcpu="0"}'),
        ]:
            with self.subTest(expression):
                self.assert_fault(words, tree([*self.sound, record("instance:libvirt_x:sum", expression)]))

    def test_names_are_of_the_form(self):
        self.assert_fault("not level:metric:operations", tree([*self.sound, record("host:libvirt_x:sum", "libvirt_up")]))
        self.assert_fault("as well", tree([*self.sound, self.sound[0]]))
        self.assert_fault("not called Libvirt", tree([*self.sound, alert("Down", "libvirt_up")]))

    def test_an_alert_says_how_bad_it_is_and_what_to_do(self):
        self.assert_fault("severity", tree([alert("LibvirtX", "libvirt_up", labels={"severity": "page"})]))
        annotations = alert("LibvirtX", "libvirt_up").body["annotations"]
        for gone, words in [("summary", "summary"), ("description", "description"), ("runbook_url", "runbook_url")]:
            left = {key: text for key, text in annotations.items() if key != gone}
            self.assert_fault(words, tree([alert("LibvirtX", "libvirt_up", annotations=left)]))

    def test_every_rule_is_tested_both_ways(self):
        whole = tree(self.sound).tests["test.yml"]["tests"]
        self.assert_fault("no test sees it fire", tree(self.sound, [whole[0], fired([], "LibvirtDown")]))
        self.assert_fault("no test sees it not fire", tree(self.sound, [whole[0], fired([1], "LibvirtDown")]))
        self.assert_fault("there is no alert LibvirtGone", tree(self.sound, [*whole, fired([], "LibvirtGone")]))
        unasked = {"promql_expr_test": [{"expr": "instance:libvirt_there:sum", "exp_samples": [1]},
                                        {"expr": "domain:libvirt_there:max", "exp_samples": []}]}
        self.assert_fault("no test expects a sample", tree(self.sound, [unasked, whole[1]]))

    def test_runbooks_and_alerts_name_each_other(self):
        self.assert_fault("has no paragraph LibvirtDown", tree(self.sound, runbooks=""))
        self.assert_fault("there is no alert LibvirtUp", tree(self.sound, runbooks="### LibvirtDown\n### LibvirtUp\n"))


def fired(alerts, name):
    return {"alert_rule_test": [{"alertname": name, "exp_alerts": alerts}]}


class Mutating(unittest.TestCase):
    def test_thresholds_selectors_conditions_and_waits_are_changed(self):
        rule = alert("LibvirtX", 'libvirt_domain_state{state="x"} > 5\nunless libvirt_up == 1\n', **{"for": "2h"})
        self.assertEqual([what for what, _ in mutated(rule)], [
            "5 (at 34) times 0.75", "5 (at 34) times 1.3", 'without state="x" (at 21)', "without unless libvirt_up == 1 (at 36)",
            "for: 119m", "for: 121m",
        ])
