"""The soak, on a testbed that is there: python3 scripts/lib/soak DIR EXPORTER SECONDS SEED."""

import http.client
import signal
import sys
import threading
import time

from bed import Bed, BedError, Guest
from disturbances import Plan, play
from exporter import MEMORY_BYTES, MEMORY_SHARE, Exporter, ExporterError, Use
from exposition import parse, value, values
from scraper import CPU_TIME, GRACE, RETURN_SECONDS, SCRAPERS, Control, Counters, Scraper

RESIDENTS, VISITORS = 8, 2
LINE_SECONDS = 30
RECOVERY_SECONDS = 60  # until all is served again: what libvirtd and the exporter wait for at most is half of that
READINGS = 8  # at rest, one a second
LAST_ROUND_SECONDS = 10
FAULTS_SHOWN = 20
MIB = 1024 * 1024


class Soak:
    def __init__(self, files, binary, seconds, seed):
        self.began, self.seconds = time.monotonic(), seconds
        self.bed, self.faults, self.now = Bed(files), [], "the guests come up"
        self.told = []  # the rounds, and when each began
        self.journal = open(f"{files}/log/soak.log", "w", buffering=1)
        residents = [Guest(number) for number in range(1, RESIDENTS + 1)]
        visitors = [Guest(number) for number in range(RESIDENTS + 1, RESIDENTS + VISITORS + 1)]
        self.plan = Plan(seed, residents, visitors)
        for guest in residents:
            self.bed.up(guest)
        self.names = {guest.name for guest in residents}
        self.exporter = Exporter(binary, files)
        self.control = Control()
        counters = Counters(self.bed.guests)
        known = (self.exporter.port, counters, self.bed.outages, self.control, self.fault)
        self.scrapers = [Scraper(who, *known) for who in SCRAPERS]
        # Asks at rest alone, and not as one of the four.
        self.visitor = Scraper(("at rest", 10, 0, False), *known)

    def run(self):
        for thread in [self.control, *self.scrapers, threading.Thread(target=self.tell, daemon=True)]:
            thread.start()
        self.scrape_during(self.plan.warm_up(), "warm-up")
        start = self.at_rest("start")
        self.scrape_during(self.until_time_is_over(), "round")
        end = self.at_rest("end")
        self.check_exporter()
        for change in start.changes(end):
            self.fault(change)
        self.table(start, end)
        return not self.faults

    def scrape_during(self, rounds, what):
        for scraper in self.scrapers:
            scraper.go_on()
        for number, acts in enumerate(rounds, 1):
            self.now = f"{what} {number}: {', '.join(map(str, acts))}"
            self.note(self.now)
            self.told.append((time.monotonic(), self.now))
            if faults := play(self.bed, acts):
                raise BedError("; ".join(faults))
            self.exporter.check()
        for scraper in self.scrapers:
            scraper.rest()

    def until_time_is_over(self):
        while self.seconds - (time.monotonic() - self.began) > LAST_ROUND_SECONDS:
            yield self.plan.another()

    def at_rest(self, what):
        """What the exporter uses while all guests are there and nobody scrapes: the least of some readings each."""
        self.now = f"at rest, {what}"
        until = time.monotonic() + RECOVERY_SECONDS
        while lacks := self.lacking():
            if time.monotonic() > until:
                self.fault(f"after {RECOVERY_SECONDS} s of rest ({what}): {lacks}")
                break
            time.sleep(0.5)
        readings = []
        for _ in range(READINGS):
            tasks = value(self.families(), "libvirt_nova_exporter_tasks")
            time.sleep(1)
            readings.append((self.exporter.use(), tasks))
        use = Use(*(min(getattr(use, name) for use, _ in readings) for name in ("memory", "descriptors", "threads")),
                  min((int(tasks) for _, tasks in readings if tasks is not None), default=None))
        self.note(f"{self.now}: {use}")
        return use

    def lacking(self):
        """What a scrape at rest has yet to say; None where it says all."""
        families = self.families()
        if value(families, "libvirt_up") != 1:
            return "libvirt_up is not 1"
        if hung := value(families, "libvirt_nova_exporter_rpc_abandoned"):
            return f"{hung:.0f} calls hang"
        names = {labels["libvirtname"] for labels, _ in values(families, CPU_TIME)}
        if names != self.names:
            return f"domains {sorted(names)}, expected {sorted(self.names)}"
        complete = values(families, "libvirt_domain_stats_complete")
        lacking = sorted(labels["domain"] for labels, whole in complete if whole != 1)
        return f"incomplete: {lacking}" if lacking or len(complete) != len(names) else None

    def families(self):
        try:
            status, text = self.visitor.fetch()
            return parse(text) if status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError):
            return {}

    def check_exporter(self):
        if (status := self.exporter.stop()) != 0:
            self.fault(f"the exporter's exit status is {status}, expected 0")
        if "panicked" in (log := self.exporter.log.read_text(errors="replace")):
            self.fault(f"the exporter panicked: {log[log.index('panicked'):][:200]!r}")

    def tell(self):
        for line in range(1, sys.maxsize):
            time.sleep(max(0.0, self.began + line * LINE_SECONDS - time.monotonic()))
            figures = [scraper.figures for scraper in self.scrapers]
            try:
                use = self.exporter.use()
            except ExporterError:
                return
            print(f"[{line * LINE_SECONDS:4d} s] {sum(f.scrapes for f in figures)} scrapes, "
                  f"{sum(f.down for f in figures)} with up 0, longest {max(f.longest for f in figures):.2f} s; "
                  f"{use.memory / MIB:.2f} MiB, {use.descriptors} descriptors, {self.exporter.log_lines()} log lines, "
                  f"{len(self.faults)} faults | {self.now}", flush=True)

    def table(self, start, end):
        print(f"\n{'scraper':14}{'scrapes':>8}{'up 0':>6}{'alone':>7}{'no up':>7}{'deadline':>10}{'longest':>10}"
              f"{'excused':>9}")
        for scraper in self.scrapers:
            seen = scraper.figures
            print(f"{scraper.name:14}{seen.scrapes:8}{seen.down:6}{len(seen.down_alone):7}{seen.silent:7}"
                  f"{scraper.deadline:8.1f} s{seen.longest:8.3f} s{len(seen.excused):9}")
        print(f"alone: up 0 more than {RETURN_SECONDS} s after libvirtd was away; "
              "no up: its time was over before libvirtd was asked")
        for scraper in self.scrapers:
            for began, took in scraper.figures.down_alone:
                what = [what for since, what in self.told if since <= began][-1]
                print(f"  {scraper.name}: {began - self.began:.1f} s, after {took:.3f} s; {what}")
        print(f"\n{'at rest':14}{'start':>10}{'end':>10}")
        print(f"{'memory, KiB':14}{start.memory // 1024:10}{end.memory // 1024:10}   at most "
              f"{start.memory_max() // 1024}: {MEMORY_SHARE:.0%} and {MEMORY_BYTES // 1024} KiB more")
        for name in ("descriptors", "threads", "tasks"):
            print(f"{name:14}{getattr(start, name)!s:>10}{getattr(end, name)!s:>10}   the same")
        print(f"\n{self.exporter.log_lines()} log lines")
        print(f"longest stall of the machine: {self.control.longest:.3f} s. A scrape may take its deadline and "
              f"{GRACE * 1000:.0f} ms, and as long as the\nmachine stalled on its way there and back: those that "
              "needed the latter are excused.")
        for line in (line for scraper in self.scrapers for line in scraper.figures.excused):
            print(f"  {line}")

    def fault(self, text):
        self.faults.append(text)
        self.note(f"fault: {text}")
        if len(self.faults) <= FAULTS_SHOWN:
            print(f"soak: {self.elapsed()} {text}", file=sys.stderr, flush=True)

    def note(self, text):
        self.journal.write(f"{self.elapsed()} {text}\n")

    def elapsed(self):
        return f"[{time.monotonic() - self.began:6.1f} s]"


def main():
    files, binary, seconds, seed = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    soak = None
    try:
        soak = Soak(files, binary, int(seconds), seed)
        passed = soak.run()
    except BedError as error:
        print(f"soak: the testbed failed, which says nothing of the exporter: {error}", file=sys.stderr)
        passed = False
    except ExporterError as error:
        print(f"soak: the exporter: {error}", file=sys.stderr)
        passed = False
    finally:
        if soak is not None:
            soak.bed.release()
            soak.exporter.stop()
    if soak and soak.faults:
        print(f"\nfailed, {len(soak.faults)} faults; seed {seed}")
    elif passed:
        print(f"\npassed; seed {seed}")
    sys.exit(0 if passed else 1)


main()
