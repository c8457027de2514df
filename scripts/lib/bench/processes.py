"""What the kernel says of a process: CPU time, memory, how often it was woken."""

import ctypes
import os
import time
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)


def cpu_seconds(pid):
    """CPU time of a process so far, in seconds.

    The clock of the process counts in nanoseconds up to this moment, and the time of threads that have ended stays in
    it. Of /proc, the one file with ended threads counts in ticks (stat), those in nanoseconds are of threads that are
    there (task/*/schedstat) and of when each was last interrupted.
    """
    clock = ctypes.c_int()
    if error := LIBC.clock_getcpuclockid(ctypes.c_int(pid), ctypes.byref(clock)):
        raise OSError(error, f"process {pid}: {os.strerror(error)}")
    return time.clock_gettime_ns(clock.value) / 1e9


def memory(pid):
    """Memory of a process in bytes: what is resident, page by page, for VmRSS may be off by some dozens a CPU; and the
    most that ever was."""
    return {"resident": kilobytes(pid, "smaps_rollup", "Rss"), "peak": kilobytes(pid, "status", "VmHWM")}


def kilobytes(pid, file, name):
    """A line of a file of a process, in bytes."""
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"process {pid} has no {name}")


def switches(pid):
    """How often its threads have been given a CPU."""
    count = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        count += sum(int(line.split()[1]) for line in status.read_text().splitlines() if "ctxt_switches" in line)
    return count
