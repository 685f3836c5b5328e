#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever umbra takes for an HTTP/1.x message, other readers must take for the same message: Node's parser (llhttp, strict)
must accept it, python's h11 must not read it otherwise. umbra may be stricter. Generates messages from a seed, right ones and
broken ones. Usage: http_oracle.py H1_ORACLE [COUNT [SEED]]; exit 77, skipped, where there is neither Node nor h11.
"""
import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

try:
    import h11
except ImportError:
    h11 = None

NODE_SCRIPT = Path(__file__).with_name("http_oracle.js")
SECOND = b"GET /second HTTP/1.1\r\nHost: second\r\n\r\n"

# of each list, the first is right and the usual choice
METHODS = [b"POST", b"GET", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"CONNECT", b"PATCH", b"M-SEARCH", b"get", b"G ET"]
TARGETS = [b"/", b"/a/b?c=d", b"/a%20b", b"/a#b", b"*", b"http://a/b", b"https://a:1/b?c", b"http://a", b"http://a?x", b"a:443",
           b"[::1]:443", b"http://u@a/", b"/\xc3\xa4", b"/a b", b"", b"//x", b"/\"<>\\^`{|}"]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 ", b""]
STATUSES = [b"200 OK", b"200", b"200 ", b"204 No Content", b"304 Not Modified", b"100 Continue", b"101 Switching",
            b"404 Not  Found", b"99 x", b"20x OK", b"1000 x", b"500 \xc3\xa4\tb"]
LENGTHS = [b"5", b"0", b"5, 5", b"+5", b"-5", b" 5 ", b"0x5", b"05", b"5 5", b"", b"9223372036854775808", b"5;", b"1_0"]
CODINGS = [b"chunked", b"Chunked", b"xchunked", b"chunked, chunked", b"gzip, chunked", b"chunked, identity", b"identity",
           b"chunked;a=b", b"\"chunked\"", b"chunked,", b",chunked", b"", b"\x0bchunked"]
HOSTS = [b"h", b"h:80", b"[::1]:80", b"", b"a b", b"u@h", b"h/x", b"h:x", b"h, i"]
CONNECTIONS = [b"keep-alive", b"close", b"keep-alive, close", b"upgrade", b"x-a, ,close", b"Transfer-Encoding", b""]
OTHERS = [(b"A", b"b"), (b"x-long-name", b"a value of some length, with a comma"), (b"Empty", b""), (b"a", b"\xc3\xa4\xff"),
          (b"Tab", b"a\tb"), (b"Expect", b"100-continue"), (b"Upgrade", b"websocket"), (b"Trailer", b"t"), (b"Cookie", b"a=b; c=d")]
BAD_OTHERS = [(b"Nul", b"a\0b"), (b"Bell", b"a\x07b"), (b"a b", b"c"), (b"", b"c"), (b"a(", b"b"), (b"!#$%&'*+", b"d")]
SEPARATORS = [b": ", b":", b":  ", b":\t", b" : ", b"\t:", b""]
ENDS = [b"\r\n", b" \r\n", b"\n", b"\r", b"\r\n ", b"\r\r\n", b"\r\n\t"]
CHUNK_SIZES = [b"5", b"005", b"5;a=b", b"5;a", b"5 ", b" 5", b"0x5", b"+5", b"5\n", b"5;a\n", b"5\t", b"5;a=\"b;c\"", b"6", b"4"]
ODD_BYTES = [b"\0", b"\r", b"\n", b" ", b"\t", b":", b";", b",", b"\x7f", b"\x80", b"\xff", b"\x0b", b"0", b"\r\n", b"%"]

# umbra lets these through, as Envoy does, and llhttp does not: methods that it has no number for, bytes from 0x80 on in targets
NODE_METHODS = set(METHODS)
NODE_TARGETS = re.compile(rb"[\x21-\x7e]*")


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, one_in):
        return self.random.randrange(one_in) == 0

    def mostly_right(self, choices, one_in):
        return self.random.choice(choices) if self.chance(one_in) else choices[0]

    def end(self):
        return self.mostly_right(ENDS, 50)

    def field(self, name, value):
        return name + self.mostly_right(SEPARATORS, 10) + value + self.end()

    def chunked_body(self):
        body = b""
        for _ in range(self.random.randrange(4)):
            body += self.mostly_right(CHUNK_SIZES, 5) + b"\r\nhello" + self.end()
        return body + b"0" + self.end() + (b"t: u\r\n" if self.chance(3) else b"") + b"\r\n"

    def framing(self):
        """Fields that say where the body ends, and a body, mostly theirs."""
        kind = self.random.randrange(20)
        length = (self.random.choice([b"Content-Length", b"content-length"]), self.mostly_right(LENGTHS, 4))
        coding = (self.random.choice([b"Transfer-Encoding", b"transfer-encoding"]), self.mostly_right(CODINGS, 4))
        if kind < 7:
            return [], b""
        if kind < 12:
            return [length], b"hello"
        if kind < 17:
            return [coding], self.chunked_body()
        if kind == 17:
            return [length, coding], self.chunked_body()
        if kind == 18:
            return [length, (b"Content-Length", self.mostly_right(LENGTHS, 2))], b"hello"
        return [coding, (b"Transfer-Encoding", self.mostly_right(CODINGS, 2))], self.chunked_body()

    def fields_and_body(self, host):
        fields, body = self.framing()
        if host and not self.chance(30):
            fields.append((b"Host", self.mostly_right(HOSTS, 4)))
        if self.chance(30):
            fields.append((b"host", self.mostly_right(HOSTS, 4)))
        if self.chance(4):
            fields.append((b"Connection", self.random.choice(CONNECTIONS)))
        fields += [self.random.choice(OTHERS) for _ in range(self.random.randrange(4))]
        if self.chance(10):
            fields.append(self.random.choice(BAD_OTHERS))
        self.random.shuffle(fields)
        return b"".join(self.field(*f) for f in fields) + b"\r\n" + body

    def damaged(self, message):
        for _ in range(self.random.choice([0, 0, 0, 0, 0, 0, 1, 1, 2])):
            at = self.random.randrange(len(message))
            message = message[:at] + self.random.choice(ODD_BYTES) + message[at + self.random.randrange(2):]
        return message

    def case(self):
        if self.chance(3):
            method = self.mostly_right(["GET", "HEAD", "CONNECT"], 4)
            line = self.mostly_right(VERSIONS, 10) + b" " + self.mostly_right(STATUSES, 3) + self.end()
            return "response " + method, self.damaged(line + self.fields_and_body(host=False))
        words = self.mostly_right(METHODS, 2), self.mostly_right(TARGETS, 2), self.mostly_right(VERSIONS, 10)
        return "request", self.damaged(b" ".join(words) + self.end() + self.fields_and_body(host=True)) + SECOND


def read_by(command, cases):
    text = "".join(f"{kind} {data.hex()}\n" for kind, data in cases)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def read_by_h11(kind, data):
    """The first message, as far as h11 takes it, or None; its body is absent while incomplete."""
    connection = h11.Connection(h11.SERVER if kind == "request" else h11.CLIENT)
    if kind != "request":
        method = kind.split()[1]
        target = "a:443" if method == "CONNECT" else "/"
        connection.send(h11.Request(method=method, target=target, headers=[("Host", "h")]))
        connection.send(h11.EndOfMessage())
    message, body = None, b""
    connection.receive_data(data)
    if kind != "request":
        connection.receive_data(b"")
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, (h11.Request, h11.Response, h11.InformationalResponse)):
                message = {
                    "status": getattr(event, "status_code", 0),
                    "method": getattr(event, "method", b"").hex(),
                    "target": getattr(event, "target", b"").hex(),
                    "fields": [[n.hex(), v.hex()] for n, v in event.headers.raw_items()],
                }
                if isinstance(event, h11.InformationalResponse):
                    return {**message, "body": ""}
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return {**message, "body": body.hex()}
            else:
                return message
    except h11.RemoteProtocolError:
        return message


def targets(message):
    """What the request target may have been, out of umbra's parts of it."""
    scheme, authority, path = (bytes.fromhex(message[key]) for key in ("scheme", "authority", "path"))
    if message["method"] == b"CONNECT".hex():
        return {authority}
    if not scheme:
        return {path}
    return {scheme + b"://" + authority + rest for rest in ({path, b""} if path in (b"/", b"*") else {path})}


