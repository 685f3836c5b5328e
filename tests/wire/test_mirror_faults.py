# SPDX-License-Identifier: Apache-2.0
"""Row C18 of the mirroring contract: whatever a shadow does, production is what it is without a mirror.

Each fault is played against keep-alive clients and against a 100 MB upload. The bytes that the clients and the primary saw are
compared with a run without mirror; totals close; memory stays under its bound. Times are printed; only gross harm fails."""
import hashlib
import re
import statistics
import threading
import time

import pytest
from harness.http1 import answer, request
from harness.istio import gateway, mesh, resource, route, service, shadow_policy, virtual_service
from harness.server import FullQueue, RefusingPort, Server
from harness.umbra import is_sanitized
from harness.waiting import LIMIT, SLOW

CLIENTS, ROUNDS, UPLOAD = 8, 60, 100 << 20
MEMORY = 8 << 20  # --shadow-memory


def after(seconds):
    def script(conn):
        while True:
            conn.request()
            if conn.server.is_closing.wait(seconds):
                return
            conn.send(answer("late"))
    return script


def resetting(conn):
    conn.head()
    conn.reset()


def closing(conn):
    conn.head()
    conn.close()


def black_hole(conn):
    conn.hold()


def mute(conn):
    conn.until_gone()


def trickling(conn):
    conn.request()
    for byte in answer("x" * 1000):
        conn.send(bytes([byte]))
        if conn.server.is_closing.wait(1):
            return


def for_ever(head, more):
    def script(conn):
        conn.head()
        conn.send(head)
        while not conn.server.is_closing.wait(0.05):  # the clients of this test need some CPU too
            conn.send(more)
    return script


def malformed(conn):
    conn.request()
    conn.send(b"\x16\x03\x01 this is not HTTP\r\n\r\n" * 10)


def ambiguous(conn):
    conn.request()
    conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")


def dying(conn):
    """Answers three requests, then the whole server is gone."""
    for _ in range(3):
        conn.request()
        conn.send(answer())
    conn.server.close()


FAULTS = {
    "dead": lambda: Server(dying),
    "refusing": RefusingPort,
    "resetting": lambda: Server(resetting),
    "closing": lambda: Server(closing),
    "black hole": lambda: Server(black_hole, receive_buffer=4096),
    "mute": lambda: Server(mute),
    "listen queue full": FullQueue,
    "200 ms slow": lambda: Server(after(0.2)),
    "1 s slow": lambda: Server(after(1)),
    "1 byte a second": lambda: Server(trickling),
    "endless head": lambda: Server(for_ever(b"HTTP/1.1 200 OK\r\n", b"x-more: " + b"y" * 1000 + b"\r\n")),
    "endless body": lambda: Server(for_ever(b"HTTP/1.1 200 OK\r\n\r\n", bytes(8192))),
    "endless chunks": lambda: Server(for_ever(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000)),
    "malformed": lambda: Server(malformed),
    "ambiguous": lambda: Server(ambiguous),
    "1xx flood": lambda: Server(for_ever(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 100)),
}


def upload_digest(conn):
    """The primary: echoes what it was asked; of a large body the digest, so that every byte of it counts."""
    while True:
        head = conn.head()
        digest, left = hashlib.sha256(), int(head["content-length"] or 0)
        while left:
            if conn.at == len(conn.received):
                del conn.received[:]
                conn.at = conn.start = 0
                conn.more()
            part = conn.received[conn.at:conn.at + left]
            conn.at += len(part)
            left -= len(part)
            digest.update(part)
        conn.start = conn.at
        conn.send(answer(f"{head.start} {digest.hexdigest()}\n" + "z" * 2000))


def exchange(client, wire, latencies):
    begun = time.monotonic()
    client.send(wire)
    got = client.response()
    latencies.append(time.monotonic() - begun)
    return re.sub(rb"x-envoy-upstream-service-time: \d+|date: [^\r]+", b"", got.raw)


def keep_alive_client(umbra, number, seen, latencies):
    client = umbra.client()
    for i in range(ROUNDS):
        wire = request(f"/{number}/{i}", method="POST", body=f"{i}" * 300) if i % 3 == 0 else request(f"/{number}/{i}")
        seen.append(exchange(client, wire, latencies))
    client.close()


