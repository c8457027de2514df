"""Our exporter beside others, and beside its calls alone: see scripts/bench."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))

from bed import Bed, BedError, Guest  # noqa: E402
from exporter import ExporterError  # noqa: E402
from machine import describe, memory  # noqa: E402
from page import printed  # noqa: E402
from rounds import rounds  # noqa: E402
from starts import idle, starts  # noqa: E402
from steps import StepsError, steps  # noqa: E402
from subjects import Debians, Ours, RawLoop, SubjectError, Virsh  # noqa: E402

CHECKOUT = Path(__file__).resolve().parents[3]
DEBIAN = CHECKOUT / "target/testbed/debian-exporter/usr/bin/prometheus-libvirt-exporter"
GUEST_BYTES, SPARE_BYTES = 80 << 20, 2 << 30
# For the 99th percentile many, and a full run is to take a quarter of an hour.
ROUNDS = {1: 200, 10: 150, 50: 100, 100: 100, 150: 30, 1000: 40, 10_000: 10}
STARTS, IDLE_SECONDS = 15, 60


class Bench:
    def __init__(self, options):
        self.options, self.files = options, Path(options.files)
        self.bed, self.guests = Bed(options.files), 0
        machine = describe(CHECKOUT, options.binary, DEBIAN, options.rustc, options.given)
        self.run = {"machine": machine, "size": os.path.getsize(options.binary),
                    "steps": steps(Path(options.steps).read_text()), "readings": [], "skipped": []}

    def measure(self):
        for guests in sorted(self.options.guests):
            self.real(guests)
        for domains in sorted(self.options.domains):
            self.simulated(domains)
        return self.run

    def real(self, guests):
        if memory("MemAvailable") < (guests - self.guests) * GUEST_BYTES + SPARE_BYTES:
            self.run["skipped"].append(f"{guests} guests: the memory is too small")
            return
        say(f"{guests} guests")
        for number in range(self.guests + 1, guests + 1):
            self.bed.up(Guest(number))
        self.guests = guests
        daemon = int((self.files / "libvirtd.pid").read_text())
        self.rounds("real", guests, self.files, daemon)
        if guests == (50 if 50 in self.options.guests else max(self.options.guests)):
            say("starting, and doing nothing")
            count, seconds = (3, 10) if self.options.quick else (STARTS, IDLE_SECONDS)
            self.run["starts"] = {"domains": guests, **starts(self.options.binary, DEBIAN, self.files, guests, count)}
            self.run["idle"] = idle(self.options.binary, self.files, seconds)

    def simulated(self, domains):
        say(f"{domains} simulated domains")
        files = self.files / "simulated"
        for directory in "run", "log":
            (files / directory).mkdir(parents=True)
        simulator = subprocess.Popen(
            [self.options.simulator, "--socket", f"{files}/run/libvirt-sock", "--domains", str(domains)])
        try:
            door = files / "run/libvirt-sock-ro"
            while not door.exists():
                if simulator.poll() is not None:
                    raise SubjectError(f"libvirtd-sim: it has ended, status {simulator.returncode}")
                time.sleep(0.01)
            door.chmod(0o777)
            # It polls nothing: with thousands of domains, what is polled each second would be in each scrape.
            self.rounds("simulated", domains, files, simulator.pid, "--interval=0")
        finally:
            simulator.terminate()
            simulator.wait(10)
            shutil.rmtree(files)

    def rounds(self, kind, domains, files, daemon, *flags):
        count = ROUNDS.get(domains, 50)
        count = max(5, count // 10) if self.options.quick else count
        subjects = []
        try:
            ours = Ours(self.options.binary, files, *flags)
            subjects.append(ours)
            subjects.append(RawLoop(self.options.raw_loop, files, ours))
            # It lists domains by procedures that the simulator does not know.
            if kind == "real":
                subjects.append(Debians(DEBIAN, files))
            subjects.append(Virsh(files))
            self.run["readings"] += rounds({"kind": kind, "domains": domains}, subjects, daemon, count)
        finally:
            for subject in subjects:
                subject.stop()


def end_children():
    """Ends what a signal has kept from being stopped."""
    for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        os.kill(int(child), signal.SIGTERM)


def say(what):
    print(f"==> {what}", flush=True)


def parsed():
    parser = argparse.ArgumentParser()
    parser.add_argument("files")
    parser.add_argument("binary")
    parser.add_argument("--raw-loop", required=True)
    parser.add_argument("--simulator", required=True)
    parser.add_argument("--steps", required=True, help="what divan printed")
    parser.add_argument("--rustc", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--guests", type=int, nargs="*", default=[])
    parser.add_argument("--domains", type=int, nargs="*", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--given", action="store_true", help="the exporter was built by others")
    return parser.parse_args()


def main():
    options = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        bench = Bench(options)
    except StepsError as error:
        sys.exit(f"bench: {error}")
    try:
        run = bench.measure()
    except (BedError, ExporterError, SubjectError) as error:
        sys.exit(f"bench: {error}")
    finally:
        bench.bed.release()
        end_children()
    Path(options.output).write_text(json.dumps(run, indent=1) + "\n")
    print(printed(run))


main()
