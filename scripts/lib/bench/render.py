"""Writes the page and its plots from a run: render.py RUN.json DOCS."""

import json
import sys
from pathlib import Path

from page import page
from plot import draw


def main():
    run, docs = map(Path, sys.argv[1:])
    if not run.exists():
        sys.exit(f"bench: there is no {run}: a full run of scripts/bench makes it")
    figures = json.loads(run.read_text())
    (docs / "benchmarks").mkdir(exist_ok=True)
    draw(figures, docs / "benchmarks")
    (docs / "benchmarks.md").write_text(page(figures))


main()
