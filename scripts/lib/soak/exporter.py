"""The exporter: started as nobody, and what it uses."""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
START_SECONDS = 10


@dataclass(frozen=True)
class Use:
    """What the exporter takes of the host, and how many tasks its runtime has (None: not asked for)."""

    memory: int
    descriptors: int
    threads: int
    tasks: int | None = None


class Exporter:
    def __init__(self, binary, files):
        self.log = Path(files) / "log/exporter.log"
        uri = f"qemu:///system?socket={files}/run/libvirt-sock-ro"
        with self.log.open("w") as log:
            # As root it may become anybody. Its descriptors are to be its own.
            self._process = subprocess.Popen(
                [binary, "-uri", uri, "-log", "-", "--web.listen-address", "127.0.0.1:0"],
                cwd="/", user=NOBODY, group=NOBODY, extra_groups=[], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self._process.pid
        # For whoever cleans up where we cannot any more.
        (Path(files) / "libvirt_nova.pid").write_text(f"{self.pid}\n")
        self.port = self._listening()

    def ended(self):
        return self._process.poll() is not None

    def use(self):
        process = Path(f"/proc/{self.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        memory = int(status["VmRSS"].removesuffix("kB")) * 1024
        return Use(memory, len(os.listdir(process / "fd")), int(status["Threads"]))

    def log_lines(self):
        return self.log.read_text(errors="replace").count("\n")

    def stop(self):
        """Asks it to end and returns its exit status; None where it had to be killed."""
        self._process.terminate()
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
        raise RuntimeError(f"no exporter: {self.log.read_text().strip()}")
