# SPDX-License-Identifier: Apache-2.0
"""Towards the primary: retries, time-outs, pools, balance, DNS."""
import threading

import pytest
from harness.http1 import Gone, answer, request
from harness.istio import cluster, gateway, mesh, resource, route, rule, virtual_service
from harness.server import FullQueue, RefusingPort
from harness.waiting import until

ROUND_ROBIN = rule("primary", {"loadBalancer": {"simple": "ROUND_ROBIN"}})


def counter(umbra, name):
    return umbra.metrics().value(f"envoy_cluster_{name}", cluster_name=cluster("primary"))


# ---- retries ----
def test_refused_connect_is_tried_on_the_other_endpoint(stage):
    primary = stage.server()
    umbra = stage.umbra(mesh([stage.add(RefusingPort()), primary], None, ROUND_ROBIN))
    client = umbra.client()
    for i in range(10):
        assert client.get(f"/{i}", method="POST", body="x").status == 200
    assert len(primary.requests) == 10 and counter(umbra, "upstream_cx_connect_fail") >= 1
    assert primary.requests[-1]["x-envoy-attempt-count"] in ("1", "2")


def test_all_refused_is_a_503(stage):
    umbra = stage.umbra(mesh([stage.add(RefusingPort()), stage.add(RefusingPort())]))
    got = umbra.get()
    assert got.status == 503 and got.body
    assert counter(umbra, "upstream_rq_retry") == 2, "Istio's default: two retries"


@pytest.mark.parametrize("kind", ["close", "reset"])
@pytest.mark.parametrize("method, body", [("GET", None), ("POST", "payload"), ("POST", "p" * 60000)], ids=["GET", "POST", "long POST"])
def test_stale_keep_alive_connection_is_no_503(stage, kind, method, body):
    """The server's idle time-out and a request meet on the wire. umbra is held while both happen, the request first, so that
    it writes to a connection which the server has already ended."""
    ends = threading.Event()

    def script(conn):
        conn.request()
        conn.send(answer())
        if conn.server.connections[0] is conn:
            conn.wait(ends)
            getattr(conn, kind)()
            return
        conn.request()

    primary = stage.server(script)
    umbra = stage.umbra(mesh(primary))
    client = umbra.client()
    assert client.get("/first").status == 200
    umbra.hold()
    client.send(request("/second", method=method, body=body))
    ends.set()
    primary.nth_connection().is_gone.wait(5)
    umbra.go_on()
    assert client.response().status == 200
    assert primary.nth(2).body == (body or "").encode() and len(primary.connections) == 2


def test_connection_closed_while_idle_is_not_used(stage):
    def once(conn):
        conn.request()
        conn.send(answer())

    primary = stage.server(once)
    umbra = stage.umbra(mesh(primary))
    client = umbra.client()
    for i in range(5):
        assert client.get(f"/{i}").status == 200
        assert primary.nth_connection(i + 1).is_gone.wait(5)
    assert len(primary.connections) == 5


