# SPDX-License-Identifier: Apache-2.0
"""The tutorial: two real httpbin, curl, and the project's own example files."""
import json
import re
import subprocess
from pathlib import Path

import pytest
from harness import umbra as binary
from harness.istio import as_yaml, mesh
from harness.programs import curl, httpbin

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SHADOW = "outbound|8000|v1-mirroring|httpbin.default.svc.cluster.local"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    from conftest import Stage
    folder = tmp_path_factory.mktemp("httpbin")
    stage = Stage(folder)
    v1, shadow = stage.add(httpbin(folder, "v1")), stage.add(httpbin(folder, "shadow"))
    umbra = stage.umbra(None, "-f", EXAMPLES / "httpbin", "--labels", "istio=ingressgateway",
                        "--endpoint", f"httpbin,version=v1=127.0.0.1:{v1.port}",
                        "--endpoint", f"httpbin,version=v1-mirroring=127.0.0.1:{shadow.port}")
    umbra.url = f"http://127.0.0.1:{umbra.port}"
    yield umbra, v1, shadow
    stage.close()


def test_get_is_answered_by_v1_and_copied_to_the_shadow(house):
    umbra, v1, shadow = house
    got = json.loads(curl(f"{umbra.url}/get?name=tutorial"))
    assert got["args"] == {"name": "tutorial"} and got["headers"]["Host"] == f"127.0.0.1:{umbra.port}"
    seen = v1.wait_lines(1, "/get?name=tutorial")[0]
    copy = shadow.wait_lines(1, "/get?name=tutorial")[0]
    assert f"host=127.0.0.1:{umbra.port} shadow=-" in seen
    assert f"host=127.0.0.1-shadow:{umbra.port} shadow=" in copy and "shadow=- " not in copy
    assert re.search(r"id=(\S+)", seen)[1] == re.search(r"id=(\S+)", copy)[1]


@pytest.mark.parametrize("args, path, expect", [
    (["-d", "a=1&b=2"], "/post", lambda out: json.loads(out)["form"] == {"a": "1", "b": "2"}),
    (["-X", "PUT", "-H", "Content-Type: text/plain", "--data-binary", "x" * 100000], "/put", lambda out: len(json.loads(out)["data"]) == 100000),
    (["-X", "DELETE"], "/delete", lambda out: json.loads(out)["url"]),
    (["-H", "Transfer-Encoding: chunked", "-H", "Content-Type: text/plain", "-d", "chunky"], "/anything/chunked",
     lambda out: json.loads(out)["data"] == "chunky"),
    ([], "/bytes/100000?seed=1", lambda out: len(out) == 100000),
    ([], "/stream/5", lambda out: out.count(b"\n") == 5),
    ([], "/stream-bytes/50000?seed=1", lambda out: len(out) == 50000),
    (["--compressed"], "/gzip", lambda out: json.loads(out)["gzipped"] is True),
    (["-L"], "/redirect/2", lambda out: json.loads(out)["url"].endswith("/get")),
    (["-H", "Expect: 100-continue", "--data-binary", "y" * 5000], "/anything/expect", lambda out: "y" * 5000 in json.loads(out)["form"]),
    (["-0"], "/get?v=10", lambda out: json.loads(out)["args"] == {"v": "10"}),
    ([], "/delay/1", lambda out: json.loads(out)["url"]),
], ids=lambda v: v if isinstance(v, str) else "")
def test_what_httpbin_offers(house, args, path, expect):
    umbra, _, shadow = house
    assert expect(curl(*args, umbra.url + path))
    shadow.wait_lines(1, path.split("?")[0])


@pytest.mark.parametrize("status", [204, 304, 418, 500, 503])
def test_statuses(house, status):
    umbra, _, shadow = house
    assert curl("-o", "/dev/null", "-w", "%{http_code}", f"{umbra.url}/status/{status}") == str(status).encode()
    shadow.wait_lines(1, f"/status/{status}? {status}")


def test_head(house):
    umbra, _, _ = house
    assert curl("-I", f"{umbra.url}/bytes/10").lower().count(b"content-length: 10\r\n") == 1


def test_many_on_one_connection(house):
    umbra, _, _ = house
    urls = [arg for i in range(20) for arg in ("-o", "/dev/null", f"{umbra.url}/bytes/1?seed={i}")]
    assert curl("-w", "%{num_connects}", *urls) == b"1" + b"0" * 19


def test_totals_close_over_all_of_it(house):
    umbra, _, _ = house
    totals = umbra.settled()["httpbin.default/everything", SHADOW]
    assert totals.matched == totals.mirrored == sum(totals.completed.values()) > 0


def test_metrics_please_promtool(house):
    umbra, _, _ = house
    text = umbra.admin("/stats/prometheus")[1]
    try:
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        pytest.skip("no promtool here")
    errors = [l for l in done.stderr.splitlines() if "error" in l.lower() and "parsing" in l.lower()]
    assert not errors and done.returncode != 1, done.stderr


@pytest.mark.parametrize("name", ["httpbin", "canary", "shadow-policy", "cross-cluster/cluster-a", "cross-cluster/cluster-b"])
def test_examples_check_clean(name):
    done = binary.run("check", "-f", EXAMPLES / name)
    assert done.returncode == 0 and "error:" not in done.stderr, done.stderr


def test_explain_tells_the_mirror():
    done = binary.run("explain", "-f", EXAMPLES / "httpbin", "GET http://any.example/get")
    assert done.returncode == 0, done.stderr
    assert SHADOW in done.stdout and "any.example-shadow" in done.stdout and "100" in done.stdout


def test_cross_cluster(stage, tmp_path):
    """Two umbras: the gateway of cluster A mirrors to the gateway of cluster B, as examples/cross-cluster/ has it."""
    own, other = stage.add(httpbin(tmp_path, "a")), stage.add(httpbin(tmp_path, "b"))
    b = stage.umbra(None, "-f", EXAMPLES / "cross-cluster/cluster-b", "--endpoint", f"httpbin=127.0.0.1:{other.port}")
    text = (EXAMPLES / "cross-cluster/cluster-a/mirror.yaml").read_text()
    text = text.replace("- address: 192.0.2.10", f"- address: 127.0.0.1\n      ports: {{ http: {b.port} }}")
    a = stage.umbra(text, "--endpoint", f"httpbin=127.0.0.1:{own.port}")
    curl("-H", "Host: httpbin.example.com", f"http://127.0.0.1:{a.port}/get?far=1")
    assert "host=httpbin.example.com " in own.wait_lines(1, "/get?far=1")[0]
    assert "host=httpbin.example.com-shadow " in other.wait_lines(1, "/get?far=1")[0]
    a.expect("httpbin", route="httpbin.default/to-both-clusters", name="outbound|80||httpbin.mirror.cluster-b",
             matched=1, mirrored=1, completed={"2xx": 1})


def test_configuration_that_check_accepts_runs(stage, tmp_path):
    """What `umbra check` calls clean, `umbra run` serves; the same text as JSON means the same."""
    primary = stage.server()
    text = as_yaml(mesh(primary))
    (tmp_path / "m.yaml").write_text(text)
    assert binary.run("check", "-f", tmp_path / "m.yaml").returncode == 0
    assert stage.umbra(text).get().status == 200
