"""deploy/prometheus: the configurations are good, find whom they shall find, and call them by their names."""

import hashlib
import http.server
import json
import re
import shutil
import threading
import unittest

import bed


class Keystone(http.server.BaseHTTPRequestHandler):
    """As much of Keystone and Nova as service discovery asks: a token, the catalog, the hypervisors."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        endpoint = {"interface": "public", "region": "RegionOne", "region_id": "RegionOne", "url": f"{self.server.url}/v2.1", "id": "e"}
        token = {
            "expires_at": "2999-01-01T00:00:00.000000Z",
            "catalog": [{"type": "compute", "name": "nova", "id": "c", "endpoints": [endpoint]}],
        }
        self.answer(201, {"token": token}, {"X-Subject-Token": "t"})

    def do_GET(self):
        assert self.path.startswith("/v2.1/os-hypervisors/detail"), self.path
        kinds = {"az1-compute-07": "QEMU", "az2-compute-01": "QEMU", "rack4-node9": "ironic"}
        self.answer(
            200,
            {
                "hypervisors": [
                    {
                        "id": number,
                        "hypervisor_hostname": name,
                        "hypervisor_type": kind,
                        "host_ip": f"192.0.2.{number}",
                        "state": "up",
                        "status": "enabled",
                        "hypervisor_version": 7002000,
                        "cpu_info": "{}",
                        "service": {"id": number, "host": name},
                        "free_disk_gb": 1,
                        "local_gb": 1,
                    }
                    for number, (name, kind) in enumerate(kinds.items(), 1)
                ]
            },
            {},
        )

    def answer(self, status, body, headers):
        self.send_response(status)
        for header in {**headers, "Content-Type": "application/json"}.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


class Configurations(bed.Bed):
    def setUp(self):
        super().setUp()
        self.config = self.dir / "prometheus"
        shutil.copytree(bed.DEPLOY / "prometheus", self.config)
        # Beside the configuration, where it looks for them.
        shutil.copytree(bed.CHECKOUT / "rules", self.config / "rules")
        (self.config / "tls").mkdir()
        for name in ("ca.crt", "prometheus.crt", "prometheus.key", "password"):
            (self.config / "tls" / name).touch()

    def test_promtool_finds_no_fault(self):
        for name in ("openstack.yml", "file-sd.yml", "tls.yml", "shard.yml", "targets.yml"):
            with self.subTest(name):
                said = self.run_ok("promtool", "check", "config", self.config / name)
                self.assertRegex(said, r"[1-9]\d* rules? found")
        # Whose rules are evaluated elsewhere.
        self.run_ok("promtool", "check", "config", self.config / "global.yml")
        self.run_ok("promtool", "check", "config", "--agent", self.config / "agent.yml")
        self.run_ok("promtool", "check", "rules", bed.DEPLOY / "cloudkitty" / "rules.yml")

    def test_nova_is_asked_for_the_hosts(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keystone)
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        path = self.config / "openstack.yml"
        text, changed = re.subn(r"https://keystone\S+/v3", f"{server.url}/v3", path.read_text())
        self.assertEqual(changed, 1)
        path.write_text(text)
        said = self.run_ok("promtool", "check", "service-discovery", "--timeout=5s", path, "libvirt_nova")
        found = [target["labels"] for target in json.loads(said[said.index("[") :]) if target["labels"]]
        self.assertEqual(
            [{k: v for k, v in labels.items() if k in ("__address__", "instance", "az")} for labels in found],
            [
                {"__address__": "192.0.2.1:9177", "instance": "az1-compute-07", "az": "az1"},
                {"__address__": "192.0.2.2:9177", "instance": "az2-compute-01", "az": "az2"},
            ],
        )

    def test_a_host_in_a_file_is_scraped(self):
        socket, _ = self.simulate()
        port = bed.free_port()
        self.start("exporter", bed.EXPORTER, f"--web.listen-address=127.0.0.1:{port}", "--log=-", f"--uri={socket}")
        targets = self.config / "compute" / "az1.yml"
        text, changed = re.subn(r"compute-01\S+:9177", f"127.0.0.1:{port}", targets.read_text())
        self.assertEqual(changed, 1)
        targets.write_text(text)
        # Nothing of it is waited for; two scrapes are.
        path = self.config / "file-sd.yml"
        path.write_text(re.sub(r"scrape_(interval|timeout): \d+s", r"scrape_\1: 1s", path.read_text()))
        url = self.prometheus(path)
        bed.within(20, lambda: self.query(url, "up == 1"))
        found = bed.within(10, lambda: self.query(url, 'libvirt_nova_instance_info{libvirtname="instance-00000001"}'))[0]["metric"]
        self.assertEqual((found["instance"], found["az"], found["job"]), ("127.0.0.1", "az1", "libvirt_nova"))
        self.assertNotIn("exported_host", found)

    def test_targets_are_probed_under_their_names_and_one_that_is_gone_alerts(self):
        socket, _ = self.simulate()
        file = self.dir / "targets.yml"
        file.write_text(f"targets:\n  compute-01:\n    uri: {socket}\n    labels: {{az: az1}}\n  compute-02:\n    uri: /nowhere/sock\n")
        port = bed.free_port()
        self.start("exporter", bed.EXPORTER, f"--web.listen-address=127.0.0.1:{port}", "--log=-", f"--targets.file={file}")
        path = self.config / "targets.yml"
        text, changed = re.subn(r"libvirt-exporter\S+:9177", f"127.0.0.1:{port}", path.read_text())
        self.assertEqual(changed, 2)
        path.write_text(re.sub(r"scrape_(interval|timeout): \d+s", r"scrape_\1: 1s", text))
        # Nothing of it is waited for.
        for rules in (self.config / "rules").glob("*.yml"):
            rules.write_text(re.sub(r"(interval|for): \w+", r"\1: 1s", rules.read_text()))
        url = self.prometheus(path)
        bed.within(20, lambda: len(self.query(url, "up == 1")) == 3)
        found = bed.within(10, lambda: self.query(url, 'libvirt_nova_instance_info{libvirtname="instance-00000001"}'))[0]["metric"]
        self.assertEqual((found["instance"], found["az"], found["job"]), ("compute-01", "az1", "libvirt_nova_targets"))

        def firing():
            alerts = self.query(url, 'ALERTS{alertname=~"LibvirtDown|LibvirtNovaExporter(Down|Absent)",alertstate="firing"}')
            return [(it["metric"]["alertname"], it["metric"].get("instance")) for it in alerts]

        # Before the first scrape no exporter is there.
        bed.within(20, lambda: firing() == [("LibvirtDown", "compute-02")])
        records = bed.within(20, lambda: self.query(url, "instance:libvirt_vcpus_allotted:sum"))
        self.assertEqual([it["metric"]["instance"] for it in records], ["compute-01"])

    def test_each_host_is_on_one_shard_and_projects_are_whole_again_at_the_global_server(self):
        hosts = {}
        for shard, first in enumerate((1, 4)):
            socket, _ = self.simulate(self.dir / f"run-{shard}", "--first", str(first))
            # So that each shard has one.
            while shard_of(address := f"127.0.0.1:{bed.free_port()}", 2) != shard:
                pass
            self.start("exporter", bed.EXPORTER, f"--web.listen-address={address}", "--log=-", f"--uri={socket}")
            hosts[shard] = address
        (self.config / "compute/az1.yml").write_text(json.dumps([{"targets": list(hosts.values())}]))
        # Nothing of it is waited for; a rate of 5 minutes needs two scrapes.
        for path in (self.config / "rules").glob("*.yml"):
            path.write_text(re.sub(r"interval: \w+", "interval: 1s", path.read_text()))
        text = re.sub(r"scrape_(interval|timeout): \d+s", r"scrape_\1: 1s", (self.config / "shard.yml").read_text())
        servers = []
        for shard in hosts:
            config = self.config / f"shard-{shard}.yml"
            # The port, for both are one host here.
            of_two = text.replace("modulus: 3", "modulus: 2").replace("(.+):\\d+", "(.+)")
            config.write_text(of_two.replace('"0"', f'"{shard}"'))
            servers.append(self.prometheus(config))
        for shard, server in enumerate(servers):
            up = bed.within(20, lambda: self.query(server, "up == 1"))
            self.assertEqual([sample["metric"]["instance"] for sample in up], [hosts[shard]])
        text = re.sub(r"scrape_(interval|timeout): \w+", r"scrape_\1: 1s", (self.config / "global.yml").read_text())
        (self.config / "global.yml").write_text(
            re.sub(r"prometheus-([01])\S+", lambda server: servers[int(server[1])].removeprefix("http://"), text))
        url = self.prometheus(self.config / "global.yml")

        def projects():
            found = self.query(url, "sum without (shard) (project_id:libvirt_domains:count)")
            return sorted(sample["value"][1] for sample in found)

        # Three projects, of which each host has one instance.
        bed.within(30, lambda: projects() == ["2", "2", "2"])
        hosts_at_global = self.query(url, "instance:libvirt_vcpus_allotted:sum")
        self.assertEqual(
            sorted((sample["metric"]["shard"], sample["metric"]["instance"]) for sample in hosts_at_global),
            sorted((str(shard), address) for shard, address in hosts.items()),
        )
        self.assertFalse(self.query(url, '{__name__=~"domain:.+|libvirt_domain_.+"}'))


def shard_of(address, modulus):
    """What the action hashmod makes of it."""
    return int.from_bytes(hashlib.md5(address.encode()).digest()[8:], "big") % modulus


if __name__ == "__main__":
    unittest.main()
