"""The rules in a Prometheus that scrapes exporters of simulated hosts: all is well and no alert fires; then hosts and
guests fail, and theirs do: python3 scripts/lib/rules/live.py CHECKOUT EXPORTER SIMULATOR."""

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import yaml

PATIENCE = 120  # seconds
# A day of data is not to be had here.
NEEDS_A_DAY = {"uuid:libvirt_vcpu_utilization:avg1d", "project_id:libvirt_idle_domains:count"}
# Every rule each second, and no alert waits.
AT_ONCE = [(r"^( *)interval: \w+$", r"\1interval: 1s"), (r"^ *for: \w+\n", "")]


class Bed:
    """Two hosts, with an exporter each, and a Prometheus. `crowded` has fifty guests; `wide` has three, the same as the
    first three there, as if they were migrating, and --labels=wide."""

    def __init__(self, stack, checkout, exporter, simulator):
        self.files = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.stack, self.daemons = stack, {}
        ports = {"crowded": free_port(), "wide": free_port()}
        for name, domains, flags in [("crowded", 50, []), ("wide", 3, ["--labels=wide"])]:
            self.start(f"sim-{name}", simulator, "--domains", str(domains),
                       "--socket", str(self.files / name), "--control", str(self.control(name)))
            wait_until("a simulator", lambda name=name: self.control(name).exists())
            self.start(f"exporter-{name}", exporter, "-log", "-", "--uri", str(self.files / f"{name}-ro"),
                       f"--web.listen-address=127.0.0.1:{ports[name]}", *flags)
        self.write_rules(checkout)
        self.write_configuration(ports)
        self.port = free_port()
        self.start("prometheus", "prometheus", f"--config.file={self.files}/prometheus.yml",
                   f"--storage.tsdb.path={self.files}/data", f"--web.listen-address=127.0.0.1:{self.port}")

    def control(self, name):
        return self.files / f"{name}-control"

    def start(self, name, *command):
        log = self.stack.enter_context(open(self.files / f"{name}.log", "wb"))
        daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.stack.callback(end, daemon)
        self.daemons[name] = daemon

    def write_rules(self, checkout):
        (self.files / "rules").mkdir()
        for path in (checkout / "rules").glob("*.yml"):
            text = path.read_text()
            for found, instead in AT_ONCE:
                text = re.sub(found, instead, text, flags=re.MULTILINE)
            (self.files / "rules" / path.name).write_text(text)

    def write_configuration(self, ports):
        targets = [{"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name}} for name, port in ports.items()]
        nobody = {"targets": [f"127.0.0.1:{free_port()}"], "labels": {"instance": "another exporter, that is down"}}
        (self.files / "prometheus.yml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "rule_files": [str(self.files / "rules/*.yml")],
            "scrape_configs": [{"job_name": "compute", "static_configs": [*targets, nobody]}],
        }))

    def command(self, host, line):
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.control(host)))
            control.sendall(f"{line}\n".encode())
            answer = control.recv(1000).decode().strip()
        if answer != "ok":
            raise RuntimeError(f"{line}: {answer}")

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            return {}

    def query(self, expression):
        return [(sample["metric"], float(sample["value"][1]))
                for sample in self.ask("query", query=expression).get("result", [])]

    def rules(self):
        return [rule for group in self.ask("rules").get("groups", []) for rule in group["rules"]]

    def firing(self):
        """Returns which alerts fire, and for which host."""
        return {(labels["alertname"], labels.get("instance", "")) for labels, _ in self.query("ALERTS")}

    def told(self):
        """Returns the records that have samples, and how many on `crowded` or of no host."""
        found = self.query('count by (__name__) ({__name__=~".+:.+",instance!="wide"})')
        return {labels["__name__"]: int(count) for labels, count in found}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def end(daemon):
    daemon.terminate()
    daemon.wait(10)


def wait_until(what, is_so):
    """Waits until something is so, and returns it."""
    over = time.monotonic() + PATIENCE
    while not (found := is_so()):
        if time.monotonic() > over:
            raise RuntimeError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.2)
    return found


def all_is_well(bed):
    """Every rule is evaluated without a fault, every record has samples, and nothing fires."""
    records = {rule["name"] for rule in wait_until("rules", bed.rules) if rule["type"] == "recording"} - NEEDS_A_DAY
    wait_until("two evaluations after the first data", lambda: records <= bed.told().keys())
    # An alert that had only waited for data shows itself now.
    seen = bed.query("max(timestamp(instance:libvirt_vcpu_steal:ratio_rate5m))")[0][1]
    wait_until("more evaluations", lambda: bed.query(
        "max(timestamp(instance:libvirt_vcpu_steal:ratio_rate5m))")[0][1] >= seen + 5)
    faults = [f"{rule['name']}: {rule['lastError']}" for rule in bed.rules() if rule.get("lastError")]
    faults += [f"{alert} fires on {instance or 'no host'}, and all is well" for alert, instance in bed.firing()]
    # Three of the guests are on both hosts; each project has what it has once.
    [(_, once)] = bed.query('sum(project_id:libvirt_vcpus_allotted:sum)')
    [(_, crowded)] = bed.query('instance:libvirt_vcpus_allotted:sum{instance="crowded"}')
    if once != crowded:
        faults.append(f"projects have {once} vCPUs, and their instances {crowded}")
    return faults


def main(checkout, exporter, simulator):
    with ExitStack() as stack:
        bed = Bed(stack, Path(checkout), exporter, simulator)
        faults = all_is_well(bed)
        told = bed.told()
        print("series that a host with fifty guests of three projects makes:")
        for record in sorted(told):
            print(f"  {told[record]:4} {record}")
        if faults:
            print(*faults, sep="\n", file=sys.stderr)
            return True
        break_it(bed)
    return False


def break_it(bed):
    """Makes one thing after the other fail; its alert fires, and no other."""
    # While a daemon restarts it is down, and here no alert waits.
    allowed = {("LibvirtDown", "crowded")}
    steps = [
        ("LibvirtGuestPausedByIOError", "wide", lambda: bed.command("wide", "io-error instance-00000002")),
        ("LibvirtGuestDiskError", "wide", lambda: None),
        ("LibvirtGuestMemoryUntold", "wide", lambda: bed.command("wide", "balloon instance-00000003 off")),
        ("LibvirtRestarting", "crowded", lambda: restart(bed, 3)),
        ("LibvirtDown", "crowded", lambda: bed.command("crowded", "down")),
        ("LibvirtNovaExporterDown", "crowded", lambda: end(bed.daemons["exporter-crowded"])),
        # The guests of the other one are gone with it, and so is what was wrong with them.
        ("LibvirtNovaExporterDown", "wide", lambda: end(bed.daemons["exporter-wide"])),
        ("LibvirtNovaExporterAbsent", "", lambda: None),
    ]
    for alert, instance, act in steps:
        act()
        allowed.add((alert, instance))
        wait_until(f"{alert} on {instance}", lambda: (alert, instance) in bed.firing())
        if others := bed.firing() - allowed:
            raise RuntimeError(f"for {alert} on {instance} there fire {others}")
        print(f"{alert} fires on {instance or 'no host'}")


def restart(bed, times):
    reconnects = 'libvirt_nova_exporter_reconnects_total{instance="crowded"}'
    for count in range(1, times + 1):
        bed.command("crowded", "restart")
        wait_until("a new connection", lambda: any(value >= count for _, value in bed.query(reconnects)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
