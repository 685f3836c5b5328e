# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 towards clients (RFC 9110, RFC 9112): framing, persistence, 1xx, early answers, tunnels."""
import threading

import pytest
from harness.http1 import Gone, answer, request
from harness.istio import mesh
from harness.server import answering
from harness.waiting import LIMIT


def test_keep_alive(stage):
    primary = stage.server()
    client = stage.umbra(mesh(primary)).client()
    for i in range(5):
        got = client.get(f"/{i}")
        assert got.status == 200 and got["connection"] in (None, "keep-alive")
    assert len(primary.connections) == 1 and len(primary.requests) == 5


def test_connection_close_is_kept(stage):
    client = stage.umbra(mesh(stage.server())).client()
    got = client.get(fields={"Connection": "close"})
    assert got.status == 200 and got["connection"] == "close" and client.is_closed()


def test_pipelined_requests_are_answered_in_order(stage):
    primary = stage.server(answering(lambda r: answer(r.target)))
    client = stage.umbra(mesh(primary)).client()
    client.send(b"".join(request(f"/{i}", method="POST", body="x" * i) for i in range(10)))
    assert [client.response().body.decode() for _ in range(10)] == [f"/{i}" for i in range(10)]


def test_request_byte_by_byte(stage):
    primary = stage.server()
    client = stage.umbra(mesh(primary)).client()
    for byte in b"POST /slow HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx-t: 1\r\n\r\n":
        client.send(bytes([byte]))
    assert client.response().status == 200
    assert primary.nth().body == b"ab" and primary.nth().trailers


def test_empty_lines_before_a_request_are_passed_over(stage):
    client = stage.umbra(mesh(stage.server())).client()
    client.send(b"\r\n" + request("/"))
    assert client.response().status == 200


@pytest.mark.parametrize("framing", ["length", "chunked", "end"])
def test_answer_framings(stage, framing):
    body = b"0123456789" * 5000
    script = answering(answer(body, framing=framing)) if framing != "end" else answering(
        answer(body, framing="end", fields={"connection": "close"}))
    client = stage.umbra(mesh(stage.server(script))).client()
    got = client.get()
    assert got.body == body
    assert (got["transfer-encoding"] == "chunked") == (framing != "length")
    assert client.get().body == body, "the client's connection goes on even if the server's ended"


