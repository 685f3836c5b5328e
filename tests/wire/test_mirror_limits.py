# SPDX-License-Identifier: Apache-2.0
"""What holds a shadow in bounds: rows C19 to C22 and C24 of the mirroring contract."""
import threading

import pytest
from harness import umbra as binary
from harness.http1 import answer, request
from harness.istio import as_yaml, destination, mesh, rule, shadow_policy
from harness.server import answering


def mute(conn):
    conn.request()
    conn.hold()


def unread(conn):
    conn.hold()


# ---- C19 ----
def test_c19_shadow_memory_is_bounded(stage):
    primary, shadow = stage.server(), stage.server(unread, receive_buffer=4096)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(maxBodyBytes="64Mi")), "--shadow-memory", 1 << 20)
    limit = umbra.metrics().value("umbra_shadow_memory_limit_bytes")
    assert limit == 1 << 20
    clients = [umbra.client() for _ in range(8)]
    for client in clients:
        threading.Thread(target=client.send, args=(request("/up", method="POST", body=bytes(8 << 20)),), daemon=True).start()
    most = 0
    for client in clients:
        most = max(most, umbra.metrics().value("umbra_shadow_memory_bytes"))
        assert client.response().status == 200
    most = max(most, umbra.metrics().value("umbra_shadow_memory_bytes"))
    assert most <= limit, f"{most} bytes held for shadows, bound {limit}"
    totals = umbra.totals()
    assert totals.matched == 8 and totals.dropped.get("memory", 0) >= 1
    assert all(len(r.body) == 8 << 20 for r in primary.requests)


def test_c19_the_oldest_copy_goes_first(stage):
    go = threading.Event()

    def first_stalls(conn):
        if len(conn.server.connections) == 1:
            conn.hold()
        conn.request()
        conn.send(answer())

    primary, shadow = stage.server(), stage.server(first_stalls, receive_buffer=4096)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(maxBodyBytes="64Mi")), "--shadow-memory", 1 << 20)
    for i in range(2):
        client = umbra.client()
        body = bytes(16 << 20 if i == 0 else 1000)
        threading.Thread(target=client.send, args=(request(f"/{i}", method="POST", body=body),), daemon=True).start()
        assert client.response().status == 200
    umbra.expect(matched=2, mirrored=2, completed={"2xx": 1}, dropped={"memory": 1})
    assert shadow.nth().target == "/1"
    go.set()


# ---- C20 ----
def test_c20_deadline_of_the_policy(stage):
    primary, shadow = stage.server(), stage.server(mute)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(timeout="300ms")))
    assert umbra.get().status == 200
    umbra.expect(matched=1, mirrored=1, dropped={"timeout": 1})


def test_c20_deadline_of_the_route(stage):
    primary, shadow = stage.server(), stage.server(mute)
    umbra = stage.umbra(mesh(primary, shadow, timeout="300ms"))
    assert umbra.get().status == 200
    umbra.expect(matched=1, mirrored=1, dropped={"timeout": 1})


def test_c20_runs_from_the_end_of_the_request(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(timeout="300ms")))
    client = umbra.client()
    client.send(request("/", method="POST", fields={"Content-Length": 6}))
    for i in range(6):  # 600 ms of upload, never 300 without a byte
        threading.Event().wait(0.1)
        client.send(b"x")
    assert client.response().status == 200
    umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})


def test_c20_a_shadow_that_takes_no_byte_is_dropped_while_the_request_arrives(stage):
    primary, shadow = stage.server(), stage.server(unread, receive_buffer=4096)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(timeout="300ms", maxBodyBytes="64Mi")))
    client = umbra.client()
    size = 12 << 20
    client.send(request("/", method="POST", fields={"Content-Length": size}))
    client.send(bytes(size - 1))
    umbra.expect(matched=1, mirrored=1, dropped={"timeout": 1})
    client.send(b"x")
    assert client.response().status == 200


