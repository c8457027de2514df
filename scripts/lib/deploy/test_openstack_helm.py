"""deploy/openstack-helm: the values, in a chart that does with them what openstack-helm's libvirt chart does."""

import unittest

import bed
import helm_python as helm
import kubernetes_validate
import yaml

DAEMONSET = """
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: libvirt
spec:
  selector:
    matchLabels: {application: libvirt}
  template:
    metadata:
      labels: {application: libvirt}
    spec:
      hostNetwork: true
      containers:
        {{- with .Values.libvirt.extraContainers }}
        {{- tpl (toYaml .) $ | nindent 8 }}
        {{- end }}
      volumes:
        - name: run
          hostPath:
            path: /run
"""


class Values(bed.Bed):
    def setUp(self):
        super().setUp()
        self.values = yaml.safe_load((bed.DEPLOY / "openstack-helm" / "libvirt.yaml").read_text())
        (self.dir / "libvirt" / "templates").mkdir(parents=True)
        (self.dir / "libvirt" / "Chart.yaml").write_text("apiVersion: v2\nname: libvirt\nversion: 0.1.0\n")
        (self.dir / "libvirt" / "templates" / "daemonset.yaml").write_text(DAEMONSET)

    def render(self):
        with helm.Chart.load(self.dir / "libvirt") as chart:
            return yaml.safe_load(chart.render(self.values, name="libvirt")["libvirt/templates/daemonset.yaml"])

    def test_the_image_is_asked_for(self):
        with self.assertRaisesRegex(helm.HelmRenderError, "images.tags.libvirt_nova_exporter is not set"):
            self.render()

    def test_the_container(self):
        self.values["images"]["tags"]["libvirt_nova_exporter"] = "registry.example.org/monitoring/libvirt-nova-exporter:0.1.0"
        made = self.render()
        kubernetes_validate.validate(made, "1.37", strict=True)
        container = made["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual(container["image"], "registry.example.org/monitoring/libvirt-nova-exporter:0.1.0")
        self.assertTrue(container["securityContext"]["runAsNonRoot"])
        self.assertEqual(container["volumeMounts"], [{"name": "run", "mountPath": "/run/libvirt", "subPath": "libvirt", "readOnly": True}])


if __name__ == "__main__":
    unittest.main()
