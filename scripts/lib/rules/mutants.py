"""Rules that are a little wrong, each of which a test has to catch."""

import copy
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from promql import tokens

FACTORS = (0.75, 1.3)
# A selector that only spares work: what it is taken away from has been selected already.
SPARING = "count_over_time(libvirt_domain_events_total{"
MINUTES = re.compile(r"(\d+)([mh])")


def survivors(checkout, tree):
    """Returns how many mutants there are, and those that no test catches."""
    mutants = [(rule, what, body) for rule in tree.rules for what, body in mutated(rule)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        caught = pool.map(lambda mutant: is_caught(checkout, *mutant), mutants)
        found = [f"{rule}: {what}, and no test fails" for (rule, what, _), ok in zip(mutants, caught) if not ok]
    return len(mutants), found


def mutated(rule):
    """Yields what is changed, and the rule with it."""
    for _, text, start in numbers(rule.expression):
        for factor in FACTORS:
            expression = f"{rule.expression[:start]}{float(text) * factor:.9g}{rule.expression[start + len(text):]}"
            if number_matters(rule.expression, start, text, factor):
                yield f"{text} (at {start}) times {factor}", rule.body | {"expr": expression}
    for start, end in [*matchers(rule.expression), *clauses(rule.expression)]:
        expression = rule.expression[:start] + rule.expression[end:]
        yield f"without {rule.expression[start:end].strip()} (at {start})", rule.body | {"expr": expression}
    if "for" in rule.body:
        amount, unit = MINUTES.fullmatch(rule.body["for"]).groups()
        minutes = int(amount) * (60 if unit == "h" else 1)
        for other in (minutes - 1, minutes + 1):
            yield f"for: {other}m", rule.body | {"for": f"{other}m"}


def numbers(expression):
    """Returns the numbers of an expression that are no durations."""
    return [token for token in tokens(expression) if token.kind == "number"]


def matchers(expression):
    """Returns where each `label="value"` begins and ends."""
    found = re.finditer(r'\w+(=|!=|=~|!~)"[^"]*",?', expression)
    return [match.span() for match in found if not expression[:match.start()].endswith(SPARING)]


def clauses(expression):
    """Returns where each condition begins and ends that has a line of its own."""
    return [match.span() for match in re.finditer(r"^ *(and|unless) .*\n", expression, re.MULTILINE)]


def number_matters(expression, start, text, factor):
    """Zeros and ones that say yes or no, and the limits of counts, are no thresholds to be shifted by a fraction."""
    before = expression[:start].rstrip()
    return not (float(text) == 0 or before.endswith("==") or re.search(r"topk by \([^)]*\) \($", before)
                or (before.endswith(">=") and float(text) * factor > float(text) - 1 and factor < 1))


def is_caught(checkout, rule, what, body):
    """Whether a test of a rule fails with another body of it."""
    with tempfile.TemporaryDirectory() as directory:
        files = Path(directory)
        (files / "tests").mkdir()
        for path in (checkout / "rules").glob("*.yml"):
            document = yaml.safe_load(path.read_text())
            if path.name == rule.file:
                document = replaced(document, rule, body)
            (files / path.name).write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
        tests = []
        for path in (checkout / "rules/tests").glob("*.yml"):
            document = about(yaml.safe_load(path.read_text()), rule.name)
            if f"../{rule.file}" in document["rule_files"] and document["tests"]:
                tests.append(str(files / "tests" / path.name))
                Path(tests[-1]).write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
        done = subprocess.run(["promtool", "test", "rules", *tests], capture_output=True, text=True)
        # A mutant that is no PromQL fails as well, and proves nothing.
        if done.returncode and "got:" not in done.stdout + done.stderr:
            raise RuntimeError(f"{rule}: {what}: {done.stdout}{done.stderr}")
        return done.returncode != 0


def about(document, name):
    """Leaves only those tests that name a rule: each takes promtool's time."""
    return document | {"tests": [test for test in document["tests"] if name in yaml.safe_dump(test)]}


def replaced(document, rule, body):
    document = copy.deepcopy(document)
    for group in document["groups"]:
        group["rules"] = [body if (other.get("record") or other.get("alert")) == rule.name else other
                          for other in group["rules"]]
    return document
