# SPDX-License-Identifier: Apache-2.0
"""What one can see: rows C25, C27 and C28 of the mirroring contract."""
import json
import re
import threading

import pytest
from harness.http1 import answer
from harness.istio import cluster, mesh, route, service, gateway, virtual_service
from harness.server import RefusingPort, answering
from harness.waiting import until


# ---- C25 ----
def test_c25_totals_close_at_every_scrape_under_load(stage):
    primary = stage.server()
    flaky = stage.server(answering(answer(), answer(), answer("gone", fields={"connection": "close"}), b"nonsense\r\n\r\n"))
    umbra = stage.umbra(mesh(primary, flaky, percentage=50), "--access-log", "off", workers=2)
    done = threading.Event()

    def load():
        client = umbra.client()
        while not done.is_set():
            client.get()

    threads = [threading.Thread(target=load, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    scrapes = [umbra.metrics().shadows() for _ in range(40)]  # each one is checked
    done.set()
    for thread in threads:
        thread.join()
    assert any(s["app.default/main", cluster("shadow")].matched for s in scrapes)
    totals = umbra.settled()["app.default/main", cluster("shadow")]
    assert totals.skipped["sampled_out"] + totals.mirrored == totals.matched == len(primary.requests)


def test_c25_families_have_help_and_type(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    umbra.get()
    umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})
    text = umbra.admin("/stats/prometheus")[1]
    for name, kind in (("matched_total", "counter"), ("skipped_total", "counter"), ("mirrored_total", "counter"),
                       ("completed_total", "counter"), ("dropped_total", "counter"), ("active", "gauge"), ("memory_bytes", "gauge"),
                       ("memory_limit_bytes", "gauge"), ("duration_milliseconds", "histogram")):
        assert text.count(f"# TYPE umbra_shadow_{name} {kind}\n") == 1, name
    metrics = umbra.metrics()
    assert metrics.value("umbra_shadow_duration_milliseconds_count", shadow=cluster("shadow")) == 1
    assert metrics.value("umbra_config_last_reload_success") == 1


@pytest.mark.parametrize("status, code_class", [("200 OK", "2xx"), ("301 Moved", "3xx"), ("404 Not Found", "4xx"), ("500 Oops", "5xx")])
def test_c25_completed_by_status_class(stage, status, code_class):
    primary, shadow = stage.server(), stage.server(answering(answer(status=status)))
    umbra = stage.umbra(mesh(primary, shadow))
    assert umbra.get().status == 200
    umbra.expect(matched=1, mirrored=1, completed={code_class: 1})


# ---- C27 ----
LINE = re.compile(
    r'\[(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\] "(?P<request>[^"]*)" (?P<code>\d+) (?P<flags>\S+) (?P<details>\S+) '
    r'(?P<termination>\S+) "(?P<failure>[^"]*)" (?P<received>\d+) (?P<sent>\d+) (?P<duration>\d+) (?P<service_time>\d+|-) "(?P<xff>[^"]*)" '
    r'"(?P<agent>[^"]*)" "(?P<id>[^"]*)" "(?P<authority>[^"]*)" "(?P<upstream>[^"]*)" (?P<cluster>\S+) (?P<upstream_local>\S+) '
    r'(?P<local>\S+) (?P<remote>\S+) (?P<sni>\S+) (?P<route>\S+)(?: shadow=(?P<shadow>\S+) outcome=(?P<outcome>\S+))?$')


def parsed(lines):
    found = [LINE.match(line) for line in lines]
    assert all(found), "\n".join(lines)
    return [f.groupdict() for f in found]


def test_c27_one_line_for_the_exchange_and_one_for_each_copy(stage):
    primary, shadow = stage.server(answering(answer("12345"))), stage.server(answering(answer(status="500 Oops")))
    umbra = stage.umbra([gateway(), service("primary", primary), service("shadow", shadow), service("dead", stage.add(RefusingPort())),
                         virtual_service(route(mirror=[("shadow", None), ("dead", None)]))])
    umbra.get("/path?q=1", method="POST", body="abc", fields={"User-Agent": "tester"})
    lines = parsed(umbra.log_lines(3))
    first = next(l for l in lines if not l["shadow"])
    assert first["request"] == "POST /path?q=1 HTTP/1.1" and (first["code"], first["flags"]) == ("200", "-")
    assert (first["details"], first["received"], first["sent"]) == ("via_upstream", "3", "5")
    assert (first["agent"], first["authority"], first["cluster"]) == ("tester", "app.test", cluster("primary"))
    assert first["upstream"] == f"127.0.0.1:{primary.port}" and first["local"] == f"127.0.0.1:{umbra.port}"
    copies = {l["shadow"]: l for l in lines if l["shadow"]}
    assert copies[cluster("shadow")]["outcome"] == "completed" and copies[cluster("shadow")]["code"] == "500"
    assert copies[cluster("shadow")]["authority"] == "app.test-shadow"
    assert copies[cluster("dead")]["outcome"] == "connect_failed" and copies[cluster("dead")]["code"] == "0"
    assert len({l["id"] for l in lines}) == 1 and len(first["id"]) == 36


def test_c27_lines_of_answers_that_umbra_gives_itself(stage):
    umbra = stage.umbra(mesh(stage.add(RefusingPort()), match=[{"uri": {"prefix": "/dead"}}]))
    umbra.get("/dead")
    umbra.get("/none")
    dead, none = parsed(umbra.log_lines(2))
    assert (dead["code"], dead["flags"].split(",")[0]) == ("503", "URX") or "UF" in dead["flags"]
    assert (none["code"], none["flags"], none["details"]) == ("404", "NR", "route_not_found")


def test_c27_log_on_standard_output_and_off(stage):
    primary, shadow = stage.servers(2)
    loud = stage.umbra(mesh(primary, shadow), "--access-log", "stdout")
    loud.get("/seen")
    until("two lines on standard output", lambda: len(loud.stdout) == 2)
    assert all("/seen" in line for line in loud.stdout)
    quiet = stage.umbra(mesh(primary, shadow), "--access-log", "off")
    quiet.get("/unseen")
    quiet.expect(matched=1, mirrored=1, completed={"2xx": 1})
    quiet.finish()
    assert not [line for line in quiet.stdout + quiet.lines if "/unseen" in line]


# ---- C28 ----
def dumps(umbra):
    return {c["@type"].rsplit(".", 1)[1]: c for c in umbra.json("/config_dump")["configs"]}


def test_c28_config_dump_in_envoys_shape(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow, percentage=25))
    found = dumps(umbra)
    clusters = [c["cluster"]["name"] for c in found["ClustersConfigDump"]["dynamic_active_clusters"]]
    assert cluster("primary") in clusters and cluster("shadow") in clusters
    listener = found["ListenersConfigDump"]["dynamic_listeners"][0]
    assert listener["name"] and listener["active_state"]["listener"]
    config = found["RoutesConfigDump"]["dynamic_route_configs"][0]["route_config"]
    action = config["virtual_hosts"][0]["routes"][0]["route"]
    assert action["cluster"] == cluster("primary")
    policy = action["request_mirror_policies"][0]
    assert policy["cluster"] == cluster("shadow")
    assert policy["runtime_fraction"]["default_value"] == {"numerator": 250000, "denominator": "MILLION"}
    assert policy["trace_sampled"] is False


