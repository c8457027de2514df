"""What scrapes of many guests cost, and what guests that do not answer cost others: see scripts/measure."""

import gzip
import http.client
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))

from bed import Bed, Guest  # noqa: E402
from bulk import Bulk  # noqa: E402
from collectors import Collectors  # noqa: E402
from exporter import Exporter  # noqa: E402
from exposition import parse, value, values  # noqa: E402
from pages import Pages  # noqa: E402

TIMEOUT = 10  # Prometheus' own, unless told otherwise
ROUNDS, IDLE_SECONDS, STUCK_SCRAPES = 25, 20, 20
COMPLETE, AGE = "libvirt_domain_stats_complete", "libvirt_domain_stats_age_seconds"
# What needs no monitor: every guest has it, whatever its QEMU does.
MONITOR_FREE = ("libvirt_domain_state", "libvirt_domain_control_state", "libvirt_nova_instance_cpu_time_total",
                "libvirt_nova_instance_vcpu_count", "libvirt_nova_instance_rxbytes", "libvirt_nova_instance_info")


class Measure:
    def __init__(self, files, binary, count):
        self.files, self.faults = Path(files), []
        self.bed = Bed(files)
        self.guests = [Guest(number) for number in range(1, count + 1)]
        for guest in self.guests:
            self.bed.up(guest)
        self.names = {guest.name for guest in self.guests}
        self.libvirtd = int((self.files / "libvirtd.pid").read_text())
        self.exporter, self.binary = Exporter(binary, files, "--min-age=0"), binary

    def run(self):
        print(f"{len(self.guests)} guests of firmware alone, idle; {describe_host()}")
        self.until_complete()
        self.polling()
        self.healthy()
        self.collectors()
        for count in sorted({1, 10, len(self.guests)}):
            if count <= len(self.guests):
                self.stopped(count)
        return not self.faults

    def until_complete(self):
        """Scrapes until all guests are complete; returns after how many scrapes."""
        for count in range(1, 1001):
            if len(self.scrape()[0]) == len(self.guests):
                return count
        raise SystemExit("measure: the guests never were complete")

    def polling(self):
        for pages in 0, 20, 0, 20:
            with Pages(self.exporter.port, pages):
                before, began = self.cpu(), time.monotonic()
                time.sleep(IDLE_SECONDS)
                ours, theirs = self.since(before)
                seconds = time.monotonic() - began
            print(f"polling each second, {pages} pages open, CPU a second: exporter {ours / seconds:.2f} ms, "
                  f"libvirtd {theirs / seconds:.2f} ms; resident {self.exporter.use().memory / 2**20:.1f} MiB")

    def healthy(self):
        """The plain call for all domains' statistics and the whole scrape, in turn."""
        bulk = Bulk(self.files / "run/libvirt-sock-ro")
        calls, scrapes, cost_of_calls, cost_of_scrapes = [], [], [], []
        for _ in range(ROUNDS):
            before = self.cpu()
            calls.append(bulk.ask())
            cost_of_calls.append(self.since(before))
            before = self.cpu()
            scrapes.append(self.scrape()[1])
            cost_of_scrapes.append(self.since(before))
        median = statistics.median
        print(f"healthy, medians of {ROUNDS} rounds: one bulk call {ms(median(calls))} "
              f"(libvirtd {median(theirs for _, theirs in cost_of_calls):.1f} ms CPU); a scrape {ms(median(scrapes))} "
              f"(libvirtd {median(theirs for _, theirs in cost_of_scrapes):.1f}, "
              f"exporter {median(ours for ours, _ in cost_of_scrapes):.1f} ms CPU); "
              f"ratio {median(scrapes) / median(calls):.2f}")

    def collectors(self):
        """What each collector adds to a scrape without any, by scrapes of both in turn."""
        collectors = Collectors(self.binary, self.files)
        try:
            def scrape(exporter):
                return sum(len(samples) for samples in self.scrape(exporter)[2].values())
            for name, default, theirs, ours, samples in collectors.costs(scrape, self.cpu):
                print(f"collector {name} alone ({default}): libvirtd {theirs:.1f}, exporter {ours:.2f} ms CPU, {samples:.0f} samples a scrape")
        finally:
            collectors.stop()

    def stopped(self, count):
        stuck = self.guests[-count:]
        others = self.names - {guest.name for guest in stuck}
        for guest in stuck:
            self.bed.stop(guest)
        took, hung, lacked = [], 0, []
        for number in range(1, STUCK_SCRAPES + 1):
            complete, seconds, families = self.scrape()
            took.append(seconds)
            hung = max(hung, value(families, "libvirt_nova_exporter_rpc_abandoned"))
            lacked += [(number, name) for name in sorted(others - complete)]
            for family in MONITOR_FREE:
                if missing := self.names - named(families, family):
                    self.faults.append(f"{count} stopped, scrape {number}: no {family} of {sorted(missing)}")
            for labels, age in values(families, AGE):
                if labels["domain"] in complete and age > seconds:
                    self.faults.append(f"{count} stopped, scrape {number}: {labels['domain']} is {age} s old")
        # Ten at once may cost the first two scrapes something.
        late = [lack for lack in lacked if lack[0] > 2 or count == 1]
        self.faults += [f"{count} stopped, scrape {number}: {name} is not complete" for number, name in late]
        listed, defined = self.virsh("list"), self.define()
        for guest in stuck:
            self.bed.go_on(guest)
        for guest in stuck:  # It has gone on when libvirt hears from it.
            self.virsh("dommemstat", guest.name)
        again = self.until_complete()
        print(f"{count} stopped: the first scrape {ms(took[0])}, the others {ms(min(took[1:]))} to {ms(max(took[1:]))}; "
              f"healthy guests that lacked something: {len(lacked)} times; calls hung: {hung:.0f} at most; "
              f"virsh list {ms(listed)}, define {ms(defined)}; all complete in scrape {again} after they went on")
        if again > 2:
            self.faults.append(f"{count} stopped: complete in scrape {again} after they went on")

    def scrape(self, exporter=None):
        """Returns who is complete, how long it took, and the families."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", (exporter or self.exporter).port, timeout=TIMEOUT + 1)
        connection.request("GET", "/metrics", headers={
            "X-Prometheus-Scrape-Timeout-Seconds": str(TIMEOUT), "Accept-Encoding": "gzip"})
        compressed = connection.getresponse().read()
        seconds = time.monotonic() - began
        connection.close()
        families = parse(gzip.decompress(compressed).decode())
        if value(families, "libvirt_up") != 1:
            self.faults.append("libvirt_up is not 1")
        return {labels["domain"] for labels, whole in values(families, COMPLETE) if whole == 1}, seconds, families

    def virsh(self, *command):
        """Returns how long a command of virsh took."""
        began = time.monotonic()
        uri = f"qemu:///system?socket={self.files}/run/libvirt-sock"
        subprocess.run(["virsh", "-q", "-c", uri, *map(str, command)], check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        return time.monotonic() - began

    def define(self):
        file = self.files / "new.xml"
        file.write_text("<domain type='qemu'><name>new</name><memory unit='MiB'>32</memory>"
                        "<os><type>hvm</type></os></domain>")
        seconds = self.virsh("define", file)
        self.virsh("undefine", "new")
        return seconds

    def cpu(self, exporter=None):
        return cpu_ms((exporter or self.exporter).pid), cpu_ms(self.libvirtd)

    def since(self, before):
        return tuple(now - then for now, then in zip(self.cpu(), before))


def named(families, family):
    return {labels.get("libvirtname") or labels["domain"] for labels, _ in values(families, family)}


def cpu_ms(pid):
    """CPU time of a process so far, all threads that there are."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e6


def ms(seconds):
    return f"{seconds * 1000:.0f} ms"


def describe_host():
    def version(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]
    return f"{os.cpu_count()} CPUs, {version('libvirtd', '--version')}, {version('qemu-system-x86_64', '--version')}"


def main():
    files, binary, count = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    measure = None
    try:
        measure = Measure(files, binary, int(count))
        passed = measure.run()
    finally:
        if measure is not None:
            measure.bed.release()
            measure.exporter.stop()
    for fault in measure.faults[:20]:
        print(f"measure: {fault}", file=sys.stderr)
    sys.exit(0 if passed else 1)


main()
