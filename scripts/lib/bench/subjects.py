"""Who is measured: each is asked once and says what came."""

import contextlib
import gzip
import http.client
import os
import re
import socket
import subprocess
import time
from dataclasses import dataclass, field

from exporter import Exporter
from processes import cpu_seconds, memory
from readings import DEBIANS, OURS, RAW, VIRSH

TIMEOUT = 60
CALLS = re.compile(
    rb'^libvirt_nova_exporter_rpc_duration_seconds_count\{procedure="(\w+)"\} (\d+)$', re.M)
REFUSED = re.compile(rb'^libvirt_nova_exporter_rpc_errors_total\{.*?\bprocedure="(\w+)".*\} (\d+)$', re.M)
BYTES_MIN = 500  # a domain of the raw loop: one of the bed has 1,500
# The procedures of a scrape. An exporter calls others as well: now and then it reads a domain's definition.
CALLED = ("ConnectListAllDomains", "ConnectGetAllDomainStats", "DomainGetJobStats", "DomainGetCPUStats",
          "DomainGetControlInfo", "NodeGetInfo", "NodeGetFreeMemory", "ConnectListAllStoragePools", "StoragePoolGetInfo")


class SubjectError(Exception):
    """It gave nothing, or something wrong."""


@dataclass(frozen=True)
class Answer:
    """What came: how long it took, its bytes as they came and unpacked, samples, whole domains, calls made."""

    seconds: float
    bytes: int
    unpacked: int
    samples: int
    domains: int
    calls: dict = field(default_factory=dict)


class Ours:
    name = OURS

    def __init__(self, binary, files, *flags):
        self._exporter = Exporter(binary, files, "--min-age=0", *flags)
        self.pid = self._exporter.pid
        self._counts, self._refused = None, 0
        self.calls, self.refused = {}, 0  # of the last scrape

    def ask(self):
        seconds, body, text = scrape(self._exporter.port)
        domains = whole_domains(text)
        counts, refused = called(CALLS, text), sum(called(REFUSED, text).values())
        # The scrapes before it have made the others. A scrape asks each domain for its CPU time once, whatever was
        # polled since.
        calls = {name: count - self._counts[name] for name, count in counts.items()} if self._counts else counts
        if calls["DomainGetCPUStats"] < domains:
            raise SubjectError(f"{self.name}: {calls['DomainGetCPUStats']} calls for the CPU time of {domains} domains")
        self.refused, self._refused = refused - self._refused, refused
        self._counts, self.calls = counts, {**calls, "DomainGetCPUStats": domains}
        return Answer(seconds, len(body), len(text), samples(text), domains, self.calls)

    def cpu(self):
        return cpu_seconds(self.pid)

    def memory(self):
        return memory(self.pid)

    def stop(self):
        self._exporter.stop()


class Debians:
    """The exporter of Debian's package prometheus-libvirt-exporter."""

    name = DEBIANS

    def __init__(self, binary, files):
        self.port = free_port()
        self._process = subprocess.Popen(debians_command(binary, files, self.port), **quiet())
        until_listening(self.port, self._process)

    def ask(self):
        seconds, body, text = scrape(self.port)
        return Answer(seconds, len(body), len(text), samples(text), debians_domains(text))

    def cpu(self):
        return cpu_seconds(self._process.pid)

    def memory(self):
        return memory(self._process.pid)

    def stop(self):
        end(self._process)


