"""Reading what the exporter serves, strictly: the text format and no more."""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABELS = r'(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABELS})\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
COMMENT = re.compile(rf"# (HELP|TYPE) ({NAME}) (.+)")


def parse(text):
    """Returns the samples by family name, each {labels as written: value}; ValueError says what is wrong."""
    if not text.endswith("\n"):
        raise ValueError("the text does not end with a line's end")
    families, helped, kind = {}, None, None
    for line in text[:-1].split("\n"):
        if line.startswith("#"):
            if not (comment := COMMENT.fullmatch(line)):
                raise ValueError(f"no comment of ours: {line!r}")
            what, name, rest = comment.groups()
            if what == "HELP":
                if name in families:
                    raise ValueError(f"{name} has two places")
                families[name], helped = {}, name
            elif name != helped:
                raise ValueError(f"{name} has a type before its help")
            else:
                kind = rest
            continue
        if not (sample := SAMPLE.fullmatch(line)):
            raise ValueError(f"no sample: {line!r}")
        name, labels, value = sample.groups()
        ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        if helped is None or name not in [helped + end for end in ends]:
            raise ValueError(f"{name} stands among {helped}'s samples")
        series = (name, labels or "")
        if series in families[helped]:
            raise ValueError(f"twice: {line!r}")
        # float() takes more than the format has, but nothing that a number could be mistaken for.
        if not math.isfinite(number := float(value)):
            raise ValueError(f"{value} in {line!r}")
        families[helped][series] = number
    return families


def values(families, name):
    """Returns the samples of a family, each its labels and its value."""
    return [(dict(LABEL.findall(labels)), value) for (_, labels), value in families.get(name, {}).items()]


def value(families, name):
    """Returns the one sample of a family without labels, or None."""
    return families.get(name, {}).get((name, ""))
