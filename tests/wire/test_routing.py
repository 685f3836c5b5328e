# SPDX-License-Identifier: Apache-2.0
"""Which route a request takes: conditions, hosts, roles, and where endpoints come from."""
import pytest
from harness.http1 import answer
from harness.istio import gateway, mesh, resource, route, rule, service, virtual_service
from harness.server import answering


def named(stage, name):
    return stage.server(answering(lambda r: answer(name)))


def core(kind, name, api="v1", labels=None, **fields):
    """A Kubernetes object."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "default", "labels": labels or {}}, **fields}


# ---- conditions ----
@pytest.mark.parametrize("condition, yes, no", [
    ({"uri": {"exact": "/a"}}, {"target": "/a?x=1"}, {"target": "/a/"}),
    ({"uri": {"prefix": "/a"}}, {"target": "/ab"}, {"target": "/b"}),
    ({"uri": {"regex": "/[0-9]+"}}, {"target": "/123"}, {"target": "/123/x"}),
    ({"uri": {"prefix": "/A"}, "ignoreUriCase": True}, {"target": "/abc"}, {"target": "/b"}),
    ({"method": {"exact": "PUT"}}, {"method": "PUT"}, {"method": "POST"}),
    ({"headers": {"x-v": {"exact": "2"}}}, {"fields": {"X-V": "2"}}, {"fields": {"X-V": "22"}}),
    ({"headers": {"x-v": {"prefix": "2"}}}, {"fields": {"X-V": "22"}}, {}),
    ({"headers": {"cookie": {"regex": "^(.*;.?)?(user=jason)(;.*)?$"}}}, {"fields": {"Cookie": "a=b; user=jason"}}, {"fields": {"Cookie": "user=x"}}),
    ({"withoutHeaders": {"x-v": {}}}, {}, {"fields": {"x-v": ""}}),
    ({"queryParams": {"v": {"exact": "2"}}}, {"target": "/?a=1&v=2"}, {"target": "/?v=3"}),
    ({"authority": {"exact": "app.test:80"}}, {"host": "app.test:80"}, {"host": "app.test"}),
    ({"scheme": {"exact": "http"}}, {}, None),
    ({"port": 80}, {}, None),
    ({"port": 81}, None, {}),
    ({"uri": {"prefix": "/a"}, "method": {"exact": "GET"}}, {"target": "/a"}, {"target": "/a", "method": "POST"}),
], ids=str)
def test_condition(stage, condition, yes, no):
    hit, miss = named(stage, "hit"), named(stage, "miss")
    umbra = stage.umbra([gateway(), service("hit", hit), service("miss", miss), virtual_service(
        route(name="one", to="hit", match=[condition]), route(name="two", to="miss"))])
    for asked, want in ((yes, b"hit"), (no, b"miss")):
        if asked is not None:
            assert umbra.get(**asked).body == want


def test_first_route_wins_and_conditions_of_a_list_are_alternatives(stage):
    one, two = named(stage, "one"), named(stage, "two")
    umbra = stage.umbra([gateway(), service("one", one), service("two", two), virtual_service(
        route(name="a", to="one", match=[{"uri": {"exact": "/x"}}, {"uri": {"exact": "/y"}}]),
        route(name="b", to="two", match=[{"uri": {"prefix": "/x"}}]))])
    client = umbra.client()
    assert [client.get(t).body for t in ("/x", "/y", "/xy")] == [b"one", b"one", b"two"]
    assert client.get("/z").status == 404


# ---- hosts ----
def test_hosts_of_a_gateway(stage):
    a, wild = named(stage, "a"), named(stage, "wild")
    umbra = stage.umbra([gateway(), service("a", a), service("wild", wild), virtual_service(route(to="a"), hosts=["a.example.com"], name="a"),
                         virtual_service(route(to="wild"), hosts=["*.example.com"], name="wild")])
    client = umbra.client()
    assert client.get(host="a.example.com").body == b"a" and client.get(host="A.Example.COM:8080").body == b"a"
    assert client.get(host="b.example.com").body == b"wild" and client.get(host="c.b.example.com").body == b"wild"
    for host in ("example.com", "other.test", "a.example.com."):
        assert client.get(host=host).status == 404, host
    assert client.get(host="").status == 404


def test_gateway_of_another_selector_is_not_served(stage):
    primary = named(stage, "app")
    other = gateway(90, name="other")
    other["spec"]["selector"] = {"istio": "another"}
    umbra = stage.umbra([*mesh(primary), other], "--labels", "istio=ingressgateway")
    assert len(umbra.ports) == 1 and umbra.get().body == b"app"


def test_sidecar_knows_services_without_virtual_services(stage):
    app, other = named(stage, "app"), named(stage, "other")
    umbra = stage.umbra([service("app", app), service("other", other)], role="sidecar")
    client = umbra.client()
    assert client.get(host="app.test").body == b"app" and client.get(host="other.test:80").body == b"other"
    assert client.get(host="unknown.test").status == 404


def test_sidecar_mirrors(stage):
    primary, shadow = named(stage, "app"), stage.server()
    umbra = stage.umbra([service("primary", primary), service("shadow", shadow),
                         virtual_service(route(mirror="shadow"), hosts=["primary.test"], gateways=["mesh"])], role="sidecar")
    assert umbra.get(host="primary.test").body == b"app"
    assert shadow.nth()["host"] == "primary.test-shadow"
    umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})


# ---- endpoints ----
KUBERNETES = [
    core("Service", "app", spec={"selector": {"app": "app"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}),
    resource("DestinationRule", "app", {"host": "app", "subsets": [{"name": v, "labels": {"version": v}} for v in ("v1", "v2")]}),
    gateway(),
    virtual_service(route(to=[{"destination": {"host": "app", "subset": "v1"}}], mirror=None, mirrors=[
        {"destination": {"host": "app", "subset": "v2"}}])),
]


def check_both(umbra, shadow):
    assert umbra.get().body == b"v1"
    shadow.nth()
    umbra.expect(name="outbound|80|v2|app.default.svc.cluster.local", matched=1, mirrored=1, completed={"2xx": 1})


@pytest.mark.parametrize("name", ["app", "app.default", "app.default.svc.cluster.local"])
def test_endpoints_by_flag(stage, name):
    v1, v2 = named(stage, "v1"), named(stage, "v2")
    check_both(stage.umbra(KUBERNETES, "--endpoint", f"{name},version=v1=127.0.0.1:{v1.port}",
                           "--endpoint", f"{name},version=v2=127.0.0.1:{v2.port}"), v2)


def slice_of(name, server, version):
    """An EndpointSlice of one Pod, and that Pod; each needs an address of its own."""
    pod = f"{name}-{version}"
    return [core("Pod", pod, labels={"app": "app", "version": version}, status={"podIP": server.address}),
            core("EndpointSlice", pod, "discovery.k8s.io/v1", {"kubernetes.io/service-name": "app"}, addressType="IPv4",
                 endpoints=[{"addresses": [server.address], "conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": pod, "namespace": "default"}}],
                 ports=[{"name": "http", "port": server.port}])]


def test_endpoints_of_endpoint_slices_and_pods(stage):
    v1 = stage.server(answering(answer("v1")), address="127.0.0.2")
    v2 = stage.server(answering(answer("v2")), address="127.0.0.3")
    check_both(stage.umbra([*KUBERNETES, *slice_of("app", v1, "v1"), *slice_of("app", v2, "v2")]), v2)


def test_endpoints_of_workload_entries(stage):
    v1, v2 = named(stage, "v1"), named(stage, "v2")
    selected = resource("ServiceEntry", "app", {
        "hosts": ["app.test"], "resolution": "STATIC", "location": "MESH_INTERNAL", "workloadSelector": {"labels": {"app": "app"}},
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}]})
    entries = [resource("WorkloadEntry", v, {"address": "127.0.0.1", "ports": {"http": s.port}, "labels": {"app": "app", "version": v}})
               for v, s in (("v1", v1), ("v2", v2))]
    umbra = stage.umbra([gateway(), selected, *entries, rule("app", subsets={v: {"version": v} for v in ("v1", "v2")}), virtual_service(
        route(to=[{"destination": {"host": "app.test", "subset": "v1"}}], mirrors=[{"destination": {"host": "app.test", "subset": "v2"}}]))])
    assert umbra.get().body == b"v1"
    v2.nth()
    umbra.expect("app", subset="v2", matched=1, mirrored=1, completed={"2xx": 1})


def test_endpoint_that_is_not_ready_gets_nothing(stage):
    ready, not_ready = stage.server(address="127.0.0.2"), stage.server(address="127.0.0.3")
    docs = [*slice_of("a", ready, "v1"), *slice_of("b", not_ready, "v1")]
    docs[3]["endpoints"][0]["conditions"]["ready"] = False
    umbra = stage.umbra([*KUBERNETES, *docs])
    client = umbra.client()
    for _ in range(10):
        assert client.get().status == 200
    assert len(ready.requests) == 10 and not not_ready.requests
