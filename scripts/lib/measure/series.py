"""What a Prometheus takes for the series of simulated hosts: see scripts/measure."""

import http.client
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))

from exporter import Exporter  # noqa: E402

DOMAINS, INTERVAL = 50, 15
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}


class Host:
    """A simulated libvirtd of so many instances, and an exporter on it."""

    def __init__(self, files, binary, simulator, domains):
        for directory in "run", "log":
            (files / directory).mkdir(parents=True)
        self._sim = subprocess.Popen([simulator, "--socket", files / "run/libvirt-sock", "--domains", str(domains)])
        try:
            while not (door := files / "run/libvirt-sock-ro").exists():
                time.sleep(0.05)
            door.chmod(0o777)  # As libvirtd's: the exporter is nobody.
            self.exporter = Exporter(binary, files)
        except BaseException:
            self.stop()
            raise
        # The last that is there: it takes two polls.
        while self.scrape().count("\nlibvirt_nova_instance_vcpus_in_use_peak{") < domains:
            time.sleep(0.2)

    def scrape(self):
        return get(self.exporter.port, "/metrics").decode()

    def stop(self):
        if hasattr(self, "exporter"):
            self.exporter.stop()
        self._sim.terminate()
        self._sim.wait()


class Prometheus:
    def __init__(self, files, ports):
        files.mkdir()
        targets = json.dumps([f"127.0.0.1:{port}" for port in ports])
        (files / "prometheus.yml").write_text(
            f"scrape_configs: [{{job_name: libvirt_nova, scrape_interval: {INTERVAL}s, static_configs: [{{targets: {targets}}}]}}]\n")
        self.data, self.port = files / "data", free_port()
        with (files / "log").open("w") as log:
            self._process = subprocess.Popen(
                ["prometheus", f"--config.file={files}/prometheus.yml", f"--storage.tsdb.path={self.data}", "--web.enable-admin-api",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def metrics(self):
        """Its own metrics, each summed over its labels."""
        sums = {}
        for line in get(self.port, "/metrics").decode().splitlines():
            if line[0] != "#":
                sample, value = line.rsplit(" ", 1)
                name = sample.partition("{")[0]
                sums[name] = sums.get(name, 0) + float(value)
        return sums

    def block(self):
        """What is in memory as a block: its statistics, and the bytes of its chunks and its index."""
        name = json.loads(get(self.port, "/api/v1/admin/tsdb/snapshot", method="POST"))["data"]["name"]
        [block] = (self.data / "snapshots" / name).glob("*/")
        stats = json.loads((block / "meta.json").read_text())["stats"]
        return stats, size(block / "chunks"), size(block / "index")

    def stop(self):
        self._process.terminate()
        self._process.wait()


def get(port, path, headers=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, headers=headers or {})
    body = connection.getresponse().read()
    connection.close()
    return body


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def size(path):
    return sum(file.stat().st_size for file in path.rglob("*")) if path.is_dir() else path.stat().st_size


def series(text):
    return sum(1 for line in text.splitlines() if line and line[0] != "#")


def say_bytes(host, domains):
    text, openmetrics = host.scrape(), get(host.exporter.port, "/metrics", OPENMETRICS)
    count, compressed = series(text), len(get(host.exporter.port, "/metrics", OPENMETRICS | {"Accept-Encoding": "gzip"}))
    print(f"{domains} simulated instances: {count} series; text {len(text)} bytes, OpenMetrics {len(openmetrics)}, gzip {compressed}, "
          f"{compressed / count:.1f} a series; exporter {host.exporter.use().memory / 2**20:.1f} MiB resident", flush=True)


def watched(files, hosts, minutes):
    empty = Prometheus(files / "empty", [])
    full = Prometheus(files / "full", [host.exporter.port for host in hosts])
    try:
        time.sleep(minutes * 60)
        base, now = empty.metrics(), full.metrics()
        heads, samples = now["prometheus_tsdb_head_series"], now["prometheus_tsdb_head_samples_appended_total"]
        memory = {name: now[name] - base[name] for name in ("process_resident_memory_bytes", "go_memstats_heap_inuse_bytes")}
        print(f"Prometheus, {len(hosts)} hosts, every {INTERVAL} s, {minutes} minutes: {heads:.0f} series, {samples:.0f} samples; "
              f"a series takes {memory['process_resident_memory_bytes'] / heads:.0f} bytes resident, "
              f"{memory['go_memstats_heap_inuse_bytes'] / heads:.0f} of heap, beyond an empty one's {base['process_resident_memory_bytes'] / 1e6:.0f} MB; "
              f"CPU {now['process_cpu_seconds_total'] / (minutes * 60):.3f} of one; "
              f"log written ahead {size(full.data / 'wal') / samples:.2f} bytes a sample")
        stats, chunks, index = full.block()
        print(f"as a block: {stats['numSamples']} samples of {stats['numSeries']} series; chunks {chunks / stats['numSamples']:.2f} bytes a sample, "
              f"index {index / stats['numSeries']:.0f} bytes a series")
    finally:
        empty.stop()
        full.stop()


def main():
    files, binary, simulator, count, minutes = sys.argv[1:]
    files, hosts = Path(files), []
    try:
        for domains in 1, DOMAINS, 10 * DOMAINS:
            host = Host(files / f"alone-{domains}", binary, simulator, domains)
            hosts.append(host)
            say_bytes(host, domains)
            hosts.pop().stop()
        for number in range(int(count)):
            hosts.append(Host(files / f"host-{number}", binary, simulator, DOMAINS))
        watched(files, hosts, int(minutes))
    finally:
        for host in hosts:
            host.stop()


main()