class RawLoop:
    """The calls that an exporter of ours made for its last scrape, their replies thrown away."""

    name = RAW

    def __init__(self, binary, files, ours):
        self._ours = ours
        self._process = subprocess.Popen(
            [binary, f"{files}/run/libvirt-sock-ro"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self):
        wanted = {name: count for name, count in self._ours.calls.items() if count}
        try:
            self._process.stdin.write(" ".join(f"{name}={count}" for name, count in wanted.items()) + "\n")
            self._process.stdin.flush()
            said = self._process.stdout.readline()
        except BrokenPipeError:
            said = ""
        if not said:
            raise SubjectError(f"{self.name}: it has ended, status {self._process.wait(TIMEOUT)}")
        words = (word.split("=") for word in said.split())
        numbers = {name: int(number) for name, number in words}
        calls = {name: numbers.get(name) for name in wanted}
        if calls != wanted:
            raise SubjectError(f"{self.name}: {calls} were answered, expected {wanted}")
        received, domains = numbers["bytes"], calls["DomainGetCPUStats"]
        if numbers["refused"] > self._ours.refused:
            raise SubjectError(
                f"{self.name}: {numbers['refused']} calls were refused, expected {self._ours.refused} as in the scrape")
        if received < BYTES_MIN * domains:
            raise SubjectError(f"{self.name}: {received} bytes of {domains} domains, expected {BYTES_MIN} of each")
        return Answer(numbers["nanoseconds"] / 1e9, received, received, 0, domains, calls)

    def cpu(self):
        return cpu_seconds(self._process.pid)

    def memory(self):
        return memory(self._process.pid)

    def stop(self):
        # What it has left unread was told of by ask.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        end(self._process)


class Virsh:
    """`virsh domstats`, a process each time."""

    name = VIRSH

    def __init__(self, files):
        self._command = ["virsh", "-q", "-c", f"qemu:///system?socket={files}/run/libvirt-sock-ro"]
        self._cpu = 0.0

    def ask(self):
        began = time.monotonic()
        process = subprocess.Popen([*self._command, "domstats"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        text = process.stdout.read()
        _, status, use = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        if process.returncode != 0:
            raise SubjectError(f"{self.name}: status {process.returncode}")
        self._cpu += use.ru_utime + use.ru_stime
        return Answer(seconds, len(text), len(text), text.count(b"="), text.count(b"Domain: '"))

    def cpu(self):
        return self._cpu

    def memory(self):
        """That of one that waits for its next command: what has ended has none."""
        with subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
            process.stdin.write(b"domstats\necho the-end\n")
            tail = b""
            while b"the-end" not in tail:
                if not (read := process.stdout.read(1 << 16)):
                    raise SubjectError(f"{self.name}: it has ended")
                tail = tail[-16:] + read
            found = memory(process.pid)
            process.stdin.close()
            process.stdout.read()
        return found

    def stop(self):
        pass


def scrape(port):
    """Scrapes as Prometheus does. Returns how long it took, the body and its text; unpacking is no part of the time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    began = time.monotonic()
    try:
        connection.request("GET", "/metrics", headers={
            "Accept-Encoding": "gzip", "X-Prometheus-Scrape-Timeout-Seconds": str(TIMEOUT)})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise SubjectError(f"port {port}: {error}") from error
    finally:
        connection.close()
    seconds = time.monotonic() - began
    text = gzip.decompress(body) if response.headers["Content-Encoding"] == "gzip" else body
    if response.status != 200 or b"\nlibvirt_up 1\n" not in text:
        raise SubjectError(f"port {port}: status {response.status}, no libvirt_up 1")
    return seconds, body, text


def called(pattern, text):
    """How many of the calls that `pattern` finds are of each procedure of a scrape."""
    counts = dict.fromkeys(CALLED, 0)
    for procedure, count in pattern.findall(text):
        if (name := procedure.decode()) in counts:
            counts[name] += int(count)
    return counts


def samples(text):
    """How many samples tell of libvirt, its host and its domains, and not of the exporter itself."""
    return text.count(b"\nlibvirt_") - text.count(b"\nlibvirt_nova_exporter_")


def whole_domains(text):
    """How many domains gave all that libvirt has of them."""
    start = text.find(b"# HELP libvirt_domain_stats_complete ")
    return text[start:text.find(b"\n# HELP ", start) + 1].count(b"} 1\n") if start >= 0 else 0


def debians_domains(text):
    return text.count(b"\nlibvirt_domain_state_code{")


def debians_command(binary, files, port):
    uri = f"qemu:///system?socket={files}/run/libvirt-sock-ro"
    return [binary, "--libvirt.uri", uri, f"--web.listen-address=127.0.0.1:{port}"]


def quiet():
    return {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def until_listening(port, process):
    for _ in range(1000):
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise SubjectError(f"{process.args[0]}: it has ended, status {process.returncode}")
        time.sleep(0.01)
    end(process)
    raise SubjectError(f"{process.args[0]}: it does not listen")


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
