# SPDX-License-Identifier: Apache-2.0
"""The Istio resources that the tests feed to umbra. Written as JSON documents in one YAML file (YAML 1.2 contains JSON)."""
import json

ROUTE = "app.default/main"  # the label of the one route that mesh() makes


def cluster(name, subset="", port=80):
    return f"outbound|{port}|{subset}|{name}.test"


def resource(kind, name, spec, api="networking.istio.io/v1"):
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def gateway(*ports, name="gw", hosts=("*",)):
    servers = [{"port": {"number": p, "name": f"http-{p}", "protocol": "HTTP"}, "hosts": list(hosts)} for p in ports or (80,)]
    return resource("Gateway", name, {"selector": {"istio": "ingressgateway"}, "servers": servers})


def service(name, *endpoints, port=80, resolution="STATIC"):
    """A ServiceEntry NAME.test with servers (or (server, labels) pairs) behind it."""
    pairs = [e if isinstance(e, tuple) else (e, {}) for e in endpoints]
    return resource("ServiceEntry", name, {
        "hosts": [f"{name}.test"], "resolution": resolution, "location": "MESH_INTERNAL",
        "ports": [{"number": port, "name": "http", "protocol": "HTTP"}],
        "endpoints": [{"address": s.address, "ports": {"http": s.port}, "labels": labels} for s, labels in pairs]})


def destination(name, subset=None, port=80):
    return {"host": f"{name}.test", "port": {"number": port}, **({"subset": subset} if subset else {})}


def rule(name, policy=None, subsets=None):
    """A DestinationRule of service NAME; subsets by name, each with its labels."""
    spec = {"host": f"{name}.test"}
    if policy:
        spec["trafficPolicy"] = policy
    if subsets:
        spec["subsets"] = [{"name": n, "labels": labels} for n, labels in subsets.items()]
    return resource("DestinationRule", name, spec)


def route(to="primary", name="main", mirror=None, percentage=None, **fields):
    """One http[] entry of a VirtualService; mirror is a service name, or a list of (name, percentage or None)."""
    http = {"name": name, **fields}
    if to:
        http["route"] = [{"destination": destination(to)}] if isinstance(to, str) else to
    if isinstance(mirror, str):
        http["mirror"] = destination(mirror)
        if percentage is not None:
            http["mirrorPercentage"] = {"value": percentage}
    elif mirror:
        http["mirrors"] = [{"destination": destination(n), **({} if p is None else {"percentage": {"value": p}})} for n, p in mirror]
    return http


def virtual_service(*http, hosts=("*",), name="app", gateways=("gw",)):
    return resource("VirtualService", name, {"hosts": list(hosts), "gateways": list(gateways), "http": list(http)})


def shadow_policy(name="policy", route="main", shadow=None, **spec):
    target = {"group": "networking.istio.io", "kind": "VirtualService", "name": "app", "sectionName": route}
    if shadow:
        spec["shadow"] = {"host": f"{shadow}.test"}
    return resource("ShadowPolicy", name, {"targetRef": target, **spec}, "umbra.mesh/v1alpha1")


def mesh(primary, shadow=None, *more, **fields):
    """A gateway on port 80, the services primary.test and shadow.test, and the route app.default/main between them, with
    fields of the route and further resources as given. A server may be a list of servers."""
    listed = lambda s: s if isinstance(s, list) else [s]
    docs = [gateway(), service("primary", *listed(primary))]
    if shadow is not None:
        docs.append(service("shadow", *listed(shadow)))
        fields.setdefault("mirror", "shadow")
    return [*docs, virtual_service(route(**fields)), *more]


def as_yaml(docs):
    return "".join(f"---\n{json.dumps(doc, indent=1)}\n" for doc in docs)
