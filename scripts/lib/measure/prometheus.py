"""A Prometheus: started with a configuration, and what it uses."""

import json
import re
import socket
import subprocess
import time
from pathlib import Path

from host import request

PATIENCE = 60  # seconds


class Prometheus:
    def __init__(self, files, configuration, *flags, agent=False):
        files.mkdir(exist_ok=True)  # It may have data already.
        # JSON is YAML, too.
        (files / "prometheus.yml").write_text(json.dumps(configuration))
        self.data, self.port = files / "data", free_port()
        store = ["--enable-feature=agent", f"--storage.agent.path={self.data}"] if agent else [f"--storage.tsdb.path={self.data}", "--web.enable-admin-api"]
        with (files / "log").open("w") as log:
            self._process = subprocess.Popen(
                ["prometheus", f"--config.file={files}/prometheus.yml", f"--web.listen-address=127.0.0.1:{self.port}", *store, *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait()

    def _wait(self):
        over = time.monotonic() + PATIENCE
        while True:
            try:
                return request(self.port, "/-/ready")
            except OSError:
                if self._process.poll() is not None or time.monotonic() > over:
                    raise RuntimeError(f"a Prometheus is not ready: {self.data.parent / 'log'}") from None
                time.sleep(0.1)

    def samples(self):
        """Its own metrics: name, labels as they stand, value."""
        for line in request(self.port, "/metrics").decode().splitlines():
            if line[0] != "#":
                sample, value = line.rsplit(" ", 1)
                name, _, labels = sample.partition("{")
                yield name, labels, float(value)

    def metrics(self):
        """Its own metrics, each summed over its labels."""
        sums = {}
        for name, _, value in self.samples():
            sums[name] = sums.get(name, 0) + value
        return sums

    def groups(self, *names):
        """These metrics of each of its groups of rules."""
        groups = {}
        for name, labels, value in self.samples():
            if name in names and (group := re.search(r'rule_group="[^"]*;(.*?)"', labels)):
                groups.setdefault(group[1], {})[name] = value
        return groups

    def peak(self):
        """The most memory that it has had resident, in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def log_bytes(self):
        return size(self.data / "wal")

    def block(self):
        """What is in memory as a block: its statistics, and the bytes of its chunks and its index."""
        name = json.loads(request(self.port, "/api/v1/admin/tsdb/snapshot", method="POST"))["data"]["name"]
        [block] = (self.data / "snapshots" / name).glob("*/")
        stats = json.loads((block / "meta.json").read_text())["stats"]
        return stats, size(block / "chunks"), size(block / "index")

    def stop(self):
        self._process.terminate()
        self._process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def size(path):
    return sum(file.stat().st_size for file in path.rglob("*")) if path.is_dir() else path.stat().st_size
