"""A day of a record that a Prometheus has already when it begins, for the rules that read a day."""

import random
import subprocess
import time

RECORD = "domain:libvirt_vcpu_utilization:ratio_rate5m"
SECONDS, EVERY = 86400 + 3600, 60


def write(files, data, hosts):
    """Makes blocks for `data` of what the rules would have recorded, once a minute, of each instance of these hosts."""
    text, end = files / "history.txt", int(time.time())
    chance = random.Random(1)
    with text.open("w") as lines:
        lines.write(f"# TYPE {RECORD} gauge\n")
        for host in hosts:
            for number in host.numbers:
                # A tenth of them is idle.
                busy = 0.01 if number % 10 == 0 else 0.3
                labels = (f'job="libvirt_nova",instance="127.0.0.1:{host.exporter.port}",'
                          f'domain="instance-{number:08x}",uuid="11111111-2222-4333-8444-{number:012x}"')
                lines.writelines(f"{RECORD}{{{labels}}} {busy * chance.random():.6f} {at}\n" for at in range(end - SECONDS, end, EVERY))
        lines.write("# EOF\n")
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", text, data], check=True, stdout=subprocess.DEVNULL)
    text.unlink()
