# SPDX-License-Identifier: Apache-2.0
"""The load generators: wrk in a closed loop, tools/openload.c at a fixed rate."""
import json
import re
import subprocess

import lab

CONNECTIONS = 64
SCENARIOS = {"get1k": (1024, 0), "post10k": (1024, 10240), "get64k": (65536, 0)}  # bytes of the answer, of the request
NUMBERED = 'local n = 0\nrequest = function() n = n + 1 return wrk.format("GET", "/1024?n=" .. n) end\n'


def run(argv):
    """(output, CPU microseconds taken)"""
    process = lab.spawn(argv, lab.cpus()[1], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output = process.communicate(timeout=150)[0].decode()
    finally:
        if process.poll() is None:
            lab.stop(process)
    return output


def number(pattern, text):
    found = re.search(pattern, text)
    return float(found[1]) if found else 0


def closed_loop(scenario, seconds, script="", path=None):
    """As many requests as are answered, on 64 connections."""
    size, body = SCENARIOS[scenario]
    if body:
        script += f'wrk.method = "POST"\nwrk.body = string.rep("b", {body})\n'
    file = lab.TMP / "wrk.lua"
    file.write_text(script)
    output = run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", *(["-s", file] if script else []),
                  f"http://127.0.0.1:{lab.PROXY}{path or f'/{size}'}"])
    if "requests in" not in output:
        raise RuntimeError(f"wrk said {output!r}")
    bad = number(r"Non-2xx or 3xx responses: (\d+)", output)
    bad += sum(number(rf"Socket errors:.*{kind} (\d+)", output) for kind in ("connect", "read", "write", "timeout"))
    return {"requests": number(r"(\d+) requests in", output), "rps": number(r"Requests/sec:\s+([\d.]+)", output), "bad": bad}


def fixed_rate(rate, seconds):
    """GET of 1 KiB; 2 s without an answer is a failure."""
    got = json.loads(run([lab.BIN / "openload", lab.PROXY, "/1024", rate, seconds, CONNECTIONS, 2000]))
    return {"requests": got["total"], "rps": got["ok"] / got["wall"], "bad": got["total"] - got["ok"],
            **{k: got[k] for k in ("p50", "p99", "p999", "max")}}
