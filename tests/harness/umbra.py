# SPDX-License-Identifier: Apache-2.0
"""umbra as a process: started with YAML, watched, asked, changed, and ended with everything accounted for."""
import http.client
import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

from .client import Client
from .istio import ROUTE, as_yaml, cluster
from .totals import Metrics, Totals
from .waiting import LIMIT, until

BINARY = os.environ.get("UMBRA", str(Path(__file__).resolve().parents[2] / "build" / "umbra"))
REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed")
ADDRESS = r"((?:\[[^\]]*\]|[\d.]+):(\d+))"


def is_sanitized():
    return b"__asan_init" in Path(BINARY).read_bytes() or b"__tsan_init" in Path(BINARY).read_bytes()


def run(*args, stdin=None, limit=LIMIT):
    """One umbra command, to its end."""
    return subprocess.run([BINARY, *map(str, args)], input=stdin, capture_output=True, text=True, timeout=limit)


class Umbra:
    def __init__(self, folder, docs, args=(), workers=1, ports=(80,), role="gateway"):
        """docs are written to a file of its own; None: args name the files."""
        self.folder, self.file = folder, folder / "mesh.yaml"
        if docs is not None:
            self.write(docs)
            args = ["-f", self.file, *args]
        self.log = folder / "access.log"
        maps = ",".join(f"{p}=0" for p in ports)
        command = [BINARY, "run", "--role", role, "--bind", "127.0.0.1", "--map-port", maps,
                   "--admin", "127.0.0.1:0", "--workers", workers, "--drain-time", "2s", *args]
        if not any(str(a).startswith("--access-log") for a in args):
            command += ["--access-log", self.log]
        self.lines, self.news = [], threading.Condition()
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        self.stdout = []
        self.readers = [threading.Thread(target=self._read, args=(self.process.stderr, self.lines), daemon=True),
                        threading.Thread(target=self._read, args=(self.process.stdout, self.stdout), daemon=True)]
        for reader in self.readers:
            reader.start()
        self.is_checked = False
        self._wait_ready()

    def _read(self, stream, lines):
        for line in stream:
            with self.news:
                lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def _wait_ready(self):
        line = self.line(r"^umbra: ready")
        admin = re.search(rf"admin\D*?{ADDRESS}", line)
        self.admin_port = int(admin[2])
        self.ports = [int(p) for _, p in re.findall(ADDRESS, line.replace(admin[1], ""))]
        self.port = self.ports[0]

    # ---- what it says ----
    def line(self, pattern, after=0):
        """The first line of standard error from `after` on that matches, waited for."""
        def found():
            return next((l for l in self.lines[after:] if re.search(pattern, l)), None)
        with self.news:
            self.news.wait_for(lambda: found() or self.process.poll() is not None, LIMIT)
        until(f"{pattern!r} on standard error, which has {self.lines}", found, 1)
        return found()

    def said(self, pattern):
        return [l for l in self.lines if re.search(pattern, l)]

    def log_lines(self, n):
        """The access log once it has n lines."""
        read = lambda: self.log.read_text().splitlines() if self.log.exists() else []
        until(f"{n} access log lines, which has {read()}", lambda: len(read()) >= n)
        return read()

    # ---- clients ----
    def client(self, port=None):
        return Client(port or self.port)

    def get(self, target="/", **more):
        """One request on a connection of its own."""
        client = self.client()
        try:
            return client.get(target, **more)
        finally:
            client.close()

    # ---- admin ----
    def admin(self, path, method="GET", fields=None):
        """(status, text) of the admin server."""
        conn = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=LIMIT)
        try:
            conn.request(method, path, headers=fields or {})
            response = conn.getresponse()
            return response.status, response.read().decode()
        finally:
            conn.close()

    def json(self, path):
        status, text = self.admin(path)
        assert status == 200, (path, status, text)
        return json.loads(text)

    def metrics(self):
        status, text = self.admin("/stats/prometheus")
        assert status == 200
        return Metrics(text)

    def totals(self, shadow="shadow", route=ROUTE, subset="", name=None):
        """Of the service shadow, or of the cluster of that name."""
        return self.metrics().shadows()[route, name or cluster(shadow, subset)]

    def expect(self, shadow="shadow", route=ROUTE, subset="", name=None, **wanted):
        """Waits until the shadow's totals are exactly these; what is not named is zero or empty."""
        want = Totals(**wanted)
        seen = []

        def equal():
            seen[:] = [self.totals(shadow, route, subset, name)]
            return seen[0] == want
        try:
            until("totals", equal)
        except AssertionError:
            raise AssertionError(f"totals of {shadow}:\n     are {seen[0]}\n  wanted {want}") from None

    def settled(self):
        """Every shadow's totals once no copy is in flight."""
        shadows = {}

        def quiet():
            shadows.clear()
            shadows.update(self.metrics().shadows())
            return all(t.active == 0 for t in shadows.values())
        until("no copy in flight", quiet)
        return shadows

    def rss_kib(self):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    # ---- changes ----
    def write(self, docs):
        """Replaces the configuration file in one step."""
        text = docs if isinstance(docs, str) else as_yaml(docs)
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.rename(self.file)

    def reloads(self, result):
        return int(self.metrics().value("umbra_config_reloads_total", result=result))

    def reload(self, docs, result="success"):
        """Replaces the file and waits until the change was taken or refused."""
        before = self.reloads(result)
        self.write(docs)
        until(f"a reload that ends in {result}", lambda: self.reloads(result) > before)

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def hold(self):
        """It stands still from here on, until go_on()."""
        self.signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)

    def go_on(self):
        self.signal(signal.SIGCONT)

    # ---- the end ----
    def wait_exit(self, limit=LIMIT):
        code = self.process.wait(limit)
        for reader in self.readers:
            reader.join(limit)
        return code

    def finish(self):
        """What must hold after every scenario: totals close, SIGTERM ends it with 0, no sanitizer has a word to say."""
        if self.is_checked:
            return
        self.is_checked = True
        try:
            if self.process.poll() is None:
                self.metrics().shadows()
                self.signal()
            assert self.wait_exit() == 0, f"exit status {self.process.returncode}"
            assert not self.said(REPORT), "\n".join(self.lines)
        finally:
            self.kill()
            print("\n".join(["--- umbra's standard error", *self.lines]))

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
