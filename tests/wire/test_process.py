# SPDX-License-Identifier: Apache-2.0
"""umbra as a program: start, refusal to start, drain, end."""
import re
import signal
import socket
import threading

import pytest
from harness import umbra as binary
from harness.http1 import answer, request
from harness.istio import as_yaml, mesh, resource
from harness.waiting import until


def slow(go):
    def script(conn):
        conn.request()
        conn.wait(go)
        conn.send(answer("late"))
    return script


def start(tmp_path, docs, *args):
    file = tmp_path / "mesh.yaml"
    file.write_text(docs if isinstance(docs, str) else as_yaml(docs))
    return binary.run("run", "-f", file, "--bind", "127.0.0.1", "--admin", "off", *args)


def test_ready_line_names_listeners_and_admin(stage):
    umbra = stage.umbra(mesh(stage.server()))
    line = umbra.said("^umbra: ready")
    assert len(line) == 1 and str(umbra.port) in line[0] and str(umbra.admin_port) in line[0]
    assert umbra.get().status == 200 and umbra.admin("/ready")[0] == 200


def test_version_and_help():
    assert re.match(r"umbra \d+\.\d+\.\d+", binary.run("--version").stdout)
    for args in (["--help"], ["run", "--help"], ["check", "--help"], ["explain", "--help"]):
        done = binary.run(*args)
        assert done.returncode == 0 and "usage" in done.stdout.lower() and not done.stderr


@pytest.mark.parametrize("args", [[], ["fly"], ["run", "--no-such-flag"], ["run"], ["check", "-f"]], ids=str)
def test_wrong_usage_is_2(args):
    done = binary.run(*args)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_port_in_use_is_named(stage, tmp_path):
    holder = stage.add(socket.create_server(("127.0.0.1", 0)))
    port = holder.getsockname()[1]
    done = start(tmp_path, mesh(stage.server()), "--map-port", f"80={port}")
    assert done.returncode == 1 and str(port) in done.stderr and "holds this port" in done.stderr


def test_second_umbra_on_the_same_port_is_refused(stage, tmp_path):
    docs = mesh(stage.server())
    first = stage.umbra(docs, workers=2)
    done = start(tmp_path, docs, "--map-port", f"80={first.port}", "--workers", 2)
    assert done.returncode == 1 and str(first.port) in done.stderr and "holds this port" in done.stderr
    assert first.get().status == 200


def test_no_listener_at_all_is_an_error(stage, tmp_path):
    done = start(tmp_path, mesh(stage.server()), "--labels", "istio=another")
    assert done.returncode == 1 and "Gateway/default/gw wants istio=ingressgateway" in done.stderr


def test_bad_file_at_the_start(tmp_path):
    done = start(tmp_path, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {hosts: [a], htp: []}\n")
    assert done.returncode == 1
    assert re.search(r"mesh\.yaml:4:\d+: error: VirtualService/default/a: .*htp.*http", done.stderr)


def test_missing_file(tmp_path):
    done = binary.run("run", "-f", tmp_path / "nowhere.yaml")
    assert done.returncode == 1 and "nowhere.yaml" in done.stderr


def test_configuration_on_standard_input(stage):
    primary = stage.server()
    assert binary.run("check", "-f", "-", stdin=as_yaml(mesh(primary))).returncode == 0


def test_kinds_that_are_not_used_are_accepted(stage):
    primary = stage.server()
    deployment = resource("Deployment", "app", {"replicas": 1}, "apps/v1")
    umbra = stage.umbra([*mesh(primary), deployment])
    assert umbra.get().status == 200 and len(umbra.said("Deployment")) == 1


# ---- drain ----
def test_drain_finishes_what_is_in_flight(stage):
    go = threading.Event()
    primary = stage.server(slow(go))
    umbra = stage.umbra(mesh(primary), "--drain-time", "10s")
    busy, idle = umbra.client(), umbra.client()
    busy.send(request("/"))
    primary.nth()
    umbra.signal()
    until("not ready", lambda: umbra.admin("/ready")[0] == 503)
    assert idle.is_closed()
    go.set()
    got = busy.response()
    assert (got.body, got["connection"]) == (b"late", "close") and busy.is_closed()
    assert umbra.wait_exit() == 0


def test_drain_time_runs_out(stage):
    umbra = stage.umbra(mesh(stage.server(lambda conn: (conn.request(), conn.hold()))), "--drain-time", "200ms")
    client = umbra.client()
    client.send(request("/"))
    umbra.signal(signal.SIGINT)
    assert umbra.wait_exit() == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGQUIT], ids=["SIGTERM", "SIGQUIT"])
def test_second_signal_ends_at_once(stage, second):
    primary = stage.server(lambda conn: (conn.request(), conn.hold()))
    umbra = stage.umbra(mesh(primary), "--drain-time", "60s")
    client = umbra.client()
    client.send(request("/"))
    primary.nth()
    umbra.signal()
    until("draining", lambda: umbra.admin("/ready")[0] == 503)
    umbra.signal(second)
    umbra.wait_exit(5)
    umbra.is_checked = True  # ended on purpose, not by a drain


def test_copies_in_flight_are_dropped_as_shutdown_at_the_end(stage):
    primary, shadow = stage.server(), stage.server(lambda conn: (conn.request(), conn.hold()))
    umbra = stage.umbra(mesh(primary, shadow), "--drain-time", "300ms")
    assert umbra.get().status == 200
    shadow.nth()
    umbra.signal()
    assert umbra.wait_exit() == 0
    assert any("outcome=shutdown" in line for line in umbra.log_lines(2))