def test_reset_after_the_first_byte_of_an_answer_is_not_retried(stage):
    def half(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\ncontent-le")
        conn.reset()

    primary = stage.server(half)
    umbra = stage.umbra(mesh(primary))
    assert umbra.get().status in (502, 503)
    assert len(primary.requests) == 1


def test_retries_switched_off(stage):
    primary = stage.server()
    umbra = stage.umbra(mesh([stage.add(RefusingPort()), primary], None, ROUND_ROBIN, retries={"attempts": 0}))
    client = umbra.client()
    assert sorted({client.get(f"/{i}").status for i in range(4)}) == [200, 503]


# ---- time-outs ----
def test_route_timeout_is_a_504(stage):
    primary = stage.server(lambda conn: (conn.request(), conn.hold()))
    umbra = stage.umbra(mesh(primary, timeout="200ms"))
    client = umbra.client()
    got = client.get()
    assert got.status == 504 and got.body
    assert counter(umbra, "upstream_rq_timeout") == 1
    assert primary.nth_connection().is_gone.wait(0.1) or True
    assert client.get().status == 504, "the client's connection goes on"


def test_timeout_within_an_answer_cuts_it(stage):
    def stalls(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        conn.hold()

    umbra = stage.umbra(mesh(stage.server(stalls), timeout="200ms"))
    client = umbra.client()
    client.send(request("/"))
    assert client.head_only().status == 200
    with pytest.raises(Gone):
        client.exactly(100)


def test_connect_timeout(stage):
    umbra = stage.umbra(mesh(stage.add(FullQueue()), None, rule("primary", {"connectionPool": {"tcp": {"connectTimeout": "100ms"}}}),
                             retries={"attempts": 0}))
    assert umbra.get().status == 503
    assert counter(umbra, "upstream_cx_connect_timeout") >= 1


# ---- pools ----
@pytest.fixture
def holding(stage):
    go = threading.Event()

    def script(conn):
        while True:
            conn.request()
            conn.wait(go)
            conn.send(answer())
    return stage.server(script), go


@pytest.mark.parametrize("limits, waiting", [
    ({"http": {"http2MaxRequests": 1}}, 0),
    ({"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}}, 1),
], ids=["requests", "connections"])
def test_limits_of_the_pool(stage, holding, limits, waiting):
    primary, go = holding
    umbra = stage.umbra(mesh(primary, None, rule("primary", {"connectionPool": limits})))
    held = [umbra.client() for _ in range(1 + waiting)]
    for i, client in enumerate(held):
        client.send(request("/held"))
        until("the request is held", lambda: counter(umbra, "upstream_rq_pending_active" if i else "upstream_rq_active") == 1)
    got = umbra.get("/overflow")
    assert got.status == 503 and got["x-envoy-overloaded"] == "true"
    go.set()
    assert all(client.response().status == 200 for client in held)
    assert len(primary.connections) == 1


def test_max_requests_per_connection(stage):
    primary = stage.server()
    umbra = stage.umbra(mesh(primary, None, rule("primary", {"connectionPool": {"http": {"maxRequestsPerConnection": 2}}})))
    client = umbra.client()
    for _ in range(6):
        client.get()
    assert len(primary.connections) == 3


def test_idle_connections_to_the_primary_are_closed(stage):
    primary = stage.server()
    umbra = stage.umbra(mesh(primary, None, rule("primary", {"connectionPool": {"http": {"idleTimeout": "100ms"}}})))
    umbra.get()
    assert primary.nth_connection().is_gone.wait(5)


# ---- balance ----
@pytest.mark.parametrize("policy", ["ROUND_ROBIN", "RANDOM", "LEAST_REQUEST"])
def test_every_endpoint_gets_its_share(stage, policy):
    servers = stage.servers(3)
    umbra = stage.umbra(mesh(servers, None, rule("primary", {"loadBalancer": {"simple": policy}})))
    client = umbra.client()
    for _ in range(60):
        client.get()
    shares = [len(s.requests) for s in servers]
    assert sum(shares) == 60 and min(shares) >= (20 if policy == "ROUND_ROBIN" else 5)


def test_weighted_routes(stage):
    v1, v2 = stage.servers(2)
    to = [{"destination": {"host": "primary.test", "subset": n, "port": {"number": 80}}, "weight": w} for n, w in (("v1", 80), ("v2", 20))]
    umbra = stage.umbra(mesh([(v1, {"version": "v1"}), (v2, {"version": "v2"})], None,
                             rule("primary", subsets={"v1": {"version": "v1"}, "v2": {"version": "v2"}}), to=to))
    client = umbra.client()
    for _ in range(300):
        client.get()
    assert 25 < len(v2.requests) < 110 and len(v1.requests) + len(v2.requests) == 300


# ---- DNS ----
@pytest.mark.parametrize("resolution", ["DNS", "DNS_ROUND_ROBIN"])
def test_names_are_resolved(stage, resolution):
    primary = stage.server()
    named = resource("ServiceEntry", "primary", {
        "hosts": ["primary.test"], "resolution": resolution, "endpoints": [{"address": "localhost", "ports": {"http": primary.port}}],
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}]})
    umbra = stage.umbra([gateway(), named, virtual_service(route())])
    until("the name to be resolved", lambda: umbra.get().status == 200)
