# SPDX-License-Identifier: Apache-2.0
"""When a request is mirrored: rows C1 to C8 of the mirroring contract."""
import threading

import pytest
from harness.http1 import answer, request
from harness.istio import (cluster, destination, gateway, mesh, route, rule, service, shadow_policy, virtual_service)
from harness.server import RefusingPort, answering


# ---- C1 ----
def test_c01_copy_carries_the_routes_changes(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, match=[{"uri": {"prefix": "/old"}}], rewrite={"uri": "/new"},
                             headers={"request": {"set": {"x-route": "yes"}, "remove": ["x-secret"]}}))
    assert umbra.get("/old/a?b=1", fields={"x-secret": "1"}).status == 200
    for server in (primary, shadow):
        got = server.nth()
        assert got.target == "/new/a?b=1" and got["x-route"] == "yes" and "x-secret" not in got
    umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})


def test_c01_copy_does_not_wait_for_the_primarys_answer(stage):
    copied = threading.Event()

    def slow_primary(conn):
        conn.request()
        conn.wait(copied)
        conn.send(answer())

    primary, shadow = stage.server(slow_primary), stage.server()
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    client.send(request("/"))
    shadow.nth()
    copied.set()
    assert client.response().status == 200
    umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})


def test_c01_each_shadow_is_drawn_by_itself(stage):
    primary, one, two = stage.servers(3)
    umbra = stage.umbra([gateway(), service("primary", primary), service("one", one), service("two", two),
                         virtual_service(route(mirror=[("one", 50), ("two", 50)]))])
    client = umbra.client()
    for i in range(200):
        client.get(f"/{i}")
    umbra.settled()
    ones, twos = {r.target for r in one.requests}, {r.target for r in two.requests}
    assert ones - twos and twos - ones and ones & twos and len(ones | twos) < 200


# ---- C2 ----
@pytest.mark.parametrize("fields", [
    {}, {"percentage": 100}, {"mirrorPercent": 100}, {"mirror_percent": 100}, {"percentage": 100, "mirrorPercent": 0},
], ids=str)
def test_c02_percentage_that_copies_everything(stage, fields):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, **fields))
    client = umbra.client()
    for _ in range(20):
        client.get()
    shadow.nth(20)
    umbra.expect(matched=20, mirrored=20, completed={"2xx": 20})


@pytest.mark.parametrize("fields", [
    {"percentage": 0}, {"mirrorPercentage": {}}, {"mirrorPercent": 0}, {"percentage": 0, "mirrorPercent": 100},
    {"mirror": [("shadow", 0)]},
], ids=str)
def test_c02_percentage_that_copies_nothing(stage, fields):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, **fields))
    client = umbra.client()
    for _ in range(20):
        client.get()
    assert len(primary.requests) == 20 and not shadow.connections
    assert umbra.totals().mirrored == 0


def test_c02_half_of_the_requests(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, percentage=50))
    client = umbra.client()
    for _ in range(400):
        client.get()
    totals = umbra.settled()["app.default/main", cluster("shadow")]
    assert 130 < totals.mirrored < 270, "50 % of 400, ten standard deviations would be 100"
    assert totals.matched == 400 and totals.skipped == {"sampled_out": 400 - totals.mirrored}
    assert len(shadow.requests) == totals.mirrored


@pytest.mark.parametrize("percent, numerator", [(33.33339, 333333), (0.0001, 1), (12.5, 125000)])
def test_c02_percentage_is_cut_to_a_millionth(stage, percent, numerator):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, percentage=percent))
    dump = umbra.admin("/config_dump")[1].replace(" ", "").replace("\n", "")
    assert f'"numerator":{numerator},"denominator":"MILLION"' in dump


# ---- C3 ----
def sampled(stage, percentage, salt="july", key=None, copies=1):
    """The users of 0..399 whose requests a fresh umbra copies, by shadow."""
    primary, shadow, other = stage.servers(3)
    umbra = stage.umbra([gateway(), service("primary", primary), service("shadow", shadow), service("other", other),
                         virtual_service(route(mirror=[("shadow", percentage), ("other", percentage)])),
                         shadow_policy(sampling={"key": key or {"header": "x-user-id"}, "salt": salt})], workers=2)
    name = "cookie" if key and "cookie" in key else "x-user-id"
    for _ in range(copies):
        client = umbra.client()
        for user in range(400):
            client.get(f"/?u={user}", fields={name: f"u={user}" if name == "cookie" else user})
    umbra.settled()
    return [sorted(int(r.target[4:]) for r in s.requests) for s in (shadow, other)]