def comparable(field):
    name, value = (bytes.fromhex(part) for part in field)
    return name, value.lower() if name.lower() == b"transfer-encoding" else value  # h11 makes it lower-case


def difference(umbra, other):
    for key in ("status", "method"):
        if umbra[key] != other[key]:
            return key
    if list(map(comparable, umbra["fields"])) != list(map(comparable, other["fields"])):
        return "fields"
    if "body" in other and umbra["body"] != other["body"]:
        return "body"
    if umbra["method"] and bytes.fromhex(other["target"]) not in targets(umbra):
        return "target"
    return None


def check_node(umbra, node):
    for i, message in enumerate(umbra):
        if not message["status"] and bytes.fromhex(message["method"]) not in NODE_METHODS:
            return None
        if not NODE_TARGETS.fullmatch(bytes.fromhex(message["path"])):
            return None
        if i >= len(node):
            return f"message {i + 1} is not one for node"
        what = difference(message, node[i])
        if what:
            return f"message {i + 1} has another {what} for node: {node[i]}"
    return None


def check_h11(kind, data, umbra):
    other = read_by_h11(kind, data) if umbra else None
    what = difference(umbra[0], other) if other else None
    return f"has another {what} for h11: {other}" if what else None


def main():
    oracle = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    generator = Generator(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    node = shutil.which("node")
    if not node and not h11:
        print("skipped: neither node nor python3-h11 is installed")
        return 77
    cases = [generator.case() for _ in range(count)]
    umbra = read_by([oracle], cases)
    complaints = []
    if node:
        by_node = read_by([node, str(NODE_SCRIPT)], cases)
        complaints += [(i, check_node(umbra[i], by_node[i])) for i in range(count)]
    if h11:
        complaints += [(i, check_h11(*cases[i], umbra[i])) for i in range(0, count, 4)]
    complaints = [(i, text) for i, text in complaints if text]
    for i, text in complaints[:20]:
        print(f"{cases[i][0]} {cases[i][1]!r}\n  umbra: {umbra[i]}\n  {text}")
    messages = sum(map(len, umbra))
    print(f"{count} cases, {messages} messages accepted, compared with {'node ' if node else ''}{'h11' if h11 else ''}, "
          f"{len(complaints)} differences")
    return 1 if complaints or messages < count // 4 else 0


if __name__ == "__main__":
    sys.exit(main())
