# SPDX-License-Identifier: Apache-2.0
"""Scripted servers. A script is a function of one connection and runs in a thread of its own:

    def script(conn):
        conn.request()                   # a whole request, recorded in server.requests
        conn.wait(event)                 # until the test says so
        conn.send(answer("late"))

It ends when the peer goes away. Port 0 is bound, so that runs do not meet.
"""
import socket
import threading

from .http1 import Gone, Wire, answer
from .waiting import LIMIT, until


class Connection(Wire):
    def __init__(self, server, sock):
        super().__init__(sock, None)
        self.server, self.is_gone, self.was_reset = server, threading.Event(), False

    def head(self):
        """Reads a head; the request is in server.heads from now on."""
        message = self.read_head()
        self.server.note(self.server.heads, message)
        return message

    def body(self, message):
        self.read_body(message, to_the_end=False)
        self.server.note(self.server.requests, message)
        return message

    def request(self):
        return self.body(self.head())

    def wait(self, event):
        """Until the test sets event, or everything ends."""
        while not event.wait(0.05):
            if self.server.is_closing.is_set():
                raise Gone()

    def hold(self):
        """Neither reads nor writes until the test is over."""
        self.wait(threading.Event())

    def until_gone(self):
        """Reads and drops until the peer has gone."""
        while True:
            self.more()
            self.at = self.start = 0
            self.received.clear()


def answering(*answers):
    """Answers each request with the next of answers, then with the last for ever. An answer may be bytes or a function of the
    request. An answer that says connection: close is followed by the end of the connection."""
    lock, left = threading.Lock(), list(answers or [answer()])

    def script(conn):
        while True:
            message = conn.request()
            with lock:
                reply = left.pop(0) if len(left) > 1 else left[0]
            reply = reply(message) if callable(reply) else reply
            reply = reply.encode("latin-1") if isinstance(reply, str) else reply
            conn.send(reply)
            if b"connection: close" in reply[:400].lower():
                return
    return script


class Server:
    """Listens on 127.0.0.1; `requests` are whole requests in order of their end, `heads` heads in order of arrival."""

    def __init__(self, script=None, address="127.0.0.1", receive_buffer=None):
        self.script = script or answering()
        self.requests, self.heads, self.connections = [], [], []
        self.changed = threading.Condition()
        self.is_closing = threading.Event()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind((address, 0))
        self.listener.listen(1024)
        self.address, self.port = address, self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            conn = Connection(self, sock)
            self.note(self.connections, conn)
            threading.Thread(target=self._run, args=(conn,), daemon=True).start()

    def _run(self, conn):
        try:
            self.script(conn)
        except Gone as gone:
            conn.was_reset = gone.reset
        except OSError:
            pass
        with self.changed:
            conn.is_gone.set()
            self.changed.notify_all()
        conn.close()

    def note(self, where, what):
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def wait_for(self, what, items, n, limit=LIMIT):
        with self.changed:
            if not self.changed.wait_for(lambda: len(items) >= n, limit):
                raise AssertionError(f"port {self.port}: waited {limit} s for {n} {what}, saw {len(items)}")
            return items[n - 1]

    def nth(self, n=1):
        """The n-th whole request, waited for."""
        return self.wait_for("requests", self.requests, n)

    def nth_head(self, n=1):
        return self.wait_for("heads", self.heads, n)

    def nth_connection(self, n=1):
        return self.wait_for("connections", self.connections, n)

    def stop_listening(self):
        """The port refuses from now on; open connections stay."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def listen_again(self):
        """The same port again."""
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.address, self.port))
        self.listener.listen(1024)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self):
        self.is_closing.set()
        self.stop_listening()
        for conn in list(self.connections):
            try:
                conn.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            conn.close()


class RefusingPort:
    """A port that is ours and that nobody listens on: every connect is refused."""

    def __init__(self):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.address, self.port = self.sock.getsockname()
        self.requests, self.heads = [], []

    def close(self):
        self.sock.close()


class FullQueue:
    """A listening port whose accept queue is full: a SYN is neither answered nor refused."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.address, self.port = self.listener.getsockname()
        self.requests, self.heads, self.fillers = [], [], []
        until("a full accept queue", self._is_full)

    def _is_full(self):
        """One more connection; full once it does not get through."""
        sock = socket.socket()
        self.fillers.append(sock)
        sock.settimeout(0.2)
        try:
            sock.connect((self.address, self.port))
            return False
        except TimeoutError:
            return True

    def close(self):
        for sock in [*self.fillers, self.listener]:
            sock.close()