@pytest.mark.parametrize("key", [{"header": "x-user-id"}, {"cookie": "u"}, {"queryParam": "u"}], ids=str)
def test_c03_same_key_same_answer_in_every_process(stage, key):
    first, again = sampled(stage, 20, key=key), sampled(stage, 20, key=key)
    assert first == again and 20 < len(first[0]) < 180
    assert first[0] != first[1], "the shadow's name is part of the hash"


def test_c03_same_key_same_answer_on_every_connection(stage):
    once, twice = sampled(stage, 20), sampled(stage, 20, copies=2)
    assert twice[0] == sorted(once[0] * 2)


def test_c03_a_smaller_share_is_a_subset(stage):
    five, ten = sampled(stage, 5)[0], sampled(stage, 10)[0]
    assert five and set(five) < set(ten)
    assert sampled(stage, 10, salt="august")[0] != ten


def test_c03_source_address_is_one_key(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(sampling={"key": {"sourceAddress": True}}), percentage=50))
    for _ in range(30):
        umbra.get()
    umbra.settled()
    assert len(shadow.requests) in (0, 30)


def test_c03_without_the_key_it_is_random(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(sampling={"key": {"header": "x-user-id"}}), percentage=50))
    client = umbra.client()
    for _ in range(200):
        client.get()
    umbra.settled()
    assert 40 < len(shadow.requests) < 160


# ---- C4 ----
def test_c04_no_route_counts_nowhere(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, match=[{"uri": {"exact": "/only"}}]))
    assert umbra.get("/other").status == 404
    assert not primary.connections and not shadow.connections
    umbra.expect()


@pytest.mark.parametrize("action, status, reason", [
    ({"redirect": {"uri": "/there"}}, 301, "redirect"),
    ({"directResponse": {"status": 418, "body": {"string": "tea"}}}, 418, "direct_response"),
], ids=["redirect", "direct"])
def test_c04_answers_of_the_route_itself(stage, action, status, reason):
    shadow = stage.server()
    umbra = stage.umbra([gateway(), service("shadow", shadow),
                         virtual_service(route(to=None, mirror="shadow", **action))])
    assert umbra.get().status == status
    assert not shadow.connections
    umbra.expect(matched=1, skipped={reason: 1})


def test_c04_unknown_primary_cluster(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, to="nowhere"))
    got = umbra.get()
    assert got.status == 503 and got.body == b"", "Istio's empty 503 NC"
    assert not shadow.connections
    umbra.expect(matched=1, skipped={"no_cluster": 1})


def test_c04_primary_without_endpoints(stage):
    shadow = stage.server()
    umbra = stage.umbra(mesh([], shadow))
    got = umbra.get()
    assert got.status == 503 and got.body, "Istio's 503 UH has a text"
    assert not shadow.connections
    umbra.expect(matched=1, skipped={"no_endpoint": 1})


def test_c04_primary_refused_by_its_limit(stage):
    held = threading.Event()

    def holding(conn):
        conn.request()
        conn.wait(held)
        conn.send(answer())

    primary, shadow = stage.server(holding), stage.server()
    umbra = stage.umbra(mesh(primary, shadow, rule("primary", {"connectionPool": {"http": {"http2MaxRequests": 1}}})))
    first = umbra.client()
    first.send(request("/first"))
    primary.nth()
    assert umbra.get("/second").status == 503
    held.set()
    assert first.response().status == 200
    umbra.expect(matched=2, mirrored=1, completed={"2xx": 1}, skipped={"primary_refused": 1})


def test_c04_refused_connect_of_the_primary_is_still_copied(stage):
    primary, shadow = stage.add(RefusingPort()), stage.server()
    umbra = stage.umbra(mesh(primary, shadow))
    assert umbra.get().status == 503
    umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})


def test_c04_connect_is_a_tunnel_and_not_copied(stage):
    def echo(conn):
        conn.head()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\n")
        conn.send(b"<" + conn.exactly(4) + b">")

    primary, shadow = stage.server(echo), stage.server()
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    client.send(b"CONNECT app.test:80 HTTP/1.1\r\nHost: app.test:80\r\n\r\n")
    assert client.response("CONNECT").status == 200
    client.send(b"ping")
    assert client.exactly(6) == b"<ping>"
    assert not shadow.connections
    umbra.expect(matched=1, skipped={"connect": 1})


def test_c04_upgrade_is_not_copied(stage):
    primary = stage.server(answering("HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n"))
    shadow = stage.server()
    umbra = stage.umbra(mesh(primary, shadow))
    client = umbra.client()
    assert client.get(fields={"Connection": "Upgrade", "Upgrade": "echo"}).status == 101
    assert not shadow.connections
    umbra.expect(matched=1, skipped={"upgrade": 1})


