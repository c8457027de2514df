"""An exporter that has just been started, and one that nobody asks anything."""

import subprocess
import time

from exporter import NOBODY
from processes import cpu_seconds, switches
from readings import DEBIANS, OURS
from subjects import (
    Ours, SubjectError, debians_command, debians_domains, end, free_port, quiet, scrape, whole_domains)

PATIENCE_SECONDS, SETTLED_SECONDS = 30, 10


def starts(binary, debian, files, domains, count):
    """Seconds from the start of each exporter to the end of its first scrape with all domains, in turn."""
    seconds = {OURS: [], DEBIANS: []}
    nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    for _ in range(count):
        port = free_port()
        command = [binary, "-uri", f"qemu:///system?socket={files}/run/libvirt-sock-ro", "-log", "-",
                   "--web.listen-address", f"127.0.0.1:{port}", "--min-age=0"]
        seconds[OURS].append(start(command, port, whole_domains, domains, **nobody))
        port = free_port()
        command = debians_command(debian, files, port)
        seconds[DEBIANS].append(start(command, port, debians_domains, domains))
    return seconds


def start(command, port, whole, domains, **who):
    began = time.monotonic()
    process = subprocess.Popen(command, cwd="/", **quiet(), **who)
    try:
        while time.monotonic() - began < PATIENCE_SECONDS:
            try:
                if whole(scrape(port)[2]) == domains:
                    return time.monotonic() - began
            except SubjectError:  # It is not there yet, or its connection to libvirtd is not.
                time.sleep(0.001)
        raise SubjectError(f"{command[0]}: no scrape with {domains} domains in {PATIENCE_SECONDS} s")
    finally:
        end(process)


def idle(binary, files, seconds):
    """An exporter that polls nothing, in so many seconds: how often it was woken, and its CPU time."""
    ours = Ours(binary, files, "--interval=0")
    try:
        ours.ask()
        # Whatever the scrape has left to be done.
        time.sleep(SETTLED_SECONDS)
        woken, cpu = switches(ours.pid), cpu_seconds(ours.pid)
        time.sleep(seconds)
        return {"seconds": seconds, "switches": switches(ours.pid) - woken, "cpu": cpu_seconds(ours.pid) - cpu}
    finally:
        ours.stop()