def test_answer_trailers_pass(stage):
    primary = stage.server(answering(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 2\r\n\r\n"))
    got = stage.umbra(mesh(primary)).get(fields={"TE": "trailers"})
    assert got.body == b"ok" and [(n.lower(), v) for n, v in got.trailers] == [("x-sum", "2")]


def test_answer_streams_as_it_arrives(stage):
    go = threading.Event()

    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst")
        conn.wait(go)
        conn.send(b"later")

    client = stage.umbra(mesh(stage.server(script))).client()
    client.send(request("/"))
    assert client.head_only().status == 200 and client.exactly(5) == b"first"
    go.set()
    assert client.exactly(5) == b"later"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_body(stage, status):
    primary = stage.server(answering(f"HTTP/1.1 {status}\r\netag: \"1\"\r\n\r\n"))
    client = stage.umbra(mesh(primary)).client()
    assert client.get()["etag"] == '"1"'
    got = client.get()
    assert got.body == b"" and "transfer-encoding" not in got


def test_head_keeps_the_length_and_has_no_body(stage):
    primary = stage.server(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"))
    client = stage.umbra(mesh(primary)).client()
    for _ in range(2):
        got = client.get(method="HEAD")
        assert got.status == 200 and got["content-length"] == "1000" and got.raw.endswith(b"\r\n\r\n")


def test_http_1_0_client_gets_no_chunks_and_a_close(stage):
    primary = stage.server(answering(answer("hello", framing="chunked")))
    client = stage.umbra(mesh(primary)).client()
    client.send(b"GET / HTTP/1.0\r\nHost: app.test\r\n\r\n")
    got = client.response()
    assert got.body == b"hello" and "transfer-encoding" not in got and client.is_closed()
    assert primary.nth().start.endswith("HTTP/1.1")


def test_http_1_0_keep_alive(stage):
    client = stage.umbra(mesh(stage.server())).client()
    for _ in range(2):
        client.send(b"GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n")
        got = client.response()
        assert got.body == b"ok" and got["connection"] == "keep-alive"


def test_http_1_0_without_host_is_not_an_error(stage):
    """RFC 9112 3.2 asks for Host in 1.1 only; no host matches the wildcard alone."""
    client = stage.umbra(mesh(stage.server())).client()
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert client.response().status in (200, 404)


def test_informational_answers_pass(stage):
    primary = stage.server(answering(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + answer()))
    client = stage.umbra(mesh(primary)).client()
    got = client.get()
    assert [i.status for i in got.informational] == [103, 102] and got.informational[0]["link"] == "</a>"
    assert client.get().status == 200


def test_expect_100_continue(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    client.send(request("/", method="POST", fields={"Expect": "100-continue", "Content-Length": 4}))
    assert client.head_only().status == 100
    client.send(b"body")
    assert client.response().status == 200 and primary.nth().body == shadow.nth().body == b"body"
    umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})


def test_unknown_expectation_is_417(stage):
    primary = stage.server()
    got = stage.umbra(mesh(primary)).get(method="POST", fields={"Expect": "miracles"}, body="x")
    assert got.status in (200, 417)
    if got.status == 417:
        assert not primary.requests


def test_early_answer_reaches_the_client_at_once(stage):
    def early(conn):
        conn.head()
        conn.send(answer("too much", status="413 Payload Too Large", fields={"connection": "close"}))

    client = stage.umbra(mesh(stage.server(early))).client()
    client.send(request("/", method="POST", fields={"Content-Length": 1 << 20}) + b"part")
    got = client.response()
    assert (got.status, got.body) == (413, b"too much")


def test_connection_goes_on_after_an_early_answer_if_the_upload_ends(stage):
    def early(conn):
        while True:
            head = conn.head()
            conn.send(answer("early"))
            conn.body(head)

    client = stage.umbra(mesh(stage.server(early))).client()
    client.send(request("/", method="POST", fields={"Content-Length": 4}))
    assert client.response().body == b"early"
    client.send(b"rest")
    try:
        assert client.get("/next").status == 200
    except Gone:
        pass  # a close after an early answer is allowed, a confused answer is not


def test_upgrade_passes_bytes_both_ways(stage):
    def echo(conn):
        head = conn.head()
        assert head["upgrade"] == "echo" and "upgrade" in head["connection"].lower()
        conn.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello")
        while True:
            if conn.at == len(conn.received):
                conn.more()
            conn.send(conn.received[conn.at:].upper())
            conn.at = len(conn.received)

    client = stage.umbra(mesh(stage.server(echo))).client()
    got = client.get("/ws", fields={"Connection": "keep-alive, Upgrade", "Upgrade": "echo"})
    assert got.status == 101 and got["upgrade"] == "echo"
    assert client.exactly(5) == b"hello"
    for word in (b"one", b"two" * 50000):
        client.send(word)
        assert client.exactly(len(word)) == word.upper()


def test_upgrade_that_the_server_declines(stage):
    primary = stage.server(answering(answer("plain")))
    client = stage.umbra(mesh(primary)).client()
    assert client.get(fields={"Connection": "Upgrade", "Upgrade": "websocket"}).body == b"plain"
    assert client.get("/next").status == 200


def test_tunnel_ends_with_either_side(stage):
    ended = threading.Event()

    def server(conn):
        conn.head()
        conn.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
        try:
            conn.rest()
        finally:
            ended.set()

    client = stage.umbra(mesh(stage.server(server))).client()
    client.get(fields={"Connection": "Upgrade", "Upgrade": "x"})
    client.close()
    assert ended.wait(5)


def test_answer_cut_short_is_seen_as_such(stage):
    def cut(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        conn.close()

    client = stage.umbra(mesh(stage.server(cut))).client()
    client.send(request("/"))
    with pytest.raises(Gone):
        client.response()


def test_chunked_answer_cut_short_has_no_last_chunk(stage):
    def cut(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        conn.close()

    client = stage.umbra(mesh(stage.server(cut))).client()
    client.send(request("/"))
    with pytest.raises(Gone):
        client.response()
    assert not bytes(client.received).endswith(b"0\r\n\r\n")


def test_slow_reader_gets_everything(stage):
    body = bytes(range(256)) * 65536  # 16 MiB: past every buffer between
    client = stage.umbra(mesh(stage.server(answering(answer(body))))).client()
    client.send(request("/"))
    client.head_only()
    assert client.exactly(len(body)) == body


TINY = 30000  # chunks of ten bytes: few bytes, many pieces


def test_tiny_chunks_to_a_server_that_is_slow_to_read(stage):
    go = threading.Event()

    def script(conn):
        conn.wait(go)
        conn.request()
        conn.send(answer())

    primary = stage.server(script, receive_buffer=4096)
    client = stage.umbra(mesh(primary)).client()
    client.send(request("/", method="POST", fields={"Transfer-Encoding": "chunked"}))
    wire = b"a\r\n0123456789\r\n" * TINY + b"0\r\n\r\n"
    threading.Thread(target=client.send, args=(wire,), daemon=True).start()
    primary.nth_connection()
    go.set()
    assert client.response().status == 200 and primary.nth().body == b"0123456789" * TINY


def test_tiny_chunks_to_a_client_that_is_slow_to_read(stage):
    sent = threading.Event()

    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        sent.set()
        conn.send(b"a\r\n0123456789\r\n" * TINY * 20 + b"0\r\n\r\n")

    client = stage.umbra(mesh(stage.server(script))).client()
    client.send(request("/"))
    sent.wait(5)
    assert client.response().body == b"0123456789" * TINY * 20


def test_half_closed_client_gets_its_answer(stage):
    client = stage.umbra(mesh(stage.server())).client()
    client.send(request("/"))
    client.half_close()
    assert client.response().status == 200


def test_header_timeout(stage):
    umbra = stage.umbra(mesh(stage.server()), "--header-timeout", "200ms")
    client = umbra.client()
    client.send(b"GET / HTTP/1.1\r\nHost: a")
    got = client.rest()
    assert got == b"" or got.startswith(b"HTTP/1.1 408 ")


def test_idle_timeout(stage):
    umbra = stage.umbra(mesh(stage.server()), "--idle-timeout", "200ms")
    client = umbra.client()
    assert client.get().status == 200
    client.sock.settimeout(LIMIT / 2)  # well before the time-out of heads
    assert client.is_closed()


def test_many_clients_at_once(stage):
    primary = stage.server(answering(lambda r: answer(r.target)))
    umbra = stage.umbra(mesh(primary), workers=2)
    clients = [umbra.client() for _ in range(200)]
    for i, client in enumerate(clients):
        client.send(request(f"/{i}"))
    assert [c.response().body.decode() for c in clients] == [f"/{i}" for i in range(200)]
