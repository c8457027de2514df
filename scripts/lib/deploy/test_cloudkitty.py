"""deploy/cloudkitty: CloudKitty's own collector asks a Prometheus for an hour of three instances.

The labels are an exporter's; the values are made, so that what the hour comes to is known.
"""

import datetime
import re
import unittest

import bed
import yaml
from cloudkitty import collector
from cloudkitty.collector.prometheus import PrometheusCollector
from cloudkitty.fetcher.prometheus import PrometheusFetcher
from oslo_config import cfg

CONF = cfg.CONF
PERIOD = 3600
GIB = 1024**3
# Of each instance: how fast its counters move a second, and what it has.
MOVES = {
    "cpu_time_seconds_total": 0.5,
    "read_bytes_total": GIB / PERIOD,
    "write_bytes_total": 2 * GIB / PERIOD,
    "receive_bytes_total": 3 * GIB / PERIOD,
    "transmit_bytes_total": 4 * GIB / PERIOD,
}
HAS = {"info_virtual_cpus": 2, "maximum_memory_bytes": 4 * GIB, "capacity_bytes": 10 * GIB, "openstack_info": 1, "block_stats_info": 1}
SAMPLE = re.compile(r'libvirt_domain_(?P<name>\w+)\{domain="instance-(?P<number>\d+)",(?P<labels>.*)\} \S+')


