"""deploy/kolla-ansible: kolla makes its image of our archive, and kolla-ansible's command line starts what is in it.

kolla fetches and writes the Dockerfile; its steps are done here in a root that has busybox and nothing else.
"""

import functools
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import sys
import tarfile
import threading
import unittest

import bed
import jinja2
import yaml
from kolla.common import config as kolla_config
from kolla.image import kolla_worker, tasks
from kolla_ansible.put_address_in_context import put_address_in_context
from oslo_config import cfg

ARCHIVE = pathlib.Path(os.environ["LIBVIRT_NOVA_ARCHIVE"])
OURS = bed.DEPLOY / "kolla-ansible"
THEIRS = pathlib.Path(sys.prefix) / "share" / "kolla-ansible" / "ansible"
NAME = "prometheus-libvirt-exporter"


class Kolla(bed.Bed):
    def image(self, config):
        """What kolla-build knows of the image by a configuration of ours."""
        path = self.dir / "kolla-build.conf"
        path.write_text(config)
        flags = {"config-file": path, "base": "debian", "template-override": OURS / "template-override.j2", "work-dir": self.dir / "kolla"}
        conf = cfg.ConfigOpts()
        # Nothing is asked of a container engine, of which there may be none.
        kolla_config.parse(conf, ["--template-only", *(f"--{flag}={value}" for flag, value in flags.items()), NAME], prog="kolla-build")
        worker = kolla_worker.KollaWorker(conf)
        worker.setup_working_dir()
        worker.find_dockerfiles()
        worker.create_dockerfiles()
        worker.build_image_list()
        worker.find_parents()
        worker.filter_images()
        image = next(image for image in worker.images if image.name == NAME)
        return image, tasks.BuildTask(conf, image, None)

    def serve(self):
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=ARCHIVE.parent)
        handler.func.log_message = lambda *_: None
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def configuration(self, sums):
        """Ours, with the address and the sums that an operator has."""
        config = (OURS / "kolla-build.conf").read_text()
        self.assertIn("https://files.example.org", config)
        self.assertIn(f"amd64:{'0' * 64}", config)
        return config.replace("https://files.example.org", self.serve()).replace(f"amd64:{'0' * 64}", f"amd64:{sums}")

    def build(self):
        """The root of the image, by the steps of its Dockerfile from the archive on."""
        image, task = self.image(self.configuration(hashlib.sha256(ARCHIVE.read_bytes()).hexdigest()))
        archive = task.process_source(image, image.source)
        self.assertIsNotNone(archive, image.status)
        root = self.dir / "root"
        for directory in ("bin", "opt", "run/libvirt"):
            (root / directory).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin")
        for applet in ("sh", "ln", "cp"):
            (root / "bin" / applet).symlink_to("busybox")
        dockerfile = (pathlib.Path(image.path) / "Dockerfile").read_text().replace("\\\n", " ")
        steps, environment = [], {}
        for line in dockerfile[dockerfile.index("ADD ") :].splitlines():
            word, _, rest = line.strip().partition(" ")
            if word == "ADD":
                name, directory = rest.split()
                self.assertEqual(name, pathlib.Path(archive).name)
                with tarfile.open(archive) as tar:
                    tar.extractall(root / directory.lstrip("/"))
            elif word == "RUN" and NAME in rest:
                self.run_ok("chroot", root, "/bin/sh", "-c", rest)
            elif word == "ENV":
                environment.update([rest.split("=", 1)])
            steps.append(word)
        self.assertIn("ADD", steps)
        return root, environment

    def command_line(self, address):
        text = (THEIRS / "roles/prometheus/templates" / f"{NAME}.json.j2").read_text()
        environment = jinja2.Environment()
        environment.filters.update(put_address_in_context=put_address_in_context, bool=bool)
        self.port = bed.free_port()
        variables = {"api_interface_address": address, "prometheus_libvirt_exporter_port": self.port, "kolla_copy_ca_into_containers": True}
        return json.loads(environment.from_string(text).render(**variables, container_config_directory="/var/lib/kolla/config_files"))["command"]

    def test_another_archive_is_refused(self):
        image, task = self.image(self.configuration("1" * 64))
        self.assertIsNone(task.process_source(image, image.source))

    def test_the_override_is_known(self):
        ours = yaml.safe_load((OURS / "globals.yml").read_text())
        theirs = [*THEIRS.glob("group_vars/all/*.yml"), *THEIRS.glob("group_vars/all.yml"), THEIRS / "roles/prometheus/defaults/main.yml"]
        known = {}
        for path in theirs:
            known |= yaml.safe_load(path.read_text()) or {}
        self.assertLessEqual(set(ours), set(known))
        self.assertIn("/run/libvirt:/run/libvirt:ro", known["prometheus_libvirt_exporter_default_volumes"])

    def test_its_command_line(self):
        root, environment = self.build()
        run = self.dir / "run" / "libvirt"
        _, control = self.simulate(run)
        for address in ("127.0.0.1", "::1"):
            command = self.command_line(address)
            # As kolla_start runs it, word by word, with the sockets' directory read-only.
            mounted = f"mount --bind {run} {root}/run/libvirt && mount -o remount,ro,bind {root}/run/libvirt && exec chroot {root} {command}"
            process = self.start(f"exporter-{address}", "unshare", "--mount", "sh", "-c", mounted, env={**environment, "PATH": os.environ["PATH"]})
            url = f"http://{put_address_in_context(address, 'url')}:{self.port}"
            metrics = bed.within(10, lambda: bed.get(f"{url}/metrics"))
            self.assertIn("libvirt_up 1", metrics)
            self.assertEqual(metrics.count("\nlibvirt_domain_openstack_info{"), 3)
            self.assertIsNone(process.poll())
        # The directory is mounted and not the socket: a libvirtd that comes back is found.
        self.command(control, "down")
        bed.within(10, lambda: "libvirt_up 0" in bed.get(f"{url}/metrics"))
        self.command(control, "up")
        (run / "libvirt-sock-ro").chmod(0o777)
        bed.within(10, lambda: "libvirt_up 1" in bed.get(f"{url}/metrics"))
        self.assertEqual(sorted(path.name for path in root.iterdir()), ["bin", "opt", "prometheus-libvirt-exporter", "prometheus-libvirt-exporter-source", "run"])


if __name__ == "__main__":
    unittest.main()
