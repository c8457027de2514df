"""Steps of a scrape alone, as divan tells of crates/libvirt-nova/benches/scrape.rs."""

import re

# Fastest, slowest, median, mean, samples, iterations; the tree before them is drawn with the same line.
COLUMNS, MEDIAN = 6, 2
NAMED = re.compile(r"([│ ]*)[├╰]─ (\S+)")
TIMES = {"ps": 1e-12, "ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
RATES = {"item/s": 1.0, "Kitem/s": 1e3, "Mitem/s": 1e6, "Gitem/s": 1e9}


class StepsError(Exception):
    """divan said something else than it was expected to."""


def steps(text):
    """Seconds, by median: 60,000 samples written, the full statistics of 50 domains decoded."""
    return {"encoder": 60_000 / median(text, "exposition", 500, RATES), "decoder": median(text, "decoder", 50, TIMES)}


def median(text, bench, argument, units):
    """The first median in one of `units` that is told of a bench with this argument."""
    inside, here = None, False
    for line in text.splitlines():
        if named := NAMED.match(line):
            # Arguments are indented below their bench.
            inside = inside if named[1] else named[2]
            here = bool(named[1]) and (inside, named[2]) == (bench, str(argument))
        cells = line.rsplit(" │", COLUMNS - 1)
        if here and len(cells) == COLUMNS and len(cell := cells[MEDIAN].split()) == 2 and cell[1] in units:
            try:
                value = float(cell[0]) * units[cell[1]]
            except ValueError:
                break
            if value > 0:
                return value
    raise StepsError(f"divan tells no median of {bench} {argument} in {' or '.join(units)}")
