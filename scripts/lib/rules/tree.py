"""The rules of the tree, their tests, the families that they may use, and their runbooks."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

# Beside those of families: what Prometheus says of each target.
OF_TARGETS = {"up": set()}
TARGET_LABELS = {"job", "instance"}
WIDE_LABELS = {"name", "flavor", "project_name", "source_file", "source_bridge"}
HISTOGRAM = ("_bucket", "_sum", "_count")


@dataclass
class Rule:
    file: str
    group: str
    interval: str
    body: dict

    @property
    def name(self):
        return self.body.get("record") or self.body["alert"]

    @property
    def records(self):
        return "record" in self.body

    @property
    def expression(self):
        return self.body["expr"]

    def __str__(self):
        return f"{self.file}: {self.name}"


class Tree:
    """Everything, read once."""

    def __init__(self, checkout, list_metrics):
        self.rules = [
            Rule(path.name, group["name"], group.get("interval", ""), rule)
            for path in sorted((checkout / "rules").glob("*.yml"))
            for group in loaded(path)["groups"]
            for rule in group["rules"]
        ]
        self.tests = {path.name: loaded(path) for path in sorted((checkout / "rules/tests").glob("*.yml"))}
        self.runbooks = (checkout / "docs/runbooks.md").read_text()
        self.readme = (checkout / "rules/README.md").read_text()
        self.families = families(list_metrics)

    @property
    def alerts(self):
        return [rule for rule in self.rules if not rule.records]

    @property
    def recordings(self):
        return [rule for rule in self.rules if rule.records]


def loaded(path):
    return yaml.safe_load(Path(path).read_text())


def families(list_metrics):
    """Returns the labels of every metric in the tables that `libvirt_nova --list-metrics` prints."""
    found = {}
    for line in list_metrics.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not re.fullmatch(r"`(libvirt_|process_)\w+`", cells[0]):
            continue
        name, kind, labels = cells[0].strip("`"), cells[1], set(re.findall(r"\w+", cells[3]))
        if kind == "histogram":
            found |= {name + end: labels | ({"le"} if end == "_bucket" else set()) for end in HISTOGRAM}
        else:
            found[name] = labels
    return found