class Rating(bed.Bed):
    def setUp(self):
        super().setUp()
        CONF([], project="cloudkitty", default_config_files=[])
        CONF.set_override("collector", "prometheus", "collect")
        self.conf = collector.validate_conf(yaml.safe_load((bed.DEPLOY / "cloudkitty" / "metrics.yml").read_text()))

    def exposition(self, socket):
        # Not Cinder's: of the simulated instances, the disk is a volume.
        return re.sub(r'volume_uuid="[^"]*"', 'volume_uuid=""', self.run_ok(bed.EXPORTER, "--once", "--log=-", f"--uri={socket}"))

    def samples(self, exposition, numbers, host, age, time):
        """What a host tells of these instances that have been there for so many seconds."""
        for line in exposition.splitlines():
            sample = SAMPLE.fullmatch(line)
            if not sample or int(sample["number"]) not in numbers:
                continue
            for ends, value in [*((k, v * age) for k, v in MOVES.items()), *HAS.items()]:
                if sample["name"].endswith(ends):
                    yield sample["name"], f'domain="instance-{sample["number"]}",{sample["labels"]},instance="{host}",job="libvirt_nova"', value, time

    def history(self, start):
        """The first of the instances is renamed after half an hour, the second migrates, the third is deleted."""
        socket, control = self.simulate()
        before = self.exposition(socket)
        self.command(control, "metadata instance-00000001 name renamed")
        after = self.exposition(socket)
        self.assertIn('instance_name="renamed"', after)
        for age in range(0, PERIOD + 1, 15):
            half = PERIOD // 2
            one = {1} if age < half else set()
            yield from self.samples(before, one, "c1", age, start + age)
            yield from self.samples(after, {1} - one, "c1", age, start + age)
            # For five minutes it is on both hosts.
            if age < half + 300:
                yield from self.samples(before, {2}, "c1", min(age, half), start + age)
            if age >= half:
                yield from self.samples(before, {2}, "c2", age - half, start + age)
            if age < half:
                yield from self.samples(before, {3}, "c1", age, start + age)

    def prometheus_of_the_hour(self, start):
        series = {}
        for name, labels, value, time in self.history(start):
            series.setdefault(f"libvirt_domain_{name}", []).append(f"libvirt_domain_{name}{{{labels}}} {value} {time}")
        lines = [line for name in sorted(series) for line in (f"# TYPE {name} unknown", *series[name])]
        raw = self.dir / "raw.txt"
        raw.write_text("\n".join([*lines, "# EOF", ""]))
        blocks = self.dir / "tsdb"
        self.run_ok("promtool", "tsdb", "create-blocks-from", "openmetrics", raw, blocks)
        config = self.dir / "prometheus.yml"
        config.write_text("{}")
        # Series that end are not marked as such in a file: they must not be taken for alive for five minutes.
        url = self.prometheus(config, "--query.lookback-delta=20s", data=blocks)
        self.run_ok(
            *("promtool", "tsdb", "create-blocks-from", "rules", f"--url={url}", f"--output-dir={blocks}"),
            # Not upon the hour, as no Prometheus does.
            *(f"--start={start + 7}", f"--end={start + PERIOD}", "--eval-interval=1m"),
            bed.DEPLOY / "cloudkitty" / "rules.yml",
        )
        # Another one, for the first does not look for new blocks.
        return self.prometheus(config, data=blocks)

    def test_an_hour(self):
        end = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=3)
        start = end - datetime.timedelta(seconds=PERIOD)
        api = f"{self.prometheus_of_the_hour(int(start.timestamp()))}/api/v1"
        CONF.set_override("prometheus_url", api, "collector_prometheus")
        ours = PrometheusCollector(period=PERIOD, conf={"metrics": yaml.safe_load((bed.DEPLOY / "cloudkitty" / "metrics.yml").read_text())["metrics"]})

        blue = bed.json.loads(bed.get(f"{api}/series?match[]=cloudkitty:vcpus&start={start.timestamp()}&end={end.timestamp()}"))["data"]
        projects = {series["project_name"]: series["project_id"] for series in blue}
        self.assertEqual(set(projects), {"blue", "green", "red"})
        rated = {}
        for metric in ours.conf:
            for project, id in projects.items():
                name, points = ours.retrieve(metric, start, end, project_id=id)
                for point in points:
                    self.assertEqual(point.groupby["project_id"], id)
                    rated.setdefault((project, name), {})[point.metadata["instance_name"]] = float(point.qty)
        hour = {
            "vcpu": 2,
            "memory": 4,
            "local_disk": 10,
            "cpu": 0.5,
            "disk_read": 1,
            "disk_write": 2,
            "network_receive": 3,
            "network_transmit": 4,
        }
        for name, whole in hour.items():
            # The third has two of them.
            disks = 2 if "disk" in name else 1
            expected = {
                ("blue", name): {"testing-1": whole / 2, "renamed": whole / 2},
                ("green", name): {"testing-2": whole},
                ("red", name): {"testing-3": whole / 2 * disks},
            }
            for key, instances in expected.items():
                self.assertEqual(set(rated[key]), set(instances), key)
                for instance, quantity in instances.items():
                    with self.subTest(metric=name, instance=instance):
                        # A minute of the hour, at each end of a series.
                        self.assertAlmostEqual(rated[key][instance], quantity, delta=whole * 2 / 60)

    def test_projects_are_found(self):
        socket, _ = self.simulate()
        port = bed.free_port()
        self.start("exporter", bed.EXPORTER, f"--web.listen-address=127.0.0.1:{port}", "--log=-", f"--uri={socket}")
        rules = self.dir / "rules.yml"
        rules.write_text((bed.DEPLOY / "cloudkitty" / "rules.yml").read_text().replace("interval: 1m", "interval: 1s"))
        config = self.dir / "prometheus.yml"
        scrape = {"job_name": "libvirt_nova", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        config.write_text(
            yaml.safe_dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "rule_files": [str(rules)], "scrape_configs": [scrape]})
        )
        url = self.prometheus(config)
        for name, value in {"prometheus_url": f"{url}/api/v1", "metric": "cloudkitty:vcpus", "scope_attribute": "project_id"}.items():
            CONF.set_override(name, value, "fetcher_prometheus")
        bed.within(20, lambda: len(PrometheusFetcher().get_tenants()) == 3)
        # Each of the rules has something to say of what an exporter says; local disks are none of the simulator's.
        for metric in self.conf:
            record = metric.split("@#")[0]
            if record != "cloudkitty:local_disk_bytes":
                bed.within(20, lambda: self.query(url, f"count({record})"))


if __name__ == "__main__":
    unittest.main()
