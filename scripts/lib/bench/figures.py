"""What many measurements come to: medians, percentiles, ratios of neighbours."""

import math
import random
import statistics
from dataclasses import dataclass

RESAMPLES, SEED = 2000, 1


@dataclass(frozen=True)
class Spread:
    """A value, and between what it lies."""

    median: float
    low: float
    high: float


def percentile(values, percent):
    """The smallest value that so many per cent do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def quartiles(values):
    """The median and the quartiles of measurements."""
    return Spread(statistics.median(values), percentile(values, 25), percentile(values, 75))


def neighbours(ours, theirs):
    """The ratios of two subjects, round by round: what disturbed the machine disturbed both."""
    return quartiles([one / other for one, other in zip(ours, theirs, strict=True)])


def ratio(ours, theirs):
    """The ratio of medians that were not measured side by side, and its 95 % interval (bootstrap)."""
    chance = random.Random(SEED)

    def median_of_some(values):
        return statistics.median(chance.choices(values, k=len(values)))

    ratios = sorted(median_of_some(ours) / median_of_some(theirs) for _ in range(RESAMPLES))
    middle = statistics.median(ours) / statistics.median(theirs)
    return Spread(middle, percentile(ratios, 2.5), percentile(ratios, 97.5))
