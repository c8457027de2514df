"""A simulated compute host: libvirtd and an exporter."""

import http.client
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))

from exporter import Exporter  # noqa: E402

PATIENCE = 120  # seconds


class Host:
    """A simulated libvirtd of so many instances, from number `first` on, and an exporter on it."""

    def __init__(self, files, binary, simulator, domains, first=1, projects=None):
        for directory in "run", "log":
            (files / directory).mkdir(parents=True)
        self.numbers, self._control = range(first, first + domains), files / "run/control"
        self._sim = subprocess.Popen(
            [simulator, "--socket", files / "run/libvirt-sock", "--control", self._control, "--domains", str(domains), "--first", str(first)])
        try:
            while not self._control.exists():  # The last that is there.
                time.sleep(0.05)
            (files / "run/libvirt-sock-ro").chmod(0o777)  # As libvirtd's: the exporter is nobody.
            # Before anybody would count that they changed.
            if projects:
                self._give_to(projects)
            self.exporter = Exporter(binary, files)
        except BaseException:
            self.stop()
            raise

    def _give_to(self, count):
        """Gives the instances to so many projects of the cloud in turn, so that each has some on many hosts."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self._control))
            with control.makefile("rw") as lines:
                for number in self.numbers:
                    lines.write(f"metadata instance-{number:08x} project project-{number % count}\n")
                    lines.flush()
                    if (answer := lines.readline()) != "ok\n":
                        raise RuntimeError(f"the simulator says {answer!r}")

    def wait(self):
        """Waits until a scrape has everything: the last of it takes two polls."""
        over = time.monotonic() + PATIENCE
        while self.scrape().count("\nlibvirt_nova_instance_vcpus_in_use_peak{") < len(self.numbers):
            if time.monotonic() > over:
                raise RuntimeError(f"a host is not complete after {PATIENCE} s")
            time.sleep(0.2)

    def scrape(self):
        return request(self.exporter.port, "/metrics").decode()

    def stop(self):
        if hasattr(self, "exporter"):
            self.exporter.stop()
        self._sim.terminate()
        self._sim.wait()


def request(port, path, headers=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request(method, path, headers=headers or {})
    body = connection.getresponse().read()
    connection.close()
    return body
