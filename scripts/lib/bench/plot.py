"""docs/benchmarks/*.svg: the same bytes for the same figures."""

import statistics

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as pyplot  # noqa: E402

from readings import DEBIANS, OURS, RAW, SUBJECTS, VIRSH, of, places  # noqa: E402

# Okabe and Ito's, which the colour-blind can tell apart.
COLOURS = {OURS: "#0072b2", RAW: "#000000", DEBIANS: "#d55e00", VIRSH: "#009e73"}
STYLES = {"real": ("-", "o"), "simulated": ("--", "s")}


def draw(run, directory):
    matplotlib.rcParams.update({"svg.hashsalt": "libvirt_nova", "svg.fonttype": "none", "font.family": "sans-serif"})
    figure(run, directory / "latency.svg", "seconds", 1e3, "Time of a scrape", "time, median (ms)")
    figure(run, directory / "memory.svg", "resident", 1e-6, "Resident memory", "memory (MB)")


def figure(run, path, name, scale, title, label):
    figure, axes = pyplot.subplots(figsize=(8, 5))
    for subject in SUBJECTS:
        for kind, (line, marker) in STYLES.items():
            points = [(domains, statistics.median(reading[name] for reading in readings) * scale)
                      for place, domains in places(run)
                      if place == kind and (readings := of(run, kind, domains, subject))]
            if points:
                axes.plot(*zip(*points), line, marker=marker, color=COLOURS[subject],
                          label=f"{subject}, {'guests' if kind == 'real' else 'simulated domains'}")
    axes.set(title=title, xlabel="domains", ylabel=label, xscale="log", yscale="log")
    plain = matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:,g}")
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.grid(True, which="major", color="#dddddd")
    axes.legend(fontsize="small")
    figure.tight_layout()
    # White behind it: the page may be dark.
    figure.savefig(path, facecolor="white", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
