# SPDX-License-Identifier: Apache-2.0
"""Real programs around umbra: httpbin under gunicorn, nginx, curl."""
import os
import shutil
import signal
import socket
import subprocess

from .waiting import LIMIT, until


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Program:
    """A server in a process group of its own; standard output and error go to self.log."""

    def __init__(self, folder, name, command, port):
        self.address, self.port, self.log = "127.0.0.1", port, folder / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        until(f"{name} to listen on {port}; it says: {self.said()}", lambda: accepts(port))

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_lines(self, n, having=""):
        """The log's lines that hold a word, once there are n."""
        lines = lambda: [l for l in self.said().splitlines() if having in l]
        until(f"{n} lines with {having!r} in {self.log}: {self.said()}", lambda: len(lines()) >= n)
        return lines()

    def close(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(LIMIT)
                return
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def httpbin(folder, name):
    """Debian's httpbin; a log line per request: method, path, status, Host, length of the body."""
    port = free_port()
    return Program(folder, name, [
        "/usr/bin/gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", 1, "--threads", 8, "--keep-alive", 75, "--graceful-timeout", 1,
        "--log-level", "warning", "--access-logfile", "-",
        "--access-logformat", "%(m)s %(U)s?%(q)s %(s)s host=%({host}i)s shadow=%({x-umbra-shadow}i)s id=%({x-request-id}i)s", "httpbin:app"], port)


NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/{name}.pid; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  log_format line '$request_method $request_uri $status host=$http_host sent=$body_bytes_sent got=$request_length';
  access_log {folder}/{name}.access line;
  client_body_temp_path {folder}/{name}-body; proxy_temp_path {folder}/{name}-p; fastcgi_temp_path {folder}/{name}-f;
  uwsgi_temp_path {folder}/{name}-u; scgi_temp_path {folder}/{name}-s; client_max_body_size 0;
  server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}/files; location /echo {{ return 200 "nginx $request_method\\n"; }}
            location /put {{ dav_methods PUT; root {folder}/{name}-files; client_body_in_file_only off; create_full_put_path on; }} }}
}}
"""


def nginx(folder, name):
    """nginx that serves folder/files and takes PUT /put/NAME into folder/NAME-files."""
    port = free_port()
    for made in ("files", f"{name}-files"):
        (folder / made).mkdir(exist_ok=True)
    (folder / f"{name}.conf").write_text(NGINX.format(folder=folder, name=name, port=port))
    return Program(folder, name, [shutil.which("nginx") or "/usr/sbin/nginx", "-e", "stderr", "-p", folder, "-c", folder / f"{name}.conf"], port)


def curl(*args, limit=4 * LIMIT):
    """curl's standard output as bytes; a failure of curl fails the test."""
    done = subprocess.run(["curl", "-sS", "--max-time", str(limit), *map(str, args)], capture_output=True, timeout=limit + 5)
    assert done.returncode == 0, (args, done.returncode, done.stderr)
    return done.stdout
