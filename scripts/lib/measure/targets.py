"""What many targets cost one exporter: see scripts/measure."""

import http.client
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

GUESTS, ROUNDS, SECONDS = 10, 4, 30
AT_ONCE = 40


class Fleet:
    """Simulated hosts, and the exporter whose targets they are."""

    def __init__(self, stack, files, binary, simulator, count):
        self.count = count
        sockets = [files / f"run-{number}" for number in range(count)]
        for number, socket in enumerate(sockets):
            first = str(1 + number * GUESTS)
            simulated = subprocess.Popen([simulator, "--socket", socket, "--domains", str(GUESTS), "--first", first])
            stack.callback(stop, simulated)
        doors = [Path(f"{socket}-ro") for socket in sockets]
        while not all(door.exists() for door in doors):
            time.sleep(0.05)
        file, log = files / "targets.yml", files / "log"
        file.write_text("targets:\n" + "".join(f"  t{number}: {{uri: {door}}}\n" for number, door in enumerate(doors)))
        self.exporter = subprocess.Popen(
            [binary, f"--targets.file={file}", "--web.listen-address=127.0.0.1:0", "-log", log], stderr=subprocess.DEVNULL)
        stack.callback(stop, self.exporter)
        while not (found := re.search(r"listening address=127.0.0.1:(\d+)", log.read_text() if log.exists() else "")):
            time.sleep(0.05)
        self.port = int(found[1])

    def probe(self, target):
        """Probes one; returns how long that took, and how many bytes it brought."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", f"/probe?target=t{target}", headers={"X-Prometheus-Scrape-Timeout-Seconds": "30"})
        text = connection.getresponse().read().decode()
        connection.close()
        assert "\nlibvirt_up 1\n" in text and text.count("\nlibvirt_nova_instance_info{") == GUESTS, text
        return time.monotonic() - began, len(text)

    def cpu(self):
        """CPU time of the exporter so far, in seconds."""
        return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{self.exporter.pid}/task").glob("*/schedstat")) / 1e9

    def memory(self, what):
        """VmRSS or VmHWM, in MiB."""
        return int(re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{self.exporter.pid}/status").read_text())[1]) / 1024

    def round(self):
        """Probes all, so many at once; prints what it took."""
        before, began = self.cpu(), time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            took, lengths = zip(*threads.map(self.probe, range(self.count)))
        seconds, cpu = time.monotonic() - began, self.cpu() - before
        print(f"  a round: {seconds:.2f} s, {cpu:.2f} s of CPU; a probe {statistics.median(took) * 1e3:.0f} ms in the median, "
              f"{max(took) * 1e3:.0f} at most; {sum(lengths) / 1e6:.1f} MB")


def stop(process):
    process.terminate()
    process.wait()


def main():
    files, binary, simulator, count = sys.argv[1:]
    with ExitStack() as stack:
        fleet = Fleet(stack, Path(files), binary, simulator, int(count))
        print(f"{count} simulated hosts of {GUESTS} guests each, {AT_ONCE} probes at once; the first round connects")
        for _ in range(ROUNDS):
            fleet.round()
        before = fleet.cpu()
        time.sleep(SECONDS)
        print(f"  polling each second: {(fleet.cpu() - before) / SECONDS:.1%} of a CPU")
        print(f"  resident {fleet.memory('VmRSS'):.0f} MiB, {fleet.memory('VmHWM'):.0f} at most")


main()
