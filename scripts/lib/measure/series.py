"""How many series and bytes a scrape of simulated instances has: see scripts/measure."""

import sys
from pathlib import Path

from host import Host, request

OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}


def series(text):
    return sum(1 for line in text.splitlines() if line and line[0] != "#")


def main():
    files, binary, simulator = sys.argv[1:]
    for domains in 1, 50, 500:
        host = Host(Path(files) / f"{domains}", binary, simulator, domains)
        try:
            host.wait()
            text, openmetrics = host.scrape(), request(host.exporter.port, "/metrics", OPENMETRICS)
            count, compressed = series(text), len(request(host.exporter.port, "/metrics", OPENMETRICS | {"Accept-Encoding": "gzip"}))
            print(f"{domains} simulated instances: {count} series; text {len(text)} bytes, OpenMetrics {len(openmetrics)}, gzip {compressed}, "
                  f"{compressed / count:.1f} a series; exporter {host.exporter.use().memory / 2**20:.1f} MiB resident", flush=True)
        finally:
            host.stop()


main()
