# SPDX-License-Identifier: Apache-2.0
"""What umbra refuses: anything ambiguous is answered, the connection is closed, and no byte of it reaches an upstream or a shadow.
Behind the refused request waits a smuggled one that must never be served."""
import pytest
from harness.http1 import answer, request
from harness.istio import mesh
from harness.server import answering

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: app.test\r\n"
GET = b"GET / HTTP/1.1\r\nHost: app.test\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

REFUSED = {  # name: (bytes, status)
    "length with chunked": (POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked with length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400),
    "two different lengths": (POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", 400),
    "two equal lengths": (POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "length as a list": (POST + b"Content-Length: 4, 4\r\n\r\nabcd", 400),
    "length with a sign": (POST + b"Content-Length: +4\r\n\r\nabcd", 400),
    "negative length": (POST + b"Content-Length: -1\r\n\r\n", 400),
    "hexadecimal length": (POST + b"Content-Length: 0x4\r\n\r\nabcd", 400),
    "empty length": (POST + b"Content-Length:\r\n\r\n", 400),
    "length past 64 bits": (POST + b"Content-Length: 18446744073709551620\r\n\r\nabcd", 400),
    "bare LF after the request line": (b"GET / HTTP/1.1\nHost: app.test\r\n\r\n", 400),
    "bare LF after a field": (b"GET / HTTP/1.1\r\nHost: app.test\nX: y\r\n\r\n", 400),
    "bare LF ends the head": (b"GET / HTTP/1.1\r\nHost: app.test\r\n\n", 400),
    "bare CR in a value": (GET + b"X: a\rb\r\n\r\n", 400),
    "space before colon": (GET + b"X : y\r\n\r\n", 400),
    "space before colon of length": (POST + b"Content-Length : 4\r\n\r\nabcd", 400),
    "tab before colon": (GET + b"X\t: y\r\n\r\n", 400),
    "folded field": (GET + b"X: a\r\n b\r\n\r\n", 400),
    "leading space on the first field": (b"GET / HTTP/1.1\r\n Host: app.test\r\n\r\n", 400),
    "empty field name": (GET + b": y\r\n\r\n", 400),
    "field without colon": (GET + b"nonsense\r\n\r\n", 400),
    "NUL in a value": (GET + b"X: a\0b\r\n\r\n", 400),
    "NUL in a name": (GET + b"X\0: b\r\n\r\n", 400),
    "NUL in the target": (b"GET /\0 HTTP/1.1\r\nHost: app.test\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + b"Host: other.test\r\n\r\n", 400),
    "two equal hosts": (GET + b"Host: app.test\r\n\r\n", 400),
    "host with a path": (b"GET / HTTP/1.1\r\nHost: app.test/x\r\n\r\n", 400),
    "host with a user": (b"GET / HTTP/1.1\r\nHost: u@app.test\r\n\r\n", 400),
    "coding that is not chunked": (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "chunked not last": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 501),
    "chunked twice": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "chunked with a vertical tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "identity and chunked": (POST + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunked in HTTP/1.0": (b"POST / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "HTTP/2.0 on a request line": (b"GET / HTTP/2.0\r\nHost: app.test\r\n\r\n", 505),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\nHost: app.test\r\n\r\n", 505),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "lower-case version": (b"GET / http/1.1\r\nHost: app.test\r\n\r\n", (400, 505)),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: app.test\r\n\r\n", 400),
    "tab for a space": (b"GET\t/ HTTP/1.1\r\nHost: app.test\r\n\r\n", 400),
    "no target": (b"GET HTTP/1.1\r\nHost: app.test\r\n\r\n", 400),
    "method that is no token": (b"GE(T / HTTP/1.1\r\nHost: app.test\r\n\r\n", 400),
    "fragment in the target": (b"GET /a#b HTTP/1.1\r\nHost: app.test\r\n\r\n", 400),
    "target that is no path": (b"GET app HTTP/1.1\r\nHost: app.test\r\n\r\n", 400),
    "upgrade with a body": (POST + b"Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "TLS on a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40 + b"\r\n\r\n", 400),
}

BAD_BODIES = {  # the head was fine: the upstream may have seen it, but never a whole request
    "chunk size that is no number": b"zz\r\nabc\r\n0\r\n\r\n",
    "chunk size with a sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "chunk size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "chunk size past 64 bits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "empty chunk size": b"\r\nabc\r\n0\r\n\r\n",
    "chunk size ends in bare LF": b"3\nabc\r\n0\r\n\r\n",
    "chunk longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "chunk data ends in bare LF": b"3\r\nabc\n0\r\n\r\n",
    "trailer with a bare LF": b"3\r\nabc\r\n0\r\nx: y\n\r\n",
    "trailer without colon": b"3\r\nabc\r\n0\r\nnonsense\r\n\r\n",
    "endless chunk extension": b"3;" + b"e" * 70000 + b"\r\nabc\r\n0\r\n\r\n",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """One umbra for all of them: a refusal must not harm the next client either."""
    from conftest import Stage
    stage = Stage(tmp_path_factory.mktemp("refused"))
    primary, shadow = stage.servers(2)
    yield stage.umbra(mesh(primary, shadow)), primary, shadow
    stage.close()


@pytest.mark.parametrize("name", REFUSED)
def test_ambiguous_request_is_refused(house, name):
    umbra, primary, shadow = house
    sent, status = REFUSED[name]
    before = len(primary.heads), len(shadow.heads)
    client = umbra.client()
    client.send(sent + SMUGGLED)
    got = client.response()
    assert got.status in (status if isinstance(status, tuple) else (status,)), got.start
    assert got["connection"] == "close" and client.is_closed()
    assert umbra.get("/fine").status == 200
    shadow.nth_head(before[1] + 1)
    assert [r.target for r in primary.heads[before[0]:]] == ["/fine"]
    assert [r.target for r in shadow.heads[before[1]:]] == ["/fine"]


@pytest.mark.parametrize("name", BAD_BODIES)
def test_malformed_body_is_refused_and_never_looks_whole(house, name):
    umbra, primary, shadow = house
    before = len(primary.requests), len(shadow.requests)
    client = umbra.client()
    client.send(CHUNKED + BAD_BODIES[name] + SMUGGLED)
    got = client.response()
    assert got.status in (400, 431) and got["connection"] == "close" and client.is_closed()
    assert umbra.get("/fine").status == 200
    shadow.nth(before[1] + 1)
    assert [r.target for r in primary.requests[before[0]:]] == ["/fine"]
    assert [r.target for r in shadow.requests[before[1]:]] == ["/fine"]


@pytest.mark.parametrize("extra, status", [
    ([("x-long", "v" * 61440)], 431), ([(f"x-{i}", "v" * 1000) for i in range(62)], 431),
    ([(f"x-{i}", "v") for i in range(120)], 431), ([(f"x-{i}", "v") for i in range(80)], 200), ([("x-long", "v" * 50000)], 200),
], ids=["one field past 60 KiB", "all fields past 60 KiB", "120 fields", "80 fields", "50 KB"])
def test_limits_of_a_head(house, extra, status):
    umbra, primary, _ = house
    before = len(primary.heads)
    client = umbra.client()
    got = client.get("/limits", fields=extra)
    assert got.status == status and len(primary.heads) == before + (status == 200)
    if status == 431:
        assert got["connection"] == "close" and client.is_closed()


def test_overlong_target(house):
    umbra, primary, _ = house
    got = umbra.get("/" + "a" * 70000)
    assert got.status in (414, 431)


def test_limits_are_settable(stage):
    umbra = stage.umbra(mesh(stage.server()), "--max-head-bytes", "1Ki", "--max-fields", "5")
    assert umbra.get(fields={"x": "v" * 2000}).status == 431
    assert umbra.get(fields=[(f"x-{i}", "v") for i in range(8)]).status == 431
    assert umbra.get(fields={"x": "v"}).status == 200


# ---- the same towards upstreams ----
HEAD = b"HTTP/1.1 200 OK\r\n"
BAD_ANSWERS = {
    "length with chunked": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two different lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "length that is no number": HEAD + b"Content-Length: two\r\n\r\nab",
    "coding that is not chunked": HEAD + b"Transfer-Encoding: gzip\r\n\r\nab",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nab",
    "space before colon": HEAD + b"Content-Length : 2\r\n\r\nab",
    "folded field": HEAD + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nab",
    "NUL in a value": HEAD + b"X: a\0b\r\nContent-Length: 2\r\n\r\nab",
    "status line that is none": b"HELLO\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    "head past 60 KiB": HEAD + b"X: " + b"y" * 70000 + b"\r\ncontent-length: 0\r\n\r\n",
    "too many fields": HEAD + b"x: y\r\n" * 200 + b"content-length: 0\r\n\r\n",
    "101 that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_ambiguous_answer_is_a_502(stage, name):
    primary = stage.server(answering(BAD_ANSWERS[name], answer("fine")))
    umbra = stage.umbra(mesh(primary))
    client = umbra.client()
    assert client.get().status == 502
    assert client.get("/next").body == b"fine", "the client's connection goes on, on a fresh connection to the server"
    assert len(primary.connections) == 2


def test_bytes_behind_an_answer_end_the_servers_connection(stage):
    primary = stage.server(answering(answer("one") + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison", answer("two")))
    umbra = stage.umbra(mesh(primary))
    client = umbra.client()
    assert [client.get("/a").body, client.get("/b").body] == [b"one", b"two"]


def test_bad_chunk_of_an_answer_cuts_it(stage):
    primary = stage.server(answering(HEAD + b"transfer-encoding: chunked\r\n\r\n4\r\ngood\r\nzz\r\n"))
    umbra = stage.umbra(mesh(primary))
    client = umbra.client()
    client.send(request("/"))
    try:
        got = client.response()
    except Exception:
        assert not bytes(client.received).endswith(b"0\r\n\r\n")
    else:
        assert got.status == 502
