"""Checks the rules: python3 scripts/lib/rules CHECKOUT EXPORTER. promtool has to have passed them."""

import subprocess
import sys
from pathlib import Path

from check import faults
from mutants import survivors
from tree import Tree


def main(checkout, exporter):
    listed = subprocess.run([exporter, "--list-metrics"], check=True, capture_output=True, text=True).stdout
    tree = Tree(Path(checkout), listed)
    found = list(faults(tree))
    print(f"{len(tree.recordings)} records, {len(tree.alerts)} alerts, {len(tree.families)} metrics to use")
    if not found:
        count, found = survivors(Path(checkout), tree)
        print(f"{count} mutants of thresholds, {len(found)} of them alive")
    for fault in found:
        print(fault, file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
