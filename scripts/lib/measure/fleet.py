"""What a fleet of simulated hosts takes of Prometheus, its rules, and its agent: see scripts/measure."""

import signal
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import history
from host import Host
from prometheus import Prometheus

DOMAINS, INTERVAL = 50, 15
GUESTS_A_PROJECT = 10
# Windows of five minutes are full then.
SETTLED_MINUTES = 7
LAST, AT, TOLD = (f"prometheus_rule_group_last_{what}" for what in ("duration_seconds", "evaluation_timestamp_seconds", "evaluation_samples"))


class Fleet:
    """The hosts, and who scrapes them: each in a way of its own, all at the same time."""

    def __init__(self, stack, files, binary, simulator, rules, count):
        self.guests = count * DOMAINS
        self.hosts = []
        for number in range(count):
            host = Host(files / f"host-{number}", binary, simulator, DOMAINS, 1 + number * DOMAINS, max(1, self.guests // GUESTS_A_PROJECT))
            stack.callback(host.stop)
            self.hosts.append(host)
        for host in self.hosts:
            host.wait()
        # Before anybody scrapes, for it takes a while.
        history.write(files, files / "ruled/data", self.hosts)
        scraped = {"scrape_configs": [{
            "job_name": "libvirt_nova", "scrape_interval": f"{INTERVAL}s",
            "static_configs": [{"targets": [f"127.0.0.1:{host.exporter.port}" for host in self.hosts]}]}]}

        def start(name, configuration, *flags, **mode):
            prometheus = Prometheus(files / name, configuration, *flags, **mode)
            stack.callback(prometheus.stop)
            return prometheus

        self.empty = start("empty", {})
        self.plain = start("plain", scraped)
        self.ruled = start("ruled", scraped | {"rule_files": [f"{rules}/*.yml"]})
        self.receiver = start("receiver", {}, "--web.enable-remote-write-receiver")
        write = [{"url": f"http://127.0.0.1:{self.receiver.port}/api/v1/write"}]
        # At Ctrl-C nobody receives any more.
        self.agent = start("agent", scraped | {"remote_write": write}, "--storage.remote.flush-deadline=5s", agent=True)
        self.servers = {"scraping": self.plain, "scraping, with rules": self.ruled, "agent": self.agent, "receiver": self.receiver}

    def metrics(self):
        return {name: server.metrics() for name, server in self.servers.items()}


def settle(minutes):
    """How long a run of so many minutes goes on before it counts."""
    return min(SETTLED_MINUTES, minutes / 2) * 60


def watch(fleet, minutes):
    """Lets it run; returns what the servers told when all had settled, what they tell now, and how long each evaluation
    of a group of rules took between."""
    began, evaluations = time.monotonic(), {}
    time.sleep(settle(minutes))
    before = fleet.metrics()
    while time.monotonic() < began + minutes * 60:
        for group, told in fleet.ruled.groups(LAST, AT).items():
            evaluations.setdefault(group, {})[told[AT]] = told[LAST]
        time.sleep(INTERVAL)
    return before, fleet.metrics(), {group: list(durations.values()) for group, durations in evaluations.items()}


def say_servers(fleet, before, now, seconds):
    base = fleet.empty.metrics()["process_resident_memory_bytes"]
    print(f"an empty Prometheus has {base / 1e6:.0f} MB resident; beyond it:")
    for name, server in fleet.servers.items():
        heads = now[name].get("prometheus_tsdb_head_series") or now[name]["prometheus_agent_active_series"]
        resident = now[name]["process_resident_memory_bytes"] - base
        cpu = now[name]["process_cpu_seconds_total"] - before[name]["process_cpu_seconds_total"]
        print(f"  {name}: {heads:.0f} series, {resident / 1e6:.0f} MB resident, {(server.peak() - base) / 1e6:.0f} at most, "
              f"{resident / heads:.0f} bytes a series, {resident / fleet.guests / 1e3:.1f} MB per 1,000 guests, "
              f"heap {now[name]['go_memstats_heap_inuse_bytes'] / 1e6:.0f} MB; CPU {cpu / seconds:.3f} of one")


def say_storage(fleet, before, now, seconds):
    appended = "prometheus_tsdb_head_samples_appended_total"
    samples = now["scraping"][appended]
    print(f"scraping: {(samples - before['scraping'][appended]) / seconds:.0f} samples a second; "
          f"log written ahead {fleet.plain.log_bytes() / samples:.2f} bytes a sample")
    stats, chunks, index = fleet.plain.block()
    print(f"  as a block: {stats['numSamples']} samples of {stats['numSeries']} series; chunks {chunks / stats['numSamples']:.2f} bytes a sample, "
          f"index {index / stats['numSeries']:.0f} bytes a series")


def say_writing(fleet, before, now, seconds):
    sent = {what: now["agent"][name] - before["agent"][name] for what, name in {
        "samples": "prometheus_remote_storage_samples_total", "bytes": "prometheus_remote_storage_bytes_total",
        "metadata": "prometheus_remote_storage_metadata_bytes_total"}.items()}
    lost = sum(now["agent"][f"prometheus_remote_storage_samples_{what}_total"] for what in ("failed", "dropped"))
    print(f"agent: sent {sent['samples'] / seconds:.0f} samples a second, {sent['bytes'] / sent['samples']:.2f} bytes a sample, "
          f"and of metadata {sent['metadata'] / seconds:.0f} bytes a second; {lost:.0f} samples lost; "
          f"{now['agent']['prometheus_remote_storage_samples_pending']:.0f} wait, {now['agent']['prometheus_remote_storage_shards']:.0f} shards; "
          f"log {fleet.agent.log_bytes() / now['agent']['prometheus_agent_samples_appended_total']:.2f} bytes a sample")


def say_rules(fleet, evaluations):
    print("a group of rules: evaluations, seconds that they took at least, in the median, at most; samples of the last, missed")
    missed = "prometheus_rule_group_iterations_missed_total"
    told = fleet.ruled.groups(TOLD, missed)
    for group, durations in sorted(evaluations.items()):
        print(f"  {group}: {len(durations)}, {min(durations):.3f}, {statistics.median(durations):.3f}, {max(durations):.3f}; "
              f"{told[group][TOLD]:.0f}, {told[group][missed]:.0f}")


def end(number, _):
    """Ends this and so all that it started; of being told twice, as Ctrl-C does under timeout, nothing is left over."""
    for each in signal.SIGINT, signal.SIGTERM:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    files, binary, simulator, rules, count, minutes = sys.argv[1:]
    minutes = int(minutes)
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, end)
    with ExitStack() as stack:
        fleet = Fleet(stack, Path(files), binary, simulator, rules, int(count))
        print(f"{count} hosts of {DOMAINS} instances each, scraped every {INTERVAL} s for {minutes} minutes, "
              f"of which the first {settle(minutes) / 60:.1f} do not count where it is by the second", flush=True)
        before, now, evaluations = watch(fleet, minutes)
        seconds = minutes * 60 - settle(minutes)
        say_servers(fleet, before, now, seconds)
        say_writing(fleet, before, now, seconds)
        say_rules(fleet, evaluations)
        say_storage(fleet, before, now, seconds)


main()
