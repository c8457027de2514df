"""The figures of a run as Markdown."""

import statistics

from bars import bars
from figures import neighbours, percentile, quartiles, ratio
from readings import DEBIANS, OURS, RAW, SUBJECTS, VIRSH, of, places

TITLES = {OURS: "libvirt_nova", RAW: "raw loop", DEBIANS: "Debian's", VIRSH: "`virsh domstats`"}


def verdicts(run):
    rows = []
    for bar in bars(run):
        spread = bar.measured
        measured = "" if spread is None else number(spread.median)
        between = ""
        if spread and spread.low != spread.high:
            between = f"{number(spread.low)} to {number(spread.high)}"
        rows.append((bar.what, f"{number(bar.limit)} {bar.unit}", measured, between, bar.verdict()))
    return table(("", "at most", "measured", "between", ""), rows)


def sizes(run):
    """A table for each place, with its heading."""
    parts = []
    for kind, domains in places(run):
        rows = []
        for subject in SUBJECTS:
            if not (readings := of(run, kind, domains, subject)):
                continue
            column = {name: [reading[name] for reading in readings] for name in
                      ("seconds", "own", "libvirtd", "resident", "peak", "bytes", "samples")}
            median = {name: statistics.median(values) for name, values in column.items()}
            rows.append((
                TITLES[subject], ms(median["seconds"]), ms(percentile(column["seconds"], 99)), ms(median["own"]),
                ms(median["libvirtd"]), f"{number(median['resident'] / 1e6)} MB",
                f"{number(median['peak'] / 1e6)} MB", f"{median['bytes'] / 1e3:,.1f} kB",
                f"{median['samples']:,.0f}" if median["samples"] else "", len(readings)))
        daemon = "CPU of libvirtd" if kind == "real" else "CPU of the simulator"
        header = ("", "time", "99th percentile, or the most of fewer than 100", "own CPU", daemon, "memory", "its peak",
                  "bytes", "samples", "n")
        parts.append(f"### {title(kind, domains)}\n\n{table(header, rows)}")
    return "\n".join(parts)


def ratios(run):
    """Ours to each of the others, round by round."""
    rows = []
    for kind, domains in places(run):
        ours = of(run, kind, domains, OURS)
        for subject in SUBJECTS[1:]:
            if not (theirs := of(run, kind, domains, subject)):
                continue
            cells = []
            for name, a_sample in (("seconds", False), ("own", False), ("libvirtd", False),
                                   ("seconds", True), ("own", True), ("libvirtd", True)):
                if a_sample and subject == RAW:
                    cells.append("")
                    continue
                one, other = [[reading[name] / (reading["samples"] if a_sample else 1) for reading in some]
                              for some in (ours, theirs)]
                spread = neighbours(one, other)
                cells.append(f"{number(spread.median)} ({number(spread.low)} to {number(spread.high)})")
            rows.append((title(kind, domains), TITLES[subject], *cells))
    header = ("", "to", "time", "own CPU", "daemon's CPU", "time a sample", "own CPU a sample", "daemon's CPU a sample")
    return table(header, rows)


def linearity(run):
    """Time, CPU and memory of ours a domain, and what the former are to those of the next smaller size."""
    rows, before = [], None
    for kind, domains in places(run):
        if kind != "simulated" or not (readings := of(run, kind, domains, OURS)):
            continue
        a_domain = {name: [reading[name] / domains for reading in readings] for name in ("seconds", "own")}
        cells = []
        for name, values in a_domain.items():
            spread = ratio(values, before[name]) if before else None
            cells.append(f"{number(statistics.median(values) * 1e6)} µs")
            cells.append(f"{number(spread.median)} ({number(spread.low)} to {number(spread.high)})" if spread else "")
        resident, peak = [readings[0][name] / domains / 1e3 for name in ("resident", "peak")]
        rows.append((f"{domains:,}", *cells, f"{number(resident)} kB", f"{number(peak)} kB"))
        before = a_domain
    header = ("domains", "time a domain", "to that of the size before", "own CPU a domain", "to that of the size before",
              "memory a domain", "its peak")
    return table(header, rows) if rows else ""


def calls(run):
    """How often ours and the raw loop called what; one number where both medians are the same."""
    columns = {}
    for kind, domains in places(run):
        columns[title(kind, domains)] = [
            [reading["calls"] for reading in of(run, kind, domains, subject)] for subject in (OURS, RAW)]
    names = sorted({name for sides in columns.values() for side in sides for calls in side for name in calls})
    rows = []
    for name in names:
        cells = []
        for sides in columns.values():
            medians = [statistics.median(calls.get(name, 0) for calls in side) for side in sides]
            cells.append(", ".join(f"{count:g}" for count in dict.fromkeys(medians)))
        if set(cells) != {"0"}:
            rows.append((f"`{name}`", *cells))
    return table(("", *columns), rows)


def starts(run):
    if not (started := run.get("starts")):
        return ""
    rows = []
    for subject in (OURS, DEBIANS):
        spread = quartiles(started[subject])
        rows.append((TITLES[subject], ms(spread.median), ms(spread.low), ms(spread.high), ms(max(started[subject])),
                     len(started[subject])))
    return table((title("real", started["domains"]), "median", "quartile", "quartile", "most", "n"), rows)


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def title(kind, domains):
    if kind == "real":
        return f"{domains} guest{'s' if domains > 1 else ''}"
    return f"{domains:,} simulated domains"


def ms(seconds):
    return f"{number(seconds * 1e3)} ms"


def number(value):
    """Three digits, or all of a larger whole number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
