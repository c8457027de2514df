"""What an expression of PromQL speaks of: metrics, the labels that it selects them by, and the labels that it groups and
joins by. It is read word by word; whether it is PromQL is promtool's to say."""

import re
from collections import namedtuple
from dataclasses import dataclass, field

TOKEN = re.compile(r"""
    (?P<comment>\#[^\n]*)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
  | (?P<duration>\d+[smhdwy](?![A-Za-z_:]))
  | (?P<number>0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
  | (?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){}\[\],.@])
  | (?P<blank>\s+)
""", re.VERBOSE)
# Behind each comes a list of labels in parentheses.
LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
Token = namedtuple("Token", "kind text start")
OPERATORS = {"and", "or", "unless", "offset", "bool", "atan2", "Inf", "NaN"}


@dataclass
class Mentioned:
    """What is mentioned in an expression."""

    selected: list = field(default_factory=list)  # (metric, its labels), as often as it is there
    labels: set = field(default_factory=set)  # of lists
    made: set = field(default_factory=set)  # by label_replace and label_join

    @property
    def metrics(self):
        return {metric for metric, _ in self.selected}


class PromqlError(Exception):
    """What cannot be read."""


def tokens(expression):
    """Returns what an expression consists of, but blanks and comments."""
    found, at = [], 0
    while at < len(expression):
        match = TOKEN.match(expression, at)
        if not match:
            raise PromqlError(f"neither word nor sign: {expression[at:at + 20]!r}")
        if match.lastgroup not in ("blank", "comment"):
            found.append(Token(match.lastgroup, match[0], at))
        at = match.end()
    return found


def mentioned(expression):
    """Returns what an expression speaks of."""
    found, words = Mentioned(), [*tokens(expression), Token("end", "", len(expression))]
    at = 0
    while at < len(words):
        kind, text, _ = words[at]
        following = words[at + 1].text if at + 1 < len(words) else ""
        if kind == "name" and text in LISTS:
            if following == "(":
                at, labels = labels_until(words, at + 2, ")")
                found.labels |= set(labels)
        elif kind == "name" and text not in OPERATORS:
            if text in ("label_replace", "label_join"):
                found.made.add(made_label(words, at + 2))
            if following == "{":
                at, labels = labels_until(words, at + 2, "}")
                found.selected.append((text, labels))
            elif following != "(" and following not in LISTS:
                found.selected.append((text, []))
        elif text == "{":
            raise PromqlError("a selector without a metric's name")
        at += 1
    return found


def labels_until(words, at, end):
    """Returns where `end` is, and the labels before it."""
    labels = []
    while words[at].text != end:
        if words[at].kind == "end":
            raise PromqlError(f"no {end}")
        if words[at].kind == "name":
            labels.append(words[at].text)
        at += 1
    return at, labels


def made_label(words, at):
    """Returns the second argument of the function whose arguments begin there: the label that it makes."""
    depth = 0
    while depth or words[at].text != ",":
        if words[at].kind == "end":
            raise PromqlError("a function without a second argument")
        depth += (words[at].text in "([{") - (words[at].text in ")]}")
        at += 1
    return words[at + 1].text.strip("\"'`")
