"""What each collector costs alone: scrapes with it and with none, in turn."""

import re
import statistics
import subprocess

from exporter import Exporter

ROUNDS = 9


class Collectors:
    """An exporter without any collector, and one for each."""

    def __init__(self, binary, files):
        text = subprocess.run([binary, "--list-metrics"], capture_output=True, text=True, check=True).stdout
        table = re.findall(r"^\| `([a-z-]+)` \| (on|off) \|", text, re.MULTILINE)
        none = binary, files, "--min-age=0", "--interval=0", "--collector.disable-defaults"
        self._exporters = []
        self.none = self._start(*none)
        self.ones = {name: (default, self._start(*none, f"--collector.{name}")) for name, default in table}

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
        for name, (default, exporter) in self.ones.items():
            differences = []
            for _ in range(ROUNDS):
                none, one = measured(self.none), measured(exporter)
                differences.append([with_it - without for without, with_it in zip(none, one)])
            yield name, default, *map(statistics.median, zip(*differences))

    def stop(self):
        for exporter in self._exporters:
            exporter.stop()
