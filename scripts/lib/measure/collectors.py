"""What each collector costs: scrapes with it and without it, in turn."""

import re
import statistics
import subprocess

from exporter import Exporter

ROUNDS = 9


class Collectors:
    """An exporter for each collector, with the defaults but for that one."""

    def __init__(self, binary, files):
        text = subprocess.run([binary, "--list-metrics"], capture_output=True, text=True, check=True).stdout
        table = re.findall(r"^\| `([a-z-]+)` \| (on|off) \|", text, re.MULTILINE)
        idle = "--min-age=0", "--interval=0"
        self._exporters = []
        self.default = self._start(binary, files, *idle)
        self.others = {}
        for name, default in table:
            flag = f"--no-collector.{name}" if default == "on" else f"--collector.{name}"
            self.others[name] = default, self._start(binary, files, *idle, flag)

    def _start(self, *arguments):
        exporter = Exporter(*arguments)
        self._exporters.append(exporter)
        return exporter

    def costs(self, scrape, cpu):
        """Yields name, default, and what it adds: ms of libvirtd's CPU, ms of the exporter's, samples.

        `scrape` takes an exporter and returns the number of samples; `cpu` takes one and returns the CPU
        times of both so far.
        """
        def measured(exporter):
            before = cpu(exporter)
            samples = scrape(exporter)
            ours, theirs = (now - then for now, then in zip(cpu(exporter), before))
            return theirs, ours, samples

        for exporter in self._exporters:
            scrape(exporter)  # The first one reads metadata and XML.
        for name, (default, exporter) in self.others.items():
            differences = []
            for _ in range(ROUNDS):
                pair = measured(self.default), measured(exporter)
                sign = -1 if default == "on" else 1
                differences.append([sign * (other - this) for this, other in zip(*pair)])
            yield name, default, *map(statistics.median, zip(*differences))

    def stop(self):
        for exporter in self._exporters:
            exporter.stop()
