"""deploy/helm: the chart, by Helm's own engine and Kubernetes' own schemas."""

import re
import tomllib
import unittest

import bed
import helm_python as helm
import kubernetes_validate
import yaml

CHART = bed.DEPLOY / "helm" / "libvirt-nova-exporter"
KUBERNETES = ("1.25", "1.37")
IMAGE = {"image": {"repository": "registry.example.org/monitoring/libvirt-nova-exporter"}}


def render(values, chart=CHART, name="nova"):
    """By kind: all that the chart makes of these values."""
    with helm.Chart.load(chart) as loaded:
        files = loaded.render(values, name=name, namespace="monitoring")
    documents = [document for path, text in files.items() if path.endswith(".yaml") for document in yaml.safe_load_all(text) if document]
    for document in documents:
        if not document["apiVersion"].startswith("monitoring.coreos.com/"):
            for version in KUBERNETES:
                kubernetes_validate.validate(document, version, strict=True)
    return {document["kind"]: document for document in documents}


class Chart(bed.Bed):
    def test_lint(self):
        for values in (IMAGE, {**IMAGE, "podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}):
            report = helm.lint(CHART, values, strict=True)
            self.assertEqual([m for m in report["messages"] if m["severity"] > 1] + report["errors"], [])

    def test_it_is_of_the_exporters_version(self):
        workspace = tomllib.loads((bed.CHECKOUT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        self.assertEqual(chart["appVersion"], workspace)

    def test_faults_are_told(self):
        for values, told in (
            ({}, "image.repository is not set"),
            ({**IMAGE, "podMonitr": {}}, "podMonitr"),
            ({**IMAGE, "web": {"config": {"tls_server": {}}}}, "tls_server"),
            ({**IMAGE, "settings": {"Labels": "wide"}}, "Labels"),
        ):
            with self.subTest(told), self.assertRaisesRegex(helm.HelmError, re.escape(told)):
                render(values)

    def test_a_host_is_given_no_more_than_the_directory_of_sockets(self):
        pod = render(IMAGE)["DaemonSet"]["spec"]["template"]["spec"]
        container = pod["containers"][0]
        self.assertEqual(pod["nodeSelector"], {"openstack-compute-node": "enabled"})
        self.assertEqual([v["hostPath"]["path"] for v in pod["volumes"]], ["/run/libvirt"])
        self.assertTrue(container["volumeMounts"][0]["readOnly"])
        self.assertTrue(pod["securityContext"]["runAsNonRoot"])
        self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertEqual(
            container["securityContext"],
            {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        )
        self.assertFalse(pod["automountServiceAccountToken"])
        self.assertFalse(pod["hostNetwork"])
        for probe in ("livenessProbe", "readinessProbe"):
            self.assertEqual(container[probe]["httpGet"]["path"], "/-/healthy")

    def test_its_environment_is_understood(self):
        """What the container gets, the exporter starts with; the probes' path is there, also while libvirtd is not."""
        values = {**IMAGE, "settings": {"labels": "wide", "collector.block-limits": True, "collector.node": False, "instances": 'a"b$(c)'}}
        container = render(values)["DaemonSet"]["spec"]["template"]["spec"]["containers"][0]
        variables = {variable["name"]: variable["value"] for variable in container["env"]}
        self.assertEqual(variables["LIBVIRT_NOVA_INSTANCES"], 'a"b$$(c)')
        port = bed.free_port()
        variables["LIBVIRT_NOVA_PORT"] = str(port)
        variables["LIBVIRT_NOVA_URI"] = str(self.dir / "nobody")
        # As in the image, whose binary gets nothing else.
        self.start("exporter", bed.EXPORTER, env=variables, cwd=self.dir)
        url = f"http://127.0.0.1:{port}"
        bed.within(10, lambda: bed.get(url + container["readinessProbe"]["httpGet"]["path"]))
        self.assertIn("libvirt_up 0", bed.get(f"{url}/metrics"))
        self.assertNotIn("WARN", re.sub(".*nobody.*", "", (self.dir / "exporter.log").read_text()))

    def test_web_configuration(self):
        config = {"tls_server_config": {"cert_file": "/etc/web-secret/tls.crt", "key_file": "/etc/web-secret/tls.key"}}
        made = render({**IMAGE, "web": {"config": config, "secretName": "exporter-tls"}})
        self.assertEqual(yaml.safe_load(made["Secret"]["stringData"]["web.yml"]), config)
        container = made["DaemonSet"]["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual(container["livenessProbe"]["httpGet"]["scheme"], "HTTPS")
        self.assertIn({"name": "LIBVIRT_NOVA_WEB_CONFIG_FILE", "value": "/etc/web-config/web.yml"}, container["env"])
        for asks in ({"basic_auth_users": {"prometheus": "$2y$10$"}}, {"tls_server_config": {"client_auth_type": "RequireAndVerifyClientCert"}}):
            made = render({**IMAGE, "web": {"config": asks}})
            self.assertIn("tcpSocket", made["DaemonSet"]["spec"]["template"]["spec"]["containers"][0]["livenessProbe"])

    def test_rules(self):
        made = render({**IMAGE, "prometheusRule": {"enabled": True}})["PrometheusRule"]
        path = self.dir / "rules.yml"
        path.write_text(yaml.safe_dump(made["spec"]))
        self.assertRegex(self.run_ok("promtool", "check", "rules", path), r"[1-9]\d* rules found")
        groups = [g for file in sorted((bed.CHECKOUT / "rules").glob("*.yml")) for g in yaml.safe_load(file.read_text())["groups"]]
        self.assertEqual([g["name"] for g in made["spec"]["groups"]], [g["name"] for g in groups])

    def test_pod_monitor(self):
        made = render({**IMAGE, "podMonitor": {"enabled": True, "labels": {"release": "p"}}})
        monitor, pods = made["PodMonitor"], made["DaemonSet"]["spec"]["template"]
        self.assertEqual(monitor["metadata"]["labels"]["release"], "p")
        self.assertLessEqual(monitor["spec"]["selector"]["matchLabels"].items(), pods["metadata"]["labels"].items())
        ports = [port["name"] for port in pods["spec"]["containers"][0]["ports"]]
        self.assertEqual([endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]], ports)

    def test_a_package_is_whole(self):
        archive = helm.package(CHART, destination=self.dir)
        values = {**IMAGE, "prometheusRule": {"enabled": True}}
        self.assertEqual(render(values, archive), render(values))
        self.assertNotRegex(self.run_ok("tar", "-tzf", archive), "rules/tests")


if __name__ == "__main__":
    unittest.main()
