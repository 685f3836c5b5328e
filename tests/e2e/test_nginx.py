# SPDX-License-Identifier: Apache-2.0
"""nginx as primary and as shadow, large files both ways, and load while the configuration changes."""
import hashlib
import re
import shutil
import subprocess
import threading

import pytest
from harness.istio import mesh, shadow_policy
from harness.programs import curl, nginx


@pytest.fixture
def house(stage, tmp_path):
    primary, shadow = stage.add(nginx(tmp_path, "primary")), stage.add(nginx(tmp_path, "shadow"))
    return primary, shadow, tmp_path


def test_large_file_down(stage, house):
    primary, shadow, folder = house
    content = bytes(range(256)) * (40 << 12)  # 40 MiB
    (folder / "files/big").write_bytes(content)
    umbra = stage.umbra(mesh(primary, shadow))
    got = curl(f"http://127.0.0.1:{umbra.port}/big")
    assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
    totals = umbra.settled()["app.default/main", "outbound|80||shadow.test"]
    assert totals.matched == totals.mirrored == 1


def test_ranges_and_conditions(stage, house):
    primary, shadow, folder = house
    (folder / "files/text").write_bytes(b"0123456789")
    umbra = stage.umbra(mesh(primary, shadow))
    url = f"http://127.0.0.1:{umbra.port}/text"
    assert curl("-r", "2-4", url) == b"234"
    etag = re.search(rb'etag: ("[^"]+")', curl("-I", url).lower())[1].decode()
    assert curl("-o", "/dev/null", "-w", "%{http_code}", "-H", f"If-None-Match: {etag}", url) == b"304"
    umbra.expect(matched=3, mirrored=3, completed={"2xx": 2, "3xx": 1})


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_large_file_up_arrives_whole_at_both(stage, house, chunked):
    primary, shadow, folder = house
    content = bytes(range(256)) * (20 << 12)
    (folder / "up").write_bytes(content)
    umbra = stage.umbra(mesh(primary, shadow, shadow_policy(maxBodyBytes="32Mi")))
    more = ["-H", "Transfer-Encoding: chunked"] if chunked else []
    assert curl(*more, "-T", folder / "up", "-o", "/dev/null", "-w", "%{http_code}",
                f"http://127.0.0.1:{umbra.port}/put/file") == b"201"
    umbra.expect(matched=1, mirrored=1, completed={"2xx": 1})
    for name in ("primary", "shadow"):
        assert (folder / f"{name}-files/put/file").read_bytes() == content, name


def test_load_with_reloads_loses_nothing(stage, house):
    """wrk in a closed loop while the configuration is swapped again and again."""
    if not shutil.which("wrk"):
        pytest.skip("no wrk here")
    primary, shadow, _ = house
    umbra = stage.umbra(mesh(primary, shadow, percentage=50), "--access-log", "off", workers=2)
    load = subprocess.Popen(["wrk", "-t1", "-c16", "-d4s", f"http://127.0.0.1:{umbra.port}/echo"], stdout=subprocess.PIPE, text=True)
    output = []
    reader = threading.Thread(target=lambda: output.append(load.communicate()[0]))
    reader.start()
    turns = 0
    while reader.is_alive():
        umbra.reload(mesh(primary, shadow, percentage=10 + turns % 80))
        turns += 1
    reader.join()
    assert "Non-2xx" not in output[0] and "Socket errors" not in output[0], output[0]
    assert turns > 3
    totals = umbra.settled()["app.default/main", "outbound|80||shadow.test"]
    assert totals.matched >= int(re.search(r"(\d+) requests in", output[0])[1])
    assert set(totals.dropped) <= {"overflow"}, "a shadow that is slower than its primary may only lose copies to the limit of C22"
