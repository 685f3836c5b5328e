# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as bytes. Deliberately strict: what it cannot read fails the test."""
import re
import socket
from dataclasses import dataclass, field

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Gone(Exception):
    """The peer ended or reset the connection; partial holds what came since the last whole message."""

    def __init__(self, partial=b"", reset=False):
        super().__init__(f"connection {'reset' if reset else 'closed'} after {bytes(partial)[-200:]!r}")
        self.partial, self.reset = bytes(partial), reset


@dataclass
class Message:
    start: str  # request line or status line
    fields: list  # (name, value) as received
    body: bytes = b""
    trailers: list = field(default_factory=list)
    raw: bytes = b""  # every byte of it
    informational: list = field(default_factory=list)  # 1xx answers before it

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def __getitem__(self, name):
        """The value of a field that must not be there twice; None if absent."""
        values = self.all(name)
        assert len(values) < 2, f"{name} is there {len(values)} times: {values}"
        return values[0] if values else None

    def __contains__(self, name):
        return bool(self.all(name))

    @property
    def names(self):
        return [n.lower() for n, _ in self.fields]

    @property
    def method(self):
        return self.start.split(" ")[0]

    @property
    def target(self):
        return self.start.split(" ")[1]

    @property
    def status(self):
        return int(self.start.split(" ")[1])

    @property
    def head(self):
        return self.raw[: self.raw.index(b"\r\n\r\n") + 4]


class Wire:
    """A socket with a buffer, read message by message; every byte that arrived stays in `received`."""

    def __init__(self, sock, timeout):
        sock.settimeout(timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.received = bytearray()
        self.at = self.start = 0  # read up to; begin of the message being read

    def send(self, data):
        try:
            self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone(self.received[self.start:], reset=True) from None

    def more(self):
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:
            raise Gone(self.received[self.start:], reset=True) from None
        except OSError as e:
            if isinstance(e, TimeoutError):
                raise
            raise Gone(self.received[self.start:]) from None  # closed on our side
        if not data:
            raise Gone(self.received[self.start:])
        self.received += data

    def until_bytes(self, mark):
        """The bytes up to and with mark."""
        seen = self.at
        while (found := self.received.find(mark, seen)) < 0:
            seen = max(self.at, len(self.received) - len(mark) + 1)
            self.more()
        out = bytes(self.received[self.at:found + len(mark)])
        self.at += len(out)
        return out

    def exactly(self, n):
        while len(self.received) - self.at < n:
            self.more()
        self.at += n
        return bytes(self.received[self.at - n:self.at])

    def rest(self):
        """Everything up to the peer's orderly end."""
        try:
            while True:
                self.more()
        except Gone as gone:
            if gone.reset:
                raise
        out = bytes(self.received[self.at:])
        self.at = len(self.received)
        return out

    def read_head(self):
        self.start = self.at
        lines = self.until_bytes(b"\r\n\r\n")[:-4].decode("latin-1").split("\r\n")
        return Message(lines[0], parse_fields(lines[1:]))

    def read_chunked(self, message):
        parts, lines = [], []
        while size := int(self.until_bytes(b"\r\n")[:-2].split(b";")[0], 16):
            parts.append(self.exactly(size))
            assert self.exactly(2) == b"\r\n", "chunk without its end"
        message.body = b"".join(parts)
        while (line := self.until_bytes(b"\r\n")) != b"\r\n":
            lines.append(line[:-2].decode("latin-1"))
        message.trailers = parse_fields(lines)

    def read_body(self, message, to_the_end):
        if message["transfer-encoding"]:
            assert message["transfer-encoding"].lower() == "chunked" and "content-length" not in message, message.fields
            self.read_chunked(message)
        elif message["content-length"] is not None:
            message.body = self.exactly(int(message["content-length"]))
        elif to_the_end:
            message.body = self.rest()
        message.raw = bytes(self.received[self.start:self.at])
        return message

    def close(self):
        self.sock.close()

    def reset(self):
        """RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()


def parse_fields(lines):
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        assert colon and TOKEN.fullmatch(name.encode("latin-1")), f"not a field line: {line!r}"
        fields.append((name, value.strip(" \t")))
    return fields


def answer(body="ok", status="200 OK", fields=(), framing="length"):
    """The bytes of an answer, framed by length, in one chunk, or by the end of the connection."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}"] + [f"{n}: {v}" for n, v in dict(fields).items()]
    if framing == "length":
        lines.append(f"content-length: {len(body)}")
    elif framing == "chunked":
        lines.append("transfer-encoding: chunked")
        body = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def request(target="/", method="GET", host="app.test", fields=(), body=None):
    """The bytes of a request; fields may be a dict or a list of pairs."""
    pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"] + [f"{n}: {v}" for n, v in pairs]
    if body is not None:
        body = body.encode() if isinstance(body, str) else body
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")
