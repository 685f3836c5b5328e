# SPDX-License-Identifier: Apache-2.0
"""A client that sends bytes as they are told and reads answers strictly."""
import socket

from .http1 import Gone, Wire, request
from .waiting import LIMIT


class Client(Wire):
    def __init__(self, port, host="127.0.0.1"):
        super().__init__(socket.create_connection((host, port), LIMIT), LIMIT)
        self.informational = []

    def get(self, target="/", **more):
        self.send(request(target, **more))
        return self.response(more.get("method", "GET"))

    def response(self, method="GET"):
        """The next final answer, 1xx before it in .informational."""
        informational = []
        while True:
            message = self.read_head()
            if message.status == 101 or message.status >= 200:
                break
            informational.append(message)
        message.informational = informational
        if method == "HEAD" or message.status in (101, 204, 304) or (method == "CONNECT" and message.status // 100 == 2):
            message.raw = bytes(self.received[self.start:self.at])
            return message
        return self.read_body(message, to_the_end=True)

    def head_only(self):
        return self.read_head()

    def is_closed(self):
        """Waits for the other side's end; False if bytes came instead."""
        if len(self.received) > self.at:
            return False
        try:
            self.more()
        except Gone:
            return True
        return False

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)
