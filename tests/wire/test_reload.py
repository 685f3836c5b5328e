# SPDX-License-Identifier: Apache-2.0
"""A changed configuration: swapped in without one failed request, or refused with the old one in force."""
import signal
import threading

from harness.http1 import answer
from harness.istio import as_yaml, gateway, mesh, route, service, virtual_service
from harness.server import answering
from harness.waiting import until


def named(stage, name):
    return stage.server(answering(lambda r: answer(name)))


def body(umbra):
    return umbra.get().body.decode()


def test_change_under_load_fails_no_request(stage):
    one, two, shadow = named(stage, "one"), named(stage, "two"), stage.server()
    umbra = stage.umbra(mesh(one, shadow), workers=2)
    done, seen = threading.Event(), []

    def load():
        client = umbra.client()
        while not done.is_set():
            got = client.get(method="POST", body="x" * 1000)
            seen.append((got.status, got.body))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(10):
        umbra.reload(mesh(two if turn % 2 == 0 else one, shadow))
    done.set()
    for thread in threads:
        thread.join()
    assert set(seen) == {(200, b"one"), (200, b"two")}
    totals = umbra.settled()["app.default/main", "outbound|80||shadow.test"]
    assert totals.matched == len(seen), "counters outlive a reload"
    assert body(umbra) == "one"


def test_bad_file_is_refused_and_the_old_one_stays(stage):
    umbra = stage.umbra(mesh(named(stage, "old")))
    umbra.reload("kind: [unclosed\n", "failure")
    metrics = umbra.metrics()
    assert metrics.value("umbra_config_last_reload_success") == 0
    umbra.line(r"mesh\.yaml:\d+:\d+: error")
    assert body(umbra) == "old"
    assert "error_state" in umbra.admin("/config_dump")[1]
    umbra.reload(mesh(named(stage, "new")))
    assert body(umbra) == "new" and umbra.metrics().value("umbra_config_last_reload_success") == 1
    assert "error_state" not in umbra.admin("/config_dump")[1]


def test_all_errors_of_a_refused_file_are_said(stage):
    primary = named(stage, "old")
    umbra = stage.umbra(mesh(primary))
    umbra.reload(mesh(primary, mirror="x", percentage=101, timeout="soon", nonsense=1), "failure")
    for word in ("mirrorPercentage", "timeout", "nonsense"):
        umbra.line(rf"error: VirtualService/default/app: .*{word}")
    assert body(umbra) == "old"


def test_an_exchange_keeps_the_configuration_it_began_with(stage):
    go = threading.Event()

    def waiting(conn):
        conn.request()
        conn.wait(go)
        conn.send(answer("old"))

    old = stage.server(waiting)
    umbra = stage.umbra(mesh(old))
    client = umbra.client()
    client.send(b"GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
    old.nth()
    umbra.reload(mesh(named(stage, "new")))
    assert body(umbra) == "new"
    go.set()
    assert client.response().body == b"old" and client.get().body == b"new"


def test_connections_of_clients_outlive_a_reload(stage):
    umbra = stage.umbra(mesh(named(stage, "one")))
    client = umbra.client()
    assert client.get().body == b"one"
    umbra.reload(mesh(named(stage, "two")))
    assert client.get().body == b"two"


def test_sighup_forces_a_reload(stage):
    umbra = stage.umbra(mesh(named(stage, "one")))
    before = umbra.reloads("success")
    umbra.signal(signal.SIGHUP)
    until("a reload", lambda: umbra.reloads("success") > before)


def test_file_written_in_place(stage):
    umbra = stage.umbra(mesh(named(stage, "one")))
    umbra.file.write_text(as_yaml(mesh(named(stage, "two"))))
    until("the new file in force", lambda: body(umbra) == "two")


def test_configmap_symlink_swap(stage, tmp_path):
    """A mounted ConfigMap: file -> ..data/file, ..data -> ..TIME, and an update renames a new ..data over the old."""
    def version(name, server):
        folder = tmp_path / "mount" / f"..{name}"
        folder.mkdir(parents=True)
        (folder / "mesh.yaml").write_text(as_yaml(mesh(server)))
        (tmp_path / "mount" / "..new").symlink_to(folder.name)
        (tmp_path / "mount" / "..new").rename(tmp_path / "mount" / "..data")

    version("1", named(stage, "one"))
    (tmp_path / "mount" / "mesh.yaml").symlink_to("..data/mesh.yaml")
    umbra = stage.umbra(None, "-f", tmp_path / "mount")
    assert body(umbra) == "one"
    version("2", named(stage, "two"))
    until("the new ConfigMap in force", lambda: body(umbra) == "two")


def test_file_added_to_and_removed_from_a_folder(stage, tmp_path):
    folder = tmp_path / "d"
    folder.mkdir()
    primary = named(stage, "app")
    (folder / "a.yaml").write_text(as_yaml([gateway(), service("primary", primary)]))
    umbra = stage.umbra(None, "-f", folder)
    assert umbra.get().status == 404
    (folder / "b.yaml").write_text(as_yaml([virtual_service(route())]))
    until("the added file in force", lambda: umbra.get().status == 200)
    (folder / "b.yaml").unlink()
    until("the removed file out of force", lambda: umbra.get().status == 404)


def test_listener_added_and_removed(stage):
    primary = named(stage, "app")
    docs = mesh(primary)
    umbra = stage.umbra(docs, ports=(80, 81))
    more = [gateway(80, 81), *docs[1:]]
    umbra.reload(more)
    ports = lambda: [l["local_address"]["socket_address"]["port_value"] for l in umbra.json("/listeners?format=json")["listener_statuses"]]
    until("two listeners", lambda: len(ports()) == 2)
    other = next(p for p in ports() if p != umbra.port)
    assert umbra.client(other).get().body == b"app"
    umbra.reload(docs)
    until("one listener", lambda: len(ports()) == 1)
    assert body(umbra) == "app"


def test_mirror_switched_on_and_off_by_the_file(stage):
    primary, shadow = stage.servers(2)
    umbra = stage.umbra(mesh(primary))
    umbra.get("/before")
    umbra.reload(mesh(primary, shadow))
    umbra.get("/mirrored")
    assert shadow.nth().target == "/mirrored"
    umbra.reload(mesh(primary))
    umbra.get("/after")
    assert [r.target for r in shadow.requests] == ["/mirrored"]
