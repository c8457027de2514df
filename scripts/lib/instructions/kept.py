"""The counts that are kept in the tree, and what is said of those that differ."""

GROWTH_MAX = 5  # per cent

HEADER = """\
# Instructions that the steps of a scrape take, as callgrind counts them; scripts/instructions says what it is for.
# Made by scripts/instructions --update with {tools}
"""


def write(tools, counts):
    """The file's text; `tools` says what the counts depend on besides the source."""
    width = max(map(len, counts))
    return HEADER.format(tools=tools) + "".join(f"{name:{width}} {counts[name]:>11}\n" for name in sorted(counts))


def read(text):
    """What `write` was given."""
    comments = [line for line in text.splitlines() if line.startswith("#")]
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return comments[-1].partition(" with ")[2], {name: int(count) for name, count in lines}


def compare(kept, counted):
    """What is wrong with the counts, and what has become better: two lists of sentences."""
    faults, gains = [], []
    for name in sorted(kept | counted):
        if name not in kept:
            faults.append(f"{name}: {counted[name]:,} instructions, and none are kept")
        elif name not in counted:
            faults.append(f"{name}: {kept[name]:,} instructions are kept, and there is no such subject")
        else:
            growth = 100 * (counted[name] - kept[name]) / kept[name]
            said = f"{name}: {counted[name]:,} instructions, {kept[name]:,} are kept: {growth:+.1f} %"
            if growth > GROWTH_MAX:
                faults.append(said)
            elif growth < -GROWTH_MAX:
                gains.append(said)
    return faults, gains
