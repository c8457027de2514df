"""Who scrapes: each with a timeout and a pace of its own, and with an eye on the machine's stalls."""

import http.client
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from exposition import parse, value, values

CPU_TIME = "libvirt_nova_instance_cpu_time_total"
DEADLINE_DEFAULT = 5.0  # seconds, the exporter's own
DEADLINE_SHARE = 0.9  # of the timeout that the header names
GRACE = 0.2  # seconds beyond the deadline
RETURN_SECONDS = 6  # until libvirtd is found again: the exporter promises 5
# Who scrapes, seconds: name, timeout in the header, interval, whether the connection is kept.
SCRAPERS = [("every second", 1, 1, True), ("short", 2, 2, False), ("no header", None, 3, False), ("long", 10, 5, True)]


@dataclass
class Figures:
    """What one scraper has seen."""

    scrapes: int = 0
    down: int = 0
    down_alone: list = field(default_factory=list)
    silent: int = 0
    longest: float = 0.0
    excused: list = field(default_factory=list)


class Control(threading.Thread):
    """A thread that does nothing but sleep: by how much it wakes too late, the machine stalled."""

    TICK = 0.01

    def __init__(self):
        super().__init__(daemon=True)
        self._stalls = deque(maxlen=6000)
        self.longest = 0.0

    def run(self):
        while True:
            due = time.monotonic() + self.TICK
            time.sleep(self.TICK)
            now = time.monotonic()
            self._stalls.append((due, now))
            self.longest = max(self.longest, now - due)

    def stalled(self, began, ended):
        """Returns for how long of that time the machine stalled, in seconds."""
        time.sleep(self.TICK * 10)  # A stall that is not over yet has not been noted.
        return sum(max(0.0, min(now, ended) - max(due, began)) for due, now in list(self._stalls))


class Counters:
    """The CPU times of every run of every guest: what was seen before a scrape began is the least that it may say."""

    def __init__(self, guests):
        self._guests = guests
        self._seen = {}
        self._lock = threading.Lock()

    def check(self, families, began, ended):
        """Returns what went backwards."""
        faults = []
        with self._lock:
            for labels, cpu_time in values(families, CPU_TIME):
                guest = self._guests.get(labels["libvirtname"])
                run = guest and guest.run_during(began, ended)
                if run is None:
                    continue
                seen = self._seen.setdefault((guest.name, run), deque(maxlen=64))
                least = max((other for at, other in seen if at <= began), default=0.0)
                if cpu_time < least:
                    faults.append(f"{guest.name}, run {run}: {cpu_time:.0f} ns after {least:.0f} ns")
                seen.append((ended, cpu_time))
        return faults


class Scraper(threading.Thread):
    """Scrapes and checks until told to rest, and goes on when told to."""

    def __init__(self, who, port, counters, outages, control, report):
        super().__init__(daemon=True)
        self.name, self.timeout, self.interval, self._keeps = who
        self.deadline = self.timeout * DEADLINE_SHARE if self.timeout else DEADLINE_DEFAULT
        self.figures = Figures()
        self._port, self._counters, self._outages = port, counters, outages
        self._control, self._report = control, report
        self._connection = None
        self._go, self._rests = threading.Event(), threading.Event()

    def rest(self):
        """Returns when no scrape is under way and no connection open."""
        self._rests.clear()
        self._go.clear()
        if not self._rests.wait(self.deadline + 30):
            self._report(f"scraper '{self.name}' does not come to rest")

    def go_on(self):
        self._go.set()

    def run(self):
        due = time.monotonic()
        while True:
            if not self._go.is_set():
                self._hang_up()
                self._rests.set()
                self._go.wait()
                due = time.monotonic()
            time.sleep(max(0.0, min(self.interval, due - time.monotonic())))
            due = max(due + self.interval, time.monotonic())
            began = time.monotonic()
            try:
                status, text = self.fetch()
            except (OSError, http.client.HTTPException) as error:
                self._fault(f"no answer after {time.monotonic() - began:.2f} s: {error!r}")
                continue
            self._judge(status, text, began, time.monotonic())

    def fetch(self):
        """Scrapes once. Where that fails, the next one has another connection."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self.deadline + 10)
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(self.timeout)} if self.timeout else {}
        keeps = False
        try:
            self._connection.request("GET", "/metrics", headers=headers)
            response = self._connection.getresponse()
            text = response.read().decode()
            keeps = self._keeps
        finally:
            if not keeps:
                self._hang_up()
        return response.status, text

    def _hang_up(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _judge(self, status, text, began, ended):
        figures, took = self.figures, ended - began
        figures.scrapes += 1
        figures.longest = max(figures.longest, took)
        if took > self.deadline + GRACE:
            # Our way there and back; the deadline itself does not move by what stalls in between.
            stall = (self._control.stalled(began, min(ended, began + GRACE))
                     + self._control.stalled(began + self.deadline, ended))
            late = f"{took:.3f} s, deadline {self.deadline:.1f} s, the machine stalled for {stall:.3f} s"
            if took > self.deadline + GRACE + stall:
                self._fault(f"late: {late}")
            else:
                figures.excused.append(f"{self.name}: {late}")
        if status != 200:
            self._fault(f"status {status}: {text[:200]!r}")
            return
        try:
            families = parse(text)
        except ValueError as error:
            self._fault(f"does not parse: {error}")
            return
        up = value(families, "libvirt_up")
        if up == 0:
            figures.down += 1
            near = any(away < ended and (back is None or began < back + RETURN_SECONDS) for away, back in self._outages)
            if not near:
                figures.down_alone.append((began, took))
        # A scrape whose time was over before libvirtd was asked says nothing of it.
        figures.silent += up is None
        if up not in (0, 1, None):
            self._fault(f"libvirt_up is {up}, expected 0 or 1")
        if up != 1 and families.get(CPU_TIME):
            self._fault(f"libvirt_up is {up}, and domains are served")
        for fault in self._counters.check(families, began, ended):
            self._fault(f"a counter went backwards: {fault}")

    def _fault(self, text):
        self._report(f"scraper '{self.name}': {text}")
