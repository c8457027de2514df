"""What open pages cost the exporter of a simulated libvirtd: see scripts/measure."""

import http.client
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))

from exporter import Exporter  # noqa: E402
from pages import Pages  # noqa: E402

PAGES, SECONDS, SCRAPE_EVERY, ROUNDS = 20, 30, 15, 2


def scrape(exporter):
    connection = http.client.HTTPConnection("127.0.0.1", exporter.port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def calls(exporter):
    """How many calls libvirtd has answered."""
    counts = re.findall(r"^libvirt_nova_exporter_rpc_duration_seconds_count\{.*\} (\d+)$", scrape(exporter), re.M)
    return sum(map(int, counts))


def cpu(exporter):
    """CPU time of the exporter so far, in seconds."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{exporter.pid}/task").glob("*/schedstat")) / 1e9


def window(exporter):
    """Scrapes as a Prometheus does for a while; returns the part of a CPU that it takes."""
    before, began = cpu(exporter), time.monotonic()
    for at in range(0, SECONDS, SCRAPE_EVERY):
        time.sleep(max(0.0, began + at - time.monotonic()))
        scrape(exporter)
    time.sleep(max(0.0, began + SECONDS - time.monotonic()))
    return (cpu(exporter) - before) / (time.monotonic() - began)


def main():
    files, binary, simulator, domains = sys.argv[1:]
    for directory in "run", "log":
        (Path(files) / directory).mkdir()
    sim = subprocess.Popen([simulator, "--socket", f"{files}/run/libvirt-sock", "--domains", domains])
    try:
        while not (door := Path(files, "run/libvirt-sock-ro")).exists():
            time.sleep(0.05)
        door.chmod(0o777)  # As libvirtd's: the exporter is nobody.
        exporter = Exporter(binary, files)
        try:
            while f"libvirt_domains {domains}" not in scrape(exporter):
                time.sleep(0.2)
            window(exporter)
            for _ in range(ROUNDS):
                began = calls(exporter)
                without = window(exporter)
                between = calls(exporter)
                with Pages(exporter.port, PAGES) as pages:
                    with_pages = window(exporter)
                ended = calls(exporter)
                print(f"{domains} simulated domains, polled each second, scraped every {SCRAPE_EVERY} s, part of a CPU: "
                      f"{without:.2%} without pages, {with_pages:.2%} with {PAGES}, which took {pages.received / 1e6:.1f} MB in {SECONDS} s; "
                      f"calls {between - began} and {ended - between}; resident {exporter.use().memory / 2**20:.1f} MiB")
        finally:
            exporter.stop()
    finally:
        sim.terminate()
        sim.wait()


main()
