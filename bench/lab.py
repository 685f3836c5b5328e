# SPDX-License-Identifier: Apache-2.0
"""The machine: a network of our own, processes with their CPU time and memory, the programs of the bench itself."""
import ctypes
import fcntl
import mmap
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
BIN = BENCH / "bin"
TMP = Path(tempfile.gettempdir()) / f"umbra-bench-{os.getpid()}"
PROXY, PRIMARY, SHADOW, ADMIN = 18080, 18081, 18082, 18099  # ports; the network namespace is ours alone


def own_network():
    """Loopback only, nobody else's ports, and so many of them that a proxy which opens a connection per copy is measured for
    its CPU and not for running out of ports."""
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000):  # CLONE_NEWNET
        sys.exit("a network namespace of its own needs root: " + os.strerror(ctypes.get_errno()))
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 1 | 64))  # SIOCSIFFLAGS: up, running
    Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("20000 65535")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpus():
    """(those of the proxy, those of everything else): CPU 0 is the proxy's alone"""
    n = os.cpu_count()
    return ({0}, set(range(1, n))) if n > 1 else ({0}, {0})


def spawn(argv, where, log=None, **more):
    """In a session of its own, pinned, and in the real-time class: other work on the machine cannot get in between."""
    def setup():
        os.sched_setaffinity(0, where)
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    if log:
        more.update(stdout=open(log, "a"), stderr=subprocess.STDOUT)
    return subprocess.Popen([str(a) for a in argv], preexec_fn=setup, start_new_session=True, **more)


def stop(process):
    """Each process was started as the leader of a group: the group ends with it."""
    if not process:
        return
    for number, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    process.wait()


def read(path):
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def tree(pid):
    """pid and all that descends from it"""
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        fields = read(f"/proc/{entry}/stat").rpartition(")")[2].split()
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry))
    todo, out = [pid], []
    while todo:
        out.append(todo.pop())
        todo += children.get(out[-1], [])
    return out


def cpu_us(pids):
    """CPU time from schedstat: nanoseconds, where /proc/PID/stat has ticks of 10 ms"""
    total = 0
    for pid in pids:
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        total += sum(int((read(f"/proc/{pid}/task/{t}/schedstat") or "0").split()[0]) for t in tasks)
    return total / 1e3


def busy_us():
    fields = [int(x) for x in read("/proc/stat").split("\n")[0].split()[1:]]
    return (sum(fields[:3]) + fields[5] + fields[6] + fields[7]) * 1e4


def kib(pids, file, key):
    found = (re.search(rf"^{key}:\s+(\d+)", read(f"/proc/{p}/{file}"), re.M) for p in pids)
    return sum(int(f[1]) for f in found if f)


def pss_kib(pids):
    return kib(pids, "smaps_rollup", "Pss")


def peak_kib(pids):
    return kib(pids, "status", "VmHWM")


def wait_port(port, process, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"port {port} never opened")


MODES = {  # what a shadow does: (mode of tools/upstream.c, or None for a closed port, delay in ms)
    "healthy": (0, 0), "dead": (None, 0), "resetting": (3, 0), "black hole": (1, 0), "listen queue full": (4, 0),
    "200 ms slow": (2, 200), "1 s slow": (2, 1000), "1 byte a second": (5, 0), "endless answer": (6, 0),
    "malformed answer": (7, 0), "1xx flood": (8, 0),
}
FAULTS = [m for m in MODES if m != "healthy"]


class Upstream:
    """tools/upstream.c as primary or shadow; its counters lie in a file that both map."""

    COUNTERS = ("mode", "delay_ms", "requests", "body_bytes", "accepted", "broken", "twice")

    def __init__(self, port, mode="healthy"):
        number, delay = MODES[mode]
        path = TMP / f"upstream-{port}"
        path.write_bytes(struct.pack("2Q", number or 0, delay).ljust(4096, b"\0"))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 4096)
        self.process = None
        if number is None:
            return
        self.process = spawn([BIN / "upstream", port, path], cpus()[1])
        if mode == "listen queue full":
            time.sleep(0.2)
        else:
            wait_port(port, self.process)

    def __getitem__(self, counter):
        return struct.unpack_from("Q", self.map, 8 * self.COUNTERS.index(counter))[0]

    def stop(self):
        stop(self.process)
        self.process = None