def test_c04_a_copy_is_not_copied_again(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    assert umbra.get(fields={"x-umbra-shadow": "1"}).status == 200
    assert not shadow.connections
    umbra.expect(matched=1, skipped={"loop": 1})


def test_c04_two_umbras_in_a_row_copy_once(stage):
    """The shadow is itself behind an umbra that mirrors: the copy is served there and goes no further."""
    primary, inner_primary, inner_shadow = stage.servers(3)
    inner = stage.umbra(mesh(inner_primary, inner_shadow))
    inner.address = "127.0.0.1"
    outer = stage.umbra(mesh(primary, inner))
    assert outer.get("/once").status == 200
    assert inner_primary.nth().target == "/once" and not inner_shadow.connections
    outer.expect(matched=1, mirrored=1, completed={"2xx": 1})
    inner.expect(matched=1, skipped={"loop": 1})


# ---- C5 ----
def test_c05_a_retry_is_not_copied_again(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh([stage.add(RefusingPort()), primary], shadow,
                             rule("primary", {"loadBalancer": {"simple": "ROUND_ROBIN"}})))
    client = umbra.client()
    for i in range(10):
        assert client.get(f"/{i}").status == 200
    umbra.expect(matched=10, mirrored=10, completed={"2xx": 10})
    assert len(primary.requests) == len(shadow.requests) == 10
    assert umbra.metrics().value("envoy_cluster_upstream_rq_retry", cluster_name=cluster("primary")) >= 1


# ---- C6 ----
def test_c06_every_shadow_gets_its_copy_and_a_dead_one_hurts_no_other(stage):
    primary, v2, v3 = stage.servers(3)
    umbra = stage.umbra([gateway(), service("primary", primary), service("v2", v2), service("v3", v3),
                         service("dead", stage.add(RefusingPort())),
                         virtual_service(route(mirror=[("v2", None), ("dead", None), ("v3", None)]))])
    assert umbra.get("/all", method="POST", body="payload").status == 200
    assert [s.nth().body for s in (primary, v2, v3)] == [b"payload"] * 3
    for name in ("v2", "v3"):
        umbra.expect(name, matched=1, mirrored=1, completed={"2xx": 1})
    umbra.expect("dead", matched=1, mirrored=1, dropped={"connect_failed": 1})


# ---- C7 ----
def test_c07_unknown_mirror_is_skipped_with_one_warning(stage):
    primary = stage.server()
    umbra = stage.umbra(mesh(primary, None, mirror="nowhere"))
    client = umbra.client()
    for _ in range(5):
        assert client.get().status == 200
    umbra.expect("nowhere", matched=5, skipped={"no_shadow_cluster": 5})
    assert len(umbra.said(r"warning:.*nowhere\.test")) == 1


def test_c07_unknown_subset_of_a_mirror(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, mirror=None, mirrors=[{"destination": destination("shadow", "v9")}]))
    assert umbra.get().status == 200
    umbra.expect("shadow", subset="v9", matched=1, skipped={"no_shadow_cluster": 1})


def test_c07_mirror_without_endpoints(stage):
    primary = stage.server()
    umbra = stage.umbra(mesh(primary, []))
    assert umbra.get().status == 200
    umbra.expect(matched=1, skipped={"no_shadow_endpoint": 1})


# ---- C8 ----
def test_c08_kill_switch_for_all(stage):
    primary, shadow = stage.servers(2)
    docs = mesh(primary, shadow)
    umbra = stage.umbra(docs)
    client = umbra.client()
    client.get("/on")
    shadow.nth()
    assert umbra.admin("/shadow?enable=false", "POST")[0] == 200
    client.get("/off")
    umbra.reload([*docs, service("more", primary)])
    client.get("/still-off")
    assert umbra.admin("/shadow?enable=true", "POST")[0] == 200
    client.get("/on-again")
    assert shadow.nth(2).target == "/on-again"
    umbra.expect(matched=4, mirrored=2, completed={"2xx": 2}, skipped={"switched_off": 2})


def test_c08_kill_switch_for_one_route(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra([gateway(), service("primary", primary), service("shadow", shadow), virtual_service(
        route(name="a", match=[{"uri": {"prefix": "/a"}}], mirror="shadow"), route(name="b", mirror="shadow"))])
    assert umbra.admin("/shadow?enable=false&route=app.default/a", "POST")[0] == 200
    client = umbra.client()
    client.get("/a")
    client.get("/b")
    umbra.expect(route="app.default/a", matched=1, skipped={"switched_off": 1})
    umbra.expect(route="app.default/b", matched=1, mirrored=1, completed={"2xx": 1})


def test_c08_kill_switch_by_post_only(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    assert umbra.admin("/shadow?enable=false")[0] in (400, 405)
    assert umbra.admin("/shadow?enable=maybe", "POST")[0] == 400
    assert umbra.admin("/shadow?enable=false&route=nobody.default/x", "POST")[0] in (400, 404)
    umbra.get()
    umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})
