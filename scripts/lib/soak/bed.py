"""The testbed as it is disturbed: its guests, its libvirtd, and who was up when."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

TESTBED = Path(__file__).resolve().parents[2] / "testbed"
NOVA = "http://openstack.org/xmlns/libvirt/nova/1.1"


class BedError(Exception):
    """Something of ours did not do as it was told; the exporter is not to blame."""


class Guest:
    """A guest, and the time of each of its runs."""

    def __init__(self, number):
        self.number = number
        self.name = f"instance-{number:08x}"
        self.runs = []

    def run_during(self, began, ended):
        """Returns the number of the run that was up all that time; None where there was no such run."""
        for number, (up, down) in enumerate(self.runs):
            if up <= began and (down is None or ended <= down):
                return number
        return None


class Bed:
    """A libvirtd that `private-libvirtd start` started, and its guests.

    What asks libvirtd for something shares it, what takes it away has it alone: a create that is cut off could leave
    a QEMU that nobody knows.
    """

    def __init__(self, files):
        self.files = Path(files)
        self.guests = {}
        self.outages = []  # when each began and, where it is over, ended
        self._commands = set()
        self._stopped = set()
        self._users = 0
        self._turn = threading.Condition()

    def up(self, guest):
        with self._shared():
            self._guests("up", guest)
        self.guests[guest.name] = guest
        guest.runs.append((time.monotonic(), None))

    def down(self, guest):
        with self._shared():
            guest.runs[-1] = (guest.runs[-1][0], time.monotonic())
            try:
                self._guests("down", guest)
            except BedError:
                # A libvirtd that has not met its QEMU's monitor again yet sees it die before the destroy is through.
                if guest.name in self._virsh("list", "--name").split():
                    raise
        # QEMU is gone, and its process number may soon be another's.
        self._stopped = {stopped for stopped in self._stopped if stopped[0] != guest.name}

    def suspend(self, guest):
        with self._shared():
            self._virsh("suspend", guest.name)

    def resume(self, guest):
        with self._shared():
            self._virsh("resume", guest.name)

    def rename(self, guest, name):
        """Changes what the tenant calls it, in Nova's metadata."""
        domain = self._run(TESTBED / "guests", "xml", self.files, guest.number, NAME=name)
        begin, end = domain.index("<nova:name>"), domain.index("</nova:instance>")
        # libvirt gives it the namespace by itself, and refuses one that has it.
        element = f"<instance>{domain[begin:end]}</instance>".replace("nova:", "")
        with self._shared():
            self._virsh("metadata", guest.name, "--live", "--uri", NOVA, "--key", "nova", "--set", element)

    def stop(self, guest):
        """Stops its QEMU (SIGSTOP)."""
        self._stop(guest.name, self.files / f"run/qemu/{guest.name}.pid", "qemu-system-x86")

    def go_on(self, guest):
        self._go_on(guest.name)

    @contextlib.contextmanager
    def outage(self, how):
        """libvirtd away while it lasts: `stop` and `kill` are private-libvirtd's, `freeze` is SIGSTOP."""
        with self._turn:
            self._turn.wait_for(lambda: self._users == 0)
            self._users = -1
        began = time.monotonic()
        self.outages.append((began, None))
        try:
            if how == "freeze":
                self._stop("libvirtd", self.files / "libvirtd.pid", "libvirtd")
            else:
                self._run(TESTBED / "private-libvirtd", f"daemon-{how}", self.files)
            yield
            if how == "freeze":
                self._go_on("libvirtd")
            else:
                self._run(TESTBED / "private-libvirtd", "daemon-start", self.files)
            self.outages[-1] = (began, time.monotonic())
        finally:
            self._leave(1)

    def release(self):
        """Lets all that was stopped go on and ends what is under way; for the very end."""
        for name, _ in list(self._stopped):
            self._go_on(name)
        for command in list(self._commands):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(command.pid, signal.SIGKILL)

    @contextlib.contextmanager
    def _shared(self):
        with self._turn:
            self._turn.wait_for(lambda: self._users >= 0)
            self._users += 1
        try:
            yield
        finally:
            self._leave(-1)

    def _leave(self, step):
        with self._turn:
            self._users += step
            self._turn.notify_all()

    def _stop(self, name, pid_file, program):
        pid = int(pid_file.read_text())
        if (found := Path(f"/proc/{pid}/comm").read_text().strip()) != program:
            raise BedError(f"{pid_file} names a process {found}, expected {program}")
        self._stopped.add((name, pid))
        os.kill(pid, signal.SIGSTOP)

    def _go_on(self, name):
        for stopped in [stopped for stopped in self._stopped if stopped[0] == name]:
            self._stopped.discard(stopped)
            with contextlib.suppress(ProcessLookupError):
                os.kill(stopped[1], signal.SIGCONT)

    def _guests(self, what, guest):
        self._run(TESTBED / "guests", what, self.files, guest.number, guest.number, KIND="bios")

    def _virsh(self, *command):
        return self._run("virsh", "-q", "-c", f"qemu:///system?socket={self.files}/run/libvirt-sock", *command)

    def _run(self, *command, **environment):
        """Runs a command, of a minute at most, and returns what it printed."""
        command = [str(word) for word in command]
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self._commands.add(process)
        try:
            printed, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise BedError(f"{' '.join(command)}: not done after a minute") from None
        finally:
            self._commands.discard(process)
        if process.returncode != 0:
            raise BedError(f"{' '.join(command)}: {printed.strip()}")
        return printed
