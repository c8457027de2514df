"""What the tests of deploy/ start: a simulated libvirtd, an exporter, a Prometheus; all end with the test."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
DEPLOY = CHECKOUT / "deploy"
EXPORTER = os.environ["LIBVIRT_NOVA_BIN"]
SIMULATOR = os.environ["LIBVIRTD_SIM_BIN"]


def within(seconds, look):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + seconds
    while not (answer := look()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.05)
    return answer


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url):
    """The body, or None where nobody listens yet or the answer is no 200."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return None


class Bed(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="libvirt-nova-deploy."))
        self.dir.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.dir)

    def start(self, name, *command, **options):
        log = open(self.dir / f"{name}.log", "w")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **options)
        log.close()

        def end():
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        self.addCleanup(end)
        return process

    def run_ok(self, *command, **options):
        """Its output; a command that fails fails the test with what it said."""
        done = subprocess.run(
            [str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
        )
        self.assertEqual(done.returncode, 0, f"{command}:\n{done.stdout}")
        return done.stdout

    def simulate(self, run=None, *flags):
        """A libvirtd of three instances; its sockets are in RUN, as libvirt has them in /run/libvirt."""
        run = run or self.dir / "run"
        run.mkdir(parents=True, exist_ok=True)
        control = run.parent / f"{run.name}-control"
        self.start("libvirtd-sim", SIMULATOR, "--socket", run / "libvirt-sock", "--control", control, *flags)
        within(10, control.exists)
        within(10, (run / "libvirt-sock-ro").exists)
        # Everybody's, as libvirt's is.
        (run / "libvirt-sock-ro").chmod(0o777)
        return run / "libvirt-sock-ro", control

    def command(self, control, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(control))
            s.sendall(line.encode() + b"\n")
            self.assertEqual(s.recv(999).decode().strip(), "ok", line)

    def prometheus(self, config, *flags, data=None):
        """One with this data, or with data of its own."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        self.start(
            "prometheus",
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={data or self.dir / f'tsdb-{port}'}",
            "--storage.tsdb.retention.time=10y",
            f"--web.listen-address=127.0.0.1:{port}",
            *flags,
        )
        try:
            within(30, lambda: get(f"{url}/-/ready"))
        except AssertionError:
            self.fail((self.dir / "prometheus.log").read_text())
        return url

    def query(self, url, expression, **parameters):
        answer = get(f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": expression, **parameters}))
        return json.loads(answer)["data"]["result"]
