"""deploy/ansible: the role at work in a machine that its own systemd boots.

Ansible runs in the machine, with the Python of this host: there is neither a network nor a Python of its own.
"""

import os
import pathlib
import re
import shutil
import sys
import sysconfig
import unittest

import bed
import yaml

MACHINE = bed.CHECKOUT / "scripts" / "testbed" / "machine"
ANSIBLE = bed.DEPLOY / "ansible"
UNIT = "libvirt-nova-exporter.service"


class Role(bed.Bed):
    def setUp(self):
        super().setUp()
        self.machine = self.dir / "machine"
        self.archive = self.dir / pathlib.Path(os.environ["LIBVIRT_NOVA_ARCHIVE"]).name
        shutil.copy(os.environ["LIBVIRT_NOVA_ARCHIVE"], self.archive)
        self.simulate(self.dir / "run")
        python = os.path.realpath(sys.executable)
        beside = [
            f"{python}:/usr/bin/python3",
            sysconfig.get_path("stdlib"),
            "/usr/lib/python3",
            bed.CHECKOUT,
            self.dir,
            f"{self.dir / 'run'}:/run/libvirt",
        ]
        self.addCleanup(self.run_ok, MACHINE, "stop", self.machine)
        self.run_ok(MACHINE, "start", self.machine, *(f"--bind-ro={path}" for path in beside))

    def inside(self, *command):
        return self.run_ok(MACHINE, "run", self.machine, *command)

    def served(self, path):
        return self.run_ok(MACHINE, "beside", self.machine, "curl", "-fsS", "-m", "10", f"http://127.0.0.1:9177{path}")

    def play(self, *flags, ends=0, **variables):
        """Runs the playbook; says what it changed, or in what it failed."""
        settings = self.dir / "variables.yml"
        settings.write_text(yaml.safe_dump({f"libvirt_nova_exporter_{name}": value for name, value in variables.items()}))
        command = [
            *(MACHINE, "run", self.machine, "env", "ANSIBLE_LOCALHOST_WARNING=false", "ANSIBLE_NOCOLOR=true", "ANSIBLE_PIPELINING=true"),
            *(f"{sys.prefix}/bin/ansible-playbook", "--inventory=compute-01,", "--connection=local", "--diff"),
            *(f"--extra-vars=@{settings}", *flags, ANSIBLE / "playbook.yml"),
        ]
        said = self.run_until(ends, *command)
        return int(re.search(r"compute-01 .*changed=(\d+)", said)[1]), said

    def run_until(self, ends, *command):
        done = bed.subprocess.run([str(c) for c in command], stdin=bed.subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, ends, done.stdout + done.stderr)
        return done.stdout

    def test_a_host(self):
        root = self.machine / "root"
        # Somebody else has the port.
        (root / "etc/systemd/system/other.service").write_text(
            "[Service]\nExecStart=/opt/other --port=9177 --log=-\n[Install]\nWantedBy=multi-user.target\n"
        )
        shutil.copy(bed.EXPORTER, root / "opt/other")
        self.inside("systemctl", "enable", "--now", "other.service")
        variables = {
            "archive": str(self.archive),
            "replaced_units": ["other.service", "never-there.service"],
            "replaced_files": ["/etc/systemd/system/other.service", "/opt/other"],
        }

        # Check mode changes nothing.
        changed, _ = self.play("--check", **variables)
        self.assertGreater(changed, 0)
        self.assertFalse((root / "usr/bin/libvirt_nova").exists())
        self.assertFalse((root / "etc/systemd/system" / UNIT).exists())
        self.inside("systemctl", "is-active", "other.service")

        # The first run.
        self.play(**variables)
        self.assertFalse((root / "opt/other").exists())
        self.inside("systemctl", "is-active", UNIT)
        self.inside("systemctl", "is-enabled", UNIT)
        self.assertIn("libvirt_up 1", self.served("/metrics"))
        modes = self.inside("stat", "-c", "%a %U:%G %n", "/usr/bin/libvirt_nova", f"/etc/systemd/system/{UNIT}", "/etc/default/libvirt-nova-exporter")
        self.assertEqual(
            modes.splitlines(),
            [
                "755 root:root /usr/bin/libvirt_nova",
                f"644 root:root /etc/systemd/system/{UNIT}",
                "644 root:root /etc/default/libvirt-nova-exporter",
            ],
        )
        self.assertEqual((root / "usr/bin/libvirt_nova").read_bytes(), pathlib.Path(bed.EXPORTER).read_bytes())

        # The second run changes nothing.
        started = self.inside("systemctl", "show", "-p", "ExecMainPID", UNIT)
        changed, said = self.play(**variables)
        self.assertEqual(changed, 0, said)
        self.assertEqual(self.inside("systemctl", "show", "-p", "ExecMainPID", UNIT), started)

        # A setting restarts it.
        # Whatever stands in a regular expression arrives as it is.
        odd = r'no\.such "name" $HOME `x`|testing-[12]'
        changed, _ = self.play(**variables, settings={"instances": odd, "collector.node": False, "labels": "wide"})
        self.assertEqual(changed, 2)
        metrics = self.served("/metrics")
        self.assertIn('project_name="blue"', re.search("^libvirt_domain_info_virtual_cpus.*", metrics, re.M)[0])
        self.assertNotIn("libvirt_node_", metrics)
        self.assertEqual(len(re.findall("^libvirt_nova_instance_info", metrics, re.M)), 2)
        pid = self.inside("systemctl", "show", "--value", "-p", "ExecMainPID", UNIT).strip()
        self.assertIn(f"LIBVIRT_NOVA_INSTANCES={odd}", self.inside("cat", f"/proc/{pid}/environ").split("\0"))

        # It may be switched off.
        self.play(**variables, enabled=False)
        self.assertEqual(self.run_until(3, MACHINE, "run", self.machine, "systemctl", "is-active", UNIT).strip(), "inactive")


if __name__ == "__main__":
    unittest.main()
