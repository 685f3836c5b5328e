# SPDX-License-Identifier: Apache-2.0
"""Forwarding headers as Envoy's on an Istio gateway, and hop-by-hop fields (RFC 9110 7.6.1)."""
import re

import pytest
from harness.http1 import answer
from harness.istio import mesh
from harness.server import answering

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture
def both(stage):
    primary = stage.server(answering(answer("ok", fields={"Connection": "x-hop, keep-alive", "x-hop": "1", "Keep-Alive": "timeout=5",
                                                          "x-end": "2", "Server": "theirs"})))
    return stage.umbra(mesh(primary)), primary


def test_x_forwarded_for_is_appended(both):
    umbra, primary = both
    umbra.get()
    umbra.get(fields={"X-Forwarded-For": "203.0.113.9"})
    assert primary.nth(1)["x-forwarded-for"] == "127.0.0.1"
    assert re.fullmatch(r"203\.0\.113\.9, ?127\.0\.0\.1", primary.nth(2)["x-forwarded-for"])


def test_x_forwarded_proto(both):
    umbra, primary = both
    umbra.get()
    assert primary.nth()["x-forwarded-proto"] == "http"


def test_x_request_id_is_made_and_replaced_on_gateways(both):
    umbra, primary = both
    umbra.get()
    umbra.get(fields={"X-Request-Id": "mine"})
    ids = [primary.nth(n)["x-request-id"] for n in (1, 2)]
    assert all(UUID.fullmatch(i) for i in ids) and ids[0] != ids[1]


def test_x_envoy_headers(both):
    umbra, primary = both
    got = umbra.get(fields={"x-envoy-internal": "true", "x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-retry-on": "5xx"})
    assert primary.nth()["x-envoy-attempt-count"] == "1"
    assert "x-envoy-upstream-rq-timeout-ms" not in primary.nth() and "x-envoy-retry-on" not in primary.nth()
    assert got["x-envoy-upstream-service-time"].isdigit()


def test_hop_by_hop_fields_of_the_request_stay_here(both):
    umbra, primary = both
    umbra.get(fields={"Connection": "x-mine, keep-alive", "x-mine": "1", "Keep-Alive": "timeout=5", "Proxy-Connection": "keep-alive",
                      "x-stays": "2", "Upgrade": "ignored-without-connection"})
    got = primary.nth()
    for name in ("x-mine", "keep-alive", "proxy-connection", "upgrade"):
        assert name not in got, name
    assert got["x-stays"] == "2" and got["connection"] in (None, "keep-alive")


def test_fields_that_connection_may_not_name(both):
    """Naming Host or Content-Length in Connection must not take them away."""
    umbra, primary = both
    assert umbra.get(method="POST", body="abc", fields={"Connection": "host, content-length, x-forwarded-for"}).status in (200, 400)
    if primary.requests:
        assert primary.nth().body == b"abc" and primary.nth()["host"] == "app.test"


def test_hop_by_hop_fields_of_the_answer_stay_there(both):
    umbra, _ = both
    got = umbra.get()
    assert "x-hop" not in got and "keep-alive" not in got and got["x-end"] == "2"


def test_te_trailers_alone_passes(both):
    umbra, primary = both
    umbra.get(fields={"TE": "trailers", "Connection": "TE"})
    umbra.get(fields={"TE": "gzip", "Connection": "TE"})
    assert primary.nth(2)["te"] is None


def test_absolute_form_replaces_host(both):
    umbra, primary = both
    client = umbra.client()
    client.send(b"GET http://inner.test/path?q=1 HTTP/1.1\r\nHost: outer.test\r\n\r\n")
    assert client.response().status == 200
    assert primary.nth()["host"] == "inner.test" and primary.nth().target == "/path?q=1"


def test_header_operations_of_route_and_destination(stage):
    primary = stage.server(answering(answer("ok", fields={"x-up": "1", "x-out": "old"})))
    umbra = stage.umbra(mesh(primary, to=[{"destination": {"host": "primary.test", "port": {"number": 80}}, "headers": {
        "request": {"add": {"x-level": "destination"}}, "response": {"remove": ["x-up"]}}}],
        headers={"request": {"set": {"x-level": "route", "x-set": "new"}, "remove": ["x-gone"]}, "response": {"set": {"x-out": "new"}}}))
    got = umbra.get(fields={"x-set": "old", "x-gone": "1"})
    sent = primary.nth()
    assert sent.all("x-level") == ["route", "destination"] and sent.all("x-set") == ["new"] and "x-gone" not in sent
    assert got.all("x-out") == ["new"] and "x-up" not in got


def test_host_rewrite_of_the_route(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, rewrite={"authority": "inner.test"}))
    umbra.get()
    assert primary.nth()["host"] == "inner.test" and shadow.nth()["host"] == "inner.test-shadow"
