"""Where it was measured, and what with."""

import os
import platform
import re
import subprocess
import time
from pathlib import Path


def describe(checkout, binary, debian, rustc, given):
    """What a reader has to know to judge the figures, each with its name.

    An exporter that was `given`, built by whoever, need not be of this commit.
    """
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    package = said("dpkg-deb", "-f", *map(str, debian.parents[2].glob("*.deb")), "Version")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(checkout),
        "CPU": f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} of them",
        "memory": f"{memory('MemTotal') / 2**30:.0f} GiB",
        "kernel": f"Linux {platform.release()}",
        "KVM": "yes, unused" if Path("/dev/kvm").exists() else "no: guests are emulated",
        "libvirt": said("libvirtd", "--version"),
        "QEMU": said("qemu-system-x86_64", "--version"),
        "libvirt_nova": f"{said(binary, '--version')}, {os.path.getsize(binary):,} bytes"
                        + (", built beforehand, perhaps from another commit" if given else ""),
        "prometheus-libvirt-exporter": f"Debian's {package}",
        "rustc": rustc,
    }


def memory(name):
    """A line of /proc/meminfo, in bytes."""
    return int(re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.M)[1]) * 1024


def commit(checkout):
    git = ["git", "-c", f"safe.directory={checkout}", "-C", str(checkout)]
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD"]).returncode
    return said(*git, "rev-parse", "--short=12", "HEAD") + (", and what is not committed" if changed else "")


def said(*command):
    """The first line that a command prints."""
    command = [str(word) for word in command]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]
