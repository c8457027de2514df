"""What promtool does not see: whether each rule uses what is there, is tested both ways, and has its runbook."""

import re

from promql import PromqlError, mentioned
from tree import OF_TARGETS, TARGET_LABELS, WIDE_LABELS

SEVERITIES = {"critical", "warning", "info"}
RUNBOOK = "docs/runbooks.md#"
# Level, metric, operations; or Skyline's.
RECORD = re.compile(r"(domain|instance|uuid|project_id):libvirt_[a-z_]+:[a-z0-9_]+|virtual:kvm:[a-z]+(:[a-z]+)+")


def faults(tree):
    """Yields what is wrong, a line each."""
    yield from names(tree)
    for rule in tree.rules:
        try:
            yield from (f"{rule}: {fault}" for fault in vocabulary(rule, tree))
        except PromqlError as error:
            yield f"{rule}: {error}"
    for rule in tree.alerts:
        yield from (f"{rule}: {fault}" for fault in alert(rule))
    yield from tested(tree)
    yield from explained(tree)


def names(tree):
    seen = {}
    for rule in tree.rules:
        if rule.name in seen:
            yield f"{rule}: is in {seen[rule.name]} as well"
        seen[rule.name] = rule.file
        if not rule.interval:
            yield f"{rule}: its group {rule.group} has no interval, so that the windows rest on somebody's configuration"
    for rule in tree.recordings:
        if not RECORD.fullmatch(rule.name):
            yield f"{rule}: not level:metric:operations"
    for rule in tree.alerts:
        if not re.fullmatch(r"Libvirt[A-Za-z]+", rule.name):
            yield f"{rule}: not called Libvirt…"


def vocabulary(rule, tree):
    """Every metric is a family's or another rule's, and every label one that it has."""
    found, records = mentioned(rule.expression), {other.name: other for other in tree.recordings}
    for metric, labels in found.selected:
        known = labels_of(metric, tree, records, frozenset())
        if known is None:
            yield f"there is no {metric}"
            continue
        for label in set(labels) - known:
            yield f"{metric} has no label {label}"
    there = set().union(WIDE_LABELS, found.made, *(labels_of(metric, tree, records, frozenset()) or ()
                                                   for metric in found.metrics))
    for label in found.labels - there:
        yield f"no metric in it has a label {label}"


def labels_of(metric, tree, records, above):
    """Returns the labels that a metric may have; `None` where there is none of that name."""
    if metric in tree.families:
        return tree.families[metric] | TARGET_LABELS
    if metric in OF_TARGETS:
        return OF_TARGETS[metric] | TARGET_LABELS
    if metric not in records:
        return None
    found = mentioned(records[metric].expression)
    above |= {metric}  # A record may remember itself.
    return set(TARGET_LABELS).union(found.made, *(labels_of(other, tree, records, above) or ()
                                                  for other in found.metrics - above))


def alert(rule):
    if rule.body.get("labels", {}).get("severity") not in SEVERITIES:
        yield f"its severity is none of {', '.join(sorted(SEVERITIES))}"
    annotations = rule.body.get("annotations", {})
    for annotation in ("summary", "description"):
        if not annotations.get(annotation):
            yield f"has no {annotation}"
    if annotations.get("runbook_url") != RUNBOOK + rule.name.lower():
        yield f"its runbook_url is not {RUNBOOK}{rule.name.lower()}"


def tested(tree):
    """Every record is asked for with a sample, every alert once fires and once does not."""
    asked, firing, silent = set(), set(), set()
    for test in (test for file in tree.tests.values() for test in file["tests"]):
        for query in test.get("promql_expr_test", ()):
            if query["exp_samples"]:
                asked |= mentioned(query["expr"]).metrics if not query["expr"].startswith("{") else set()
        for case in test.get("alert_rule_test", ()):
            (firing if case.get("exp_alerts") else silent).add(case["alertname"])
    for rule in tree.recordings:
        if rule.name not in asked:
            yield f"{rule}: no test expects a sample of it"
    for rule in tree.alerts:
        if rule.name not in firing:
            yield f"{rule}: no test sees it fire"
        if rule.name not in silent:
            yield f"{rule}: no test sees it not fire"
    for name in (firing | silent) - {rule.name for rule in tree.alerts}:
        yield f"rules/tests: there is no alert {name}"


def explained(tree):
    """Runbooks and alerts, README and records name each other."""
    headings = set(re.findall(r"^### (\w+)$", tree.runbooks, re.MULTILINE))
    alerts = {rule.name for rule in tree.alerts}
    for name in sorted(alerts - headings):
        yield f"docs/runbooks.md: has no paragraph {name}"
    for name in sorted(headings - alerts):
        yield f"docs/runbooks.md: there is no alert {name}"
    for rule in tree.recordings:
        if f"`{rule.name}`" not in tree.readme:
            yield f"rules/README.md: does not name {rule.name}"
    for name in re.findall(r"^\| `([\w:]+:\w+)`", tree.readme, re.MULTILINE):
        if name not in {rule.name for rule in tree.recordings}:
            yield f"rules/README.md: there is no record {name}"