def in_threads(work, n):
    """work(number, its list) in n threads; what each put in its list, in order."""
    results = [[] for _ in range(n)]
    threads = [threading.Thread(target=work, args=(i, results[i]), daemon=True) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(6 * LIMIT)
        assert not thread.is_alive(), "a client never got its answers"
    return results


def keep_alive_run(umbra):
    latencies = []
    return in_threads(lambda i, seen: keep_alive_client(umbra, i, seen, latencies), CLIENTS), latencies


def upload_run(umbra):
    client, latencies = umbra.client(), []
    size = UPLOAD // 10 if is_sanitized() else UPLOAD
    block = bytes(range(256)) * 4096
    begun = time.monotonic()
    client.send(request("/up", method="POST", fields={"Content-Length": size // len(block) * len(block)}))
    for _ in range(size // len(block)):
        client.send(block)
    got = [re.sub(rb"x-envoy-upstream-service-time: \d+|date: [^\r]+", b"", client.response().raw)]
    latencies.append(time.monotonic() - begun)
    got.append(exchange(client, request("/after"), []))  # keep-alive goes on
    client.close()
    return got, latencies


RUNS = {"keep-alive": keep_alive_run, "upload": upload_run}
baselines = {}  # run -> (what the clients saw, latencies, RSS in KiB) without a mirror


def play(stage, run, shadow):
    primary = stage.server(upload_digest)
    policy = [shadow_policy(timeout="2s")] if shadow else []
    umbra = stage.umbra(mesh(primary, shadow, *policy), "--shadow-memory", MEMORY, "--access-log", "off")
    seen, latencies = RUNS[run](umbra)
    return umbra, seen, latencies


def baseline(stage, run):
    if run not in baselines:
        umbra, seen, latencies = play(stage, run, None)
        baselines[run] = seen, latencies, umbra.rss_kib()
    return baselines[run]


def p99(latencies):
    return statistics.quantiles(latencies, n=100)[98] if len(latencies) > 1 else latencies[0]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("fault", FAULTS)
def test_c18_shadow_fault(stage, fault, run):
    expected, base_latencies, base_rss = baseline(stage, run)
    umbra, seen, latencies = play(stage, run, stage.add(FAULTS[fault]()))
    assert seen == expected, "the clients saw something else than without a mirror"

    metrics = umbra.metrics()
    held = metrics.value("umbra_shadow_memory_bytes")
    totals = metrics.shadows()["app.default/main", "outbound|80||shadow.test"]
    print(f"{fault}, {run}: p99 {1e3 * p99(latencies):.1f} ms, without mirror {1e3 * p99(base_latencies):.1f}; "
          f"RSS {umbra.rss_kib()} KiB, without {base_rss}; held {held:.0f}; {totals}")
    assert totals.matched == (CLIENTS * ROUNDS if run == "keep-alive" else 2) and not totals.skipped
    assert held <= MEMORY
    if not is_sanitized():
        assert umbra.rss_kib() < base_rss + 1.05 * (MEMORY >> 10) + 4096
    assert p99(latencies) < 10 * p99(base_latencies) + SLOW, "no exchange may wait for a shadow's deadline of 2 s"
    settled = umbra.settled()["app.default/main", "outbound|80||shadow.test"]
    assert settled.mirrored == totals.matched


def test_c18_name_that_does_not_resolve(stage):
    """DNS failure: a STRICT_DNS shadow whose name has no address."""
    primary = stage.server()
    nowhere = resource("ServiceEntry", "shadow", {
        "hosts": ["shadow.test"], "resolution": "DNS", "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
        "endpoints": [{"address": "nowhere.invalid"}]})
    umbra = stage.umbra([gateway(), service("primary", primary), nowhere, virtual_service(route(mirror="shadow"))])
    client = umbra.client()
    for _ in range(10):
        assert client.get().status == 200
    totals = umbra.settled()["app.default/main", "outbound|80||shadow.test"]
    assert totals.matched == 10 and sum(totals.skipped.values()) + sum(totals.dropped.values()) == 10
    assert set(totals.skipped) | set(totals.dropped) <= {"no_shadow_endpoint", "dns"}
