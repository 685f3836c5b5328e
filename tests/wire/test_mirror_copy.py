# SPDX-License-Identifier: Apache-2.0
"""What the shadow receives: rows C9 to C17 of the mirroring contract."""
import threading

import pytest
from harness.http1 import Gone, answer, request
from harness.istio import mesh, shadow_policy
from harness.server import answering
from harness.waiting import until

DONE = {"matched": 1, "mirrored": 1, "completed": {"2xx": 1}}


# ---- C9 ----
@pytest.mark.parametrize("sent, got", [
    ("/", "/"), ("/a/../b?x=/../y", "/b?x=/../y"), ("/a/%2e%2e/b", "/b"), ("/%61?%61", "/a?%61"), ("/a%2Fb", "/a%2Fb"),
    ("//x//", "//x//"), ("/%c3%a4?q=%20+", "/%c3%a4?q=%20+"), ("/a;b=c?d;e&&f", "/a;b=c?d;e&&f"), ("/?", "/?"),
])
def test_c09_path_and_query_as_the_primary_gets_them(stage, sent, got):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    umbra.get(sent)
    assert (primary.nth().target, shadow.nth().target) == (got, got)
    umbra.expect(**DONE)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "X-OWN"])
def test_c09_method(stage, method):
    primary, shadow = stage.server(answering(answer(""))), stage.server(answering(answer("")))
    umbra = stage.umbra(mesh(primary, shadow))
    assert umbra.get("/m", method=method).status == 200
    assert primary.nth().method == shadow.nth().method == method
    umbra.expect(**DONE)


# ---- C10 ----
HOSTS = [("app", "app-shadow"), ("app.test:80", "app.test-shadow:80"), ("[::1]:80", "[::1]-shadow:80"), ("[::1]", "[::1]-shadow"),
         ("127.0.0.1:8080", "127.0.0.1-shadow:8080")]


@pytest.mark.parametrize("host, copied", HOSTS)
def test_c10_host_suffix_before_the_port(stage, host, copied):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    umbra.get(host=host)
    assert primary.nth()["host"] == host and shadow.nth()["host"] == copied
    umbra.expect(**DONE)


def test_c10_suffix_off_for_the_process(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow), "--shadow-host-suffix", "off")
    umbra.get(host="app.test:80")
    assert shadow.nth()["host"] == "app.test:80"
    umbra.expect(**DONE)


@pytest.mark.parametrize("policy, copied", [
    ({"hostSuffix": False}, "app.test:80"), ({"hostRewrite": "v2.test.example"}, "v2.test.example"),
    ({"hostRewrite": "v2.test.example:81", "hostSuffix": True}, "v2.test.example:81"),
], ids=str)
def test_c10_host_by_policy(stage, policy, copied):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(**policy)))
    umbra.get(host="app.test:80")
    assert primary.nth()["host"] == "app.test:80" and shadow.nth()["host"] == copied
    umbra.expect(**DONE)


# ---- C11 ----
def test_c11_other_headers_as_the_primarys(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    umbra.get(fields=[("X-One", "1"), ("Accept", "a/b"), ("x-one", "2"), ("Cookie", "a=b; c=d"), ("Empty", "")])
    first, copy = primary.nth(), shadow.nth()
    own = ("host", "x-umbra-shadow", "x-forwarded-for", "x-envoy-internal")  # what Envoy and the contract let differ
    assert [f for f in first.fields if f[0].lower() not in own] == [f for f in copy.fields if f[0].lower() not in own]
    assert copy.all("x-one") == ["1", "2"] and copy["empty"] == ""
    assert "x-umbra-shadow" in copy and "x-umbra-shadow" not in first
    assert first["x-request-id"] == copy["x-request-id"] and len(first["x-request-id"]) == 36
    umbra.expect(**DONE)


def test_c11_headers_of_the_policy_are_the_copys_alone(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(headers={
        "set": {"x-env": "shadow"}, "add": {"x-tag": "two"}, "remove": ["authorization"]})))
    umbra.get(fields={"x-env": "prod", "x-tag": "one", "Authorization": "Bearer t"})
    first, copy = primary.nth(), shadow.nth()
    assert (first["x-env"], first["x-tag"], first["authorization"]) == ("prod", "one", "Bearer t")
    assert copy["x-env"] == "shadow" and copy.all("x-tag") == ["one", "two"] and "authorization" not in copy
    umbra.expect(**DONE)


