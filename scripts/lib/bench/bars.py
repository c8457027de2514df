"""What the figures are to be, beside what they are. None of it makes the benchmark fail."""

from dataclasses import dataclass

from figures import Spread, neighbours, quartiles, ratio
from readings import DEBIANS, OURS, RAW, of

KEEPALIVE_SECONDS, CONNECTIONS = 5, 3  # libvirtd's keepalive_interval; those of a session


@dataclass(frozen=True)
class Bar:
    """`measured` is None where this run did not measure it."""

    what: str
    limit: float
    measured: Spread | None
    unit: str = ""

    def verdict(self):
        if self.measured is None:
            return "not measured"
        return "met" if self.measured.median <= self.limit else "missed"


def bars(run):
    guests = "50 guests"
    many, thousand = of(run, "simulated", 10_000, OURS), of(run, "simulated", 1000, OURS)

    def spread(readings, name, scale=1.0):
        return quartiles([reading[name] * scale for reading in readings]) if readings else None

    def beside(other, name, a_sample=False):
        ours, theirs = of(run, "real", 50, OURS), of(run, "real", 50, other)
        if not ours or not theirs:
            return None
        return neighbours(*[[reading[name] / (reading["samples"] if a_sample else 1) for reading in some]
                            for some in (ours, theirs)])

    def linear(name):
        if not many or not thousand:
            return None
        return ratio(*[[reading[name] / reading["domains"] for reading in some] for some in (many, thousand)])

    def once(value, scale=1.0):
        return None if value is None else Spread(*[value * scale] * 3)

    steps = run.get("steps", {})
    started, idle = run.get("starts"), run.get("idle")
    start = quartiles(started[OURS]) if started and started["domains"] == 50 else None
    # Each connection is asked once a pause; one question more may fall into the time.
    keepalive = CONNECTIONS * (idle["seconds"] // KEEPALIVE_SECONDS + 1) if idle else 0
    return [
        Bar(f"{guests}, to the raw loop: time", 1.15, beside(RAW, "seconds"), "times"),
        Bar(f"{guests}, to the raw loop: libvirtd's CPU", 1.05, beside(RAW, "libvirtd"), "times"),
        Bar(f"{guests}, to Debian's, a sample: time", 1 / 3, beside(DEBIANS, "seconds", True), "times"),
        Bar(f"{guests}, to Debian's, a sample: CPU of the exporter", 1 / 20, beside(DEBIANS, "own", True), "times"),
        Bar(f"{guests}, to Debian's, a sample: libvirtd's CPU", 1 / 2, beside(DEBIANS, "libvirtd", True), "times"),
        Bar(f"{guests}, from the start to the first whole scrape", 1.0, start, "s"),
        Bar("10,000 domains: CPU of the exporter a scrape", 0.5, spread(many, "own"), "s"),
        Bar("10,000 domains: memory, the peak", 250, spread(many, "peak", 1e-6), "MB"),
        Bar("10,000 domains to 1,000: time a domain", 1.2, linear("seconds"), "times"),
        Bar("10,000 domains to 1,000: CPU of the exporter a domain", 1.2, linear("own"), "times"),
        Bar("The encoder: 60,000 samples", 3, once(steps.get("encoder"), 1e3), "ms"),
        Bar("The decoder: full statistics of 50 domains", 0.3, once(steps.get("decoder"), 1e3), "ms"),
        Bar("Asked nothing, `-interval 0`: how often it is woken, and keepalive alone", keepalive, once(idle and idle["switches"]), "times"),
        Bar("The binary", 5.0, once(run["size"], 1e-6), "MB"),
    ]