def test_c28_clusters_as_text_and_json(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    umbra.get()
    umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})
    text = umbra.admin("/clusters")[1]
    assert f"{cluster('shadow')}::127.0.0.1:{shadow.port}::rq_total::1\n" in text
    status = {c["name"]: c for c in umbra.json("/clusters?format=json")["cluster_statuses"]}[cluster("shadow")]
    host = status["host_statuses"][0]
    assert host["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": shadow.port}


def test_c28_the_other_endpoints(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary, shadow))
    status, text = umbra.admin("/ready")
    assert (status, text) == (200, "LIVE\n")
    assert umbra.json("/server_info")["state"] == "LIVE"
    assert f"127.0.0.1:{umbra.port}" in umbra.admin("/listeners")[1]
    assert re.search(r"^\S*upstream_rq_total: \d+$", umbra.admin("/stats")[1], re.M)
    assert json.dumps(umbra.json("/listeners?format=json"))
    assert umbra.admin("/nothing")[0] == 404


def test_c28_strange_host_headers_are_refused(stage):
    """A page in a browser must not reach the admin server by a name of its own (DNS rebinding)."""
    primary = stage.server()
    umbra = stage.umbra(mesh(primary))
    assert umbra.admin("/config_dump", fields={"Host": "evil.example"})[0] == 403
    assert umbra.admin("/config_dump", fields={"Host": f"localhost:{umbra.admin_port}"})[0] == 200