# ---- C21 ----
@pytest.mark.parametrize("limits", [
    {"http": {"http2MaxRequests": 1}}, {"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}},
], ids=["requests", "connections"])
def test_c21_limits_of_the_shadows_pool(stage, limits):
    primary, shadow = stage.server(), stage.server(mute)
    umbra = stage.umbra(mesh(primary, shadow, rule("shadow", {"connectionPool": limits})))
    client = umbra.client()
    for _ in range(10):
        assert client.get().status == 200
    totals = umbra.totals()
    assert totals.matched == totals.mirrored == 10 and totals.active <= 2
    assert totals.dropped == {"overflow": 10 - totals.active}
    assert len(shadow.connections) == 1


def test_c21_mirror_to_a_subset(stage):
    primary, v1, v2 = stage.servers(3)
    umbra = stage.umbra(mesh(primary, [(v1, {"version": "v1"}), (v2, {"version": "v2"})],
                             rule("shadow", subsets={"v1": {"version": "v1"}, "v2": {"version": "v2"}}),
                             mirror=None, mirrors=[{"destination": destination("shadow", "v2")}]))
    client = umbra.client()
    for _ in range(10):
        client.get()
    umbra.expect(subset="v2", matched=10, mirrored=10, completed={"2xx": 10})
    assert len(v2.requests) == 10 and not v1.connections


def test_c21_connections_to_the_shadow_are_kept(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    for i in range(10):
        client.get()
        umbra.expect(matched=i + 1, mirrored=i + 1, completed={"2xx": i + 1})
    assert len(shadow.connections) == 1


# ---- C22 ----
def test_c22_at_most_1024_copies_in_flight(stage):
    primary, shadow = stage.server(), stage.server(mute)
    umbra = stage.umbra(mesh(primary, shadow))
    clients = [umbra.client() for _ in range(10)]
    for _ in range(110):
        for client in clients:
            client.send(request("/"))
        for client in clients:
            assert client.response().status == 200
    totals = umbra.totals()
    assert totals.matched == totals.mirrored == 1100 and totals.active <= 1024
    assert totals.dropped["overflow"] >= 76


# ---- C24 ----
def test_c24_every_method_is_copied_unless_the_policy_says_otherwise(stage):
    primary, shadow = stage.server(answering(answer(""))), stage.server(answering(answer("")))
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(methods=["GET", "HEAD", "PURGE"])))
    client = umbra.client()
    for method in ("GET", "POST", "HEAD", "PURGE", "DELETE", "LINK"):
        assert client.get(method=method).status == 200
    umbra.expect(matched=6, mirrored=3, completed={"2xx": 3}, skipped={"method": 3})
    assert sorted(r.method for r in shadow.requests) == ["GET", "HEAD", "PURGE"], "connections keep no order"


@pytest.mark.parametrize("distinct", [False, True])
def test_c24_shadow_and_primary_are_the_same_endpoints(stage, distinct):
    primary = stage.server()
    umbra = stage.umbra(mesh(primary, primary, shadow_policy(distinctEndpoints=distinct)))
    assert umbra.get().status == 200
    if distinct:
        umbra.expect(matched=1, skipped={"same_endpoint": 1})
        assert len(primary.requests) == 1
    else:
        umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})
        primary.nth(2)


def check(tmp_path, docs):
    file = tmp_path / "mesh.yaml"
    file.write_text(as_yaml(docs))
    return binary.run("check", "-f", file)


def test_c24_check_warns_of_mirrored_writes(stage, tmp_path):
    primary, shadow = stage.servers(2)
    found = check(tmp_path, mesh(primary, shadow))
    assert found.returncode == 0 and "POST" in found.stderr and "warning" in found.stderr
    quiet = check(tmp_path, mesh(primary, shadow, shadow_policy(methods=["GET", "POST", "PUT", "PATCH", "DELETE"])))
    assert quiet.returncode == 0 and "POST" not in quiet.stderr


def test_c24_check_warns_of_the_same_endpoints(stage, tmp_path):
    primary = stage.server()
    found = check(tmp_path, mesh(primary, primary, shadow_policy(methods=["GET"])))
    assert found.returncode == 0 and "both have the endpoint" in found.stderr
