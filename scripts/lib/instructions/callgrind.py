"""Counting: each subject in processes of its own."""

import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from os import confstr, cpu_count
from pathlib import Path
from statistics import median_low

# What is counted, as callgrind shows its name.
COUNTED = "instructions::counted*"
# A process' hash tables have keys of its own, so what looks into them varies by up to 2 %.
RUNS = 5


def subjects(program):
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()


def count(program):
    """The instructions of each subject: the median of some runs."""
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(cpu_count()) as pool:
        def start(name):
            return [pool.submit(run, program, name, Path(directory) / f"{name}.{number}") for number in range(RUNS)]

        started = {name: start(name) for name in subjects(program)}
        return {name: median_low(run.result() for run in runs) for name, runs in started.items()}


def run(program, name, out):
    command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--toggle-collect={COUNTED}",
               f"--callgrind-out-file={out}", program, name]
    # Nothing of the caller's environment is to be of influence.
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    total = re.search(r"^totals: ([0-9]+)$", out.read_text(), re.MULTILINE) if out.exists() else None
    if done.returncode != 0 or not total or total[1] == "0":
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}, and nothing was counted\n{done.stderr}")
    return int(total[1])


def tools():
    """What counts depend on besides the source.

    The CPU that callgrind plays is always the same, but for AVX2, which the C library and the compression look for.
    """
    versions = [subprocess.run([tool, "--version"], check=True, capture_output=True, text=True).stdout.strip()
                for tool in ("rustc", "valgrind")]
    has_avx2 = re.search(r"^flags\b.*\bavx2\b", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return ", ".join([*versions, confstr("CS_GNU_LIBC_VERSION"), "AVX2" if has_avx2 else "no AVX2"])
