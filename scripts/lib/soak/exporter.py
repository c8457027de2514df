"""The exporter: started as nobody, and what it uses."""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
START_SECONDS = 10
MEMORY_SHARE, MEMORY_BYTES = 0.10, 512 * 1024  # What memory may have grown by.


@dataclass(frozen=True)
class Use:
    """What the exporter takes of the host, and how many tasks its runtime has (None: not asked for)."""

    memory: int
    descriptors: int
    threads: int
    tasks: int | None = None

    def memory_max(self):
        """Returns what the memory may be at the end, in bytes."""
        return int(self.memory * (1 + MEMORY_SHARE)) + MEMORY_BYTES

    def changes(self, end):
        """Returns what was not the same at the end, and should have been."""
        faults = []
        if end.memory > (most := self.memory_max()):
            faults.append(f"memory grew from {self.memory} to {end.memory} bytes, expected at most {most}")
        for name in ("descriptors", "threads", "tasks"):
            if (before := getattr(self, name)) != (after := getattr(end, name)):
                faults.append(f"{name} went from {before} to {after}, expected no change")
        if self.tasks is None:
            faults.append("there is no libvirt_nova_exporter_tasks")
        return faults


class ExporterError(Exception):
    """It is not there, or not any more."""


class Exporter:
    def __init__(self, binary, files, *flags):
        self.log = Path(files) / "log/exporter.log"
        uri = f"qemu:///system?socket={files}/run/libvirt-sock-ro"
        with self.log.open("w") as log:
            # As root it may become anybody. Its descriptors are to be its own.
            self._process = subprocess.Popen(
                [binary, "-uri", uri, "-log", "-", "--web.listen-address", "127.0.0.1:0", *flags],
                cwd="/", user=NOBODY, group=NOBODY, extra_groups=[], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self._process.pid
        # For whoever cleans up where we cannot any more.
        (Path(files) / "libvirt_nova.pid").write_text(f"{self.pid}\n")
        self.port = self._listening()

    def check(self):
        """Raises where it has ended."""
        if (status := self._process.poll()) is not None:
            raise ExporterError(f"it ended, status {status}; the last it said: {self.log.read_text()[-500:].strip()}")

    def use(self):
        self.check()
        process = Path(f"/proc/{self.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        memory = int(status["VmRSS"].removesuffix("kB")) * 1024
        return Use(memory, len(os.listdir(process / "fd")), int(status["Threads"]))

    def log_lines(self):
        return self.log.read_text(errors="replace").count("\n")

    def stop(self):
        """Asks it to end and returns its exit status; None where it had to be killed."""
        self._process.terminate()  # Where it has ended, this does nothing.
        try:
            return self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
            return None

    def _listening(self):
        for _ in range(START_SECONDS * 20):
            if address := re.search(r"listening address=\S+:(\d+)", self.log.read_text()):
                return int(address[1])
            time.sleep(0.05)
        self.stop()
        raise ExporterError(f"it does not listen: {self.log.read_text().strip()}")