def test_c11_trace_goes_on_with_a_span_of_its_own(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    trace = "0af7651916cd43dd8448eb211c80319c"
    umbra.get(fields={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    first, copy = primary.nth()["traceparent"].split("-"), shadow.nth()["traceparent"].split("-")
    assert first[1] == copy[1] == trace and first[2] != copy[2]
    umbra.expect(**DONE)


# ---- C13 ----
def test_c13_body_of_known_length(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    body = bytes(range(256)) * 400
    assert umbra.get(method="POST", body=body).status == 200
    for server in (primary, shadow):
        got = server.nth()
        assert got.body == body and got["content-length"] == str(len(body)) and "transfer-encoding" not in got
    umbra.expect(**DONE)


def test_c13_chunked_body_with_trailers(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    client.send(b"POST /up HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
                b"3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-sum: 13\r\nx-more: yes\r\n\r\n")
    assert client.response().status == 200
    for server in (primary, shadow):
        got = server.nth()
        assert got.body == b"abc0123456789" and got["transfer-encoding"] == "chunked"
        assert [(n.lower(), v) for n, v in got.trailers] == [("x-sum", "13"), ("x-more", "yes")]
    umbra.expect(**DONE)


def test_c13_body_reaches_the_shadow_as_it_arrives(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    client.send(b"POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nfirst")
    for server in (primary, shadow):
        conn = server.nth_connection()
        until("the first half", lambda: conn.received.endswith(b"first"))
        assert not server.requests
    client.send(b"later")
    assert client.response().status == 200
    assert primary.nth().body == shadow.nth().body == b"firstlater"
    umbra.expect(**DONE)


# ---- C14 ----
def stalled_shadow(stage):
    """A shadow that reads nothing until the event is set, with little room in the kernel."""
    go = threading.Event()

    def script(conn):
        conn.wait(go)
        while True:
            conn.request()
            conn.send(answer())
    return stage.server(script, receive_buffer=65536), go


def upload(client, size):
    """Sends a POST of that size from a thread of its own; the thread ends once all is sent."""
    def send():
        try:
            client.send(request("/up", method="POST", fields={"Content-Length": size}))
            for _ in range(size >> 16):
                client.send(bytes(1 << 16))
        except Gone:
            pass
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def test_c14_past_the_body_limit_the_copy_is_dropped(stage):
    primary = stage.server()
    shadow, go = stalled_shadow(stage)
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    upload(client, 32 << 20)
    assert client.response().status == 200 and len(primary.nth().body) == 32 << 20
    umbra.expect(matched=1, mirrored=1, dropped={"body_limit": 1})
    go.set()
    assert shadow.nth_connection().is_gone.wait(5) and not shadow.requests


def test_c14_a_shadow_that_reads_gets_bodies_past_the_limit(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(maxBodyBytes="16Mi")))
    client = umbra.client()
    upload(client, 32 << 20)
    assert client.response().status == 200
    assert len(shadow.nth().body) == 32 << 20
    umbra.expect(**DONE)


def test_c14_many_small_pieces_within_the_limit_wait_for_a_slow_shadow(stage):
    primary = stage.server()
    shadow, go = stalled_shadow(stage)
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    client.send(request("/", method="POST", fields={"Transfer-Encoding": "chunked"}))
    client.send(b"a\r\n0123456789\r\n" * 50000 + b"0\r\n\r\n")
    assert client.response().status == 200
    go.set()
    assert shadow.nth().body == primary.nth().body == b"0123456789" * 50000
    umbra.expect(**DONE)


def test_c14_backpressure_slows_the_client_and_loses_nothing(stage):
    primary = stage.server()
    shadow, go = stalled_shadow(stage)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(mode="backpressure")))
    client = umbra.client()
    sending = upload(client, 64 << 20)
    sending.join(1)
    assert sending.is_alive() and not primary.requests, "the upload went on though the shadow took nothing"
    go.set()
    assert client.response().status == 200
    assert len(primary.nth().body) == len(shadow.nth().body) == 64 << 20
    umbra.expect(**DONE)


# ---- C15 ----
def test_c15_without_body_the_copy_goes_at_once(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(body="none")))
    client = umbra.client()
    client.send(b"POST /up HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    copy = shadow.nth()
    assert copy.method == "POST" and copy.body == b"" and copy["content-length"] in ("0", None)
    assert "transfer-encoding" not in copy and not primary.requests
    client.close()  # the upload is cut: no matter to the copy
    umbra.expect(**DONE)


# ---- C16 ----
def early(conn):
    conn.head()
    conn.send(answer("no", status="413 Payload Too Large", fields={"connection": "close"}))


def test_c16_shadow_gets_the_rest_after_an_early_answer(stage):
    def early_but_reading(conn):
        head = conn.head()
        conn.send(answer("early"))
        conn.body(head)

    primary, shadow = stage.server(early_but_reading), stage.server()
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    client.send(request("/", method="POST", fields={"Content-Length": 10}) + b"first")
    assert client.response().body == b"early"
    client.send(b"later")
    assert shadow.nth().body == b"firstlater"
    umbra.expect(**DONE)


def test_c16_upload_cut_after_an_early_answer_is_truncated(stage):
    primary, shadow = stage.server(early), stage.server()
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    client.send(request("/", method="POST", fields={"Content-Length": 10}) + b"first")
    assert client.response().status == 413
    shadow.nth_head()
    client.close()
    umbra.expect(matched=1, mirrored=1, dropped={"truncated": 1})
    assert not shadow.requests


# ---- C17 ----
def test_c17_client_gone_after_a_whole_request(stage):
    go = threading.Event()

    def waiting(conn):
        conn.request()
        conn.wait(go)
        conn.send(answer())

    primary, shadow = stage.server(waiting), stage.server(waiting)
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    client.send(request("/", method="POST", body="whole"))
    primary.nth(), shadow.nth()
    client.close()
    until("the client's end", lambda: umbra.metrics().value("envoy_http_downstream_rq_active") == 0)
    go.set()
    assert shadow.nth().body == b"whole"
    umbra.expect(**DONE)


@pytest.mark.parametrize("head, part", [
    ({"Content-Length": 100}, b"half"), ({"Transfer-Encoding": "chunked"}, b"4\r\nhalf\r\n"),
], ids=["length", "chunked"])
def test_c17_client_gone_within_its_request(stage, head, part):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    client.send(request("/", method="POST", fields=head) + part)
    conn = shadow.nth_connection()
    until("half a request", lambda: b"half" in conn.received)
    client.close()
    umbra.expect(matched=1, mirrored=1, dropped={"truncated": 1})
    assert conn.is_gone.wait(5) and not shadow.requests and not primary.requests
    assert not bytes(conn.received).endswith(b"0\r\n\r\n")
