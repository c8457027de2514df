"""Rounds: each subject once, whoever began the last one ends this one."""

import time

from processes import cpu_seconds
from readings import DEBIANS, OURS, RAW, VIRSH
from subjects import SubjectError

WARMING, PATIENCE_SECONDS = 3, 30
# What is done after the answer, letting go of memory above all, is part of its cost.
SETTLED_SECONDS = 0.02
# A guest of the bed has 81 samples of ours, 17 of Debian's and 47 fields.
SAMPLES_MIN = {OURS: 60, RAW: 0, DEBIANS: 15, VIRSH: 40}


def rounds(place, subjects, daemon, count):
    """Returns `count` rounds of readings. `place` says where and among how many domains; `daemon` is libvirtd's pid."""
    domains = place["domains"]
    for subject in subjects:
        until_whole(subject, domains)
    for subject in subjects * WARMING:
        read(subject, daemon, domains)
    readings = []
    for number in range(count):
        shift = number % len(subjects)
        for subject in subjects[shift:] + subjects[:shift]:
            readings.append({**place, "round": number, "subject": subject.name, **read(subject, daemon, domains)})
    for subject in subjects:
        memory = subject.memory()
        for reading in readings:
            if reading["subject"] == subject.name:
                reading.update(memory)
    return readings


def until_whole(subject, domains):
    """Asks until all domains are in the answer: guests and a daemon that have just been started take a moment."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if subject.ask().domains == domains:
                return
        except SubjectError:
            if time.monotonic() > until:
                raise
        if time.monotonic() > until:
            raise SubjectError(f"{subject.name}: not all of {domains} domains in {PATIENCE_SECONDS} s")
        time.sleep(0.1)


def read(subject, daemon, domains):
    """Asks once, and returns what that took and gave."""
    own, theirs = subject.cpu(), cpu_seconds(daemon)
    answer = subject.ask()
    time.sleep(SETTLED_SECONDS)
    own, theirs = subject.cpu() - own, cpu_seconds(daemon) - theirs
    if answer.domains != domains:
        raise SubjectError(f"{subject.name}: {answer.domains} domains are whole, expected {domains}")
    if answer.samples < SAMPLES_MIN[subject.name] * domains:
        raise SubjectError(f"{subject.name}: {answer.samples} samples of {domains} domains")
    return {"seconds": answer.seconds, "own": own, "libvirtd": theirs, "bytes": answer.bytes,
            "unpacked": answer.unpacked, "samples": answer.samples, "calls": answer.calls}
