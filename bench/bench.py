#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Proxies that mirror, side by side, in one run. Start it by run.sh; README.md says what is measured and how to read it.

Each measurement is a line of OUT/raw.jsonl as it is made; the tables are made from those lines (--tables makes them again)."""
import argparse
import json
import os
import shutil
import signal
import socket
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import lab
import load
import report
from peers import VARIANTS, Peer


class Bench:
    def __init__(self, options, out):
        self.options, self.raw = options, open(out / "raw.jsonl", "w")
        self.rep = 0

    @contextmanager
    def session(self, peer, variant, mode="healthy", routes=""):
        """Primary, shadow and proxy, fresh; a failure is said and the next session goes on."""
        primary = shadow = None
        try:
            primary, shadow = lab.Upstream(lab.PRIMARY), lab.Upstream(lab.SHADOW, mode)
            peer.start(variant, routes)
            yield primary, shadow
        except (RuntimeError, OSError, ValueError) as e:
            print(f"  {peer.name} {variant} {mode}: FAILED: {e}; see {lab.TMP / peer.name}", flush=True)
        finally:
            peer.stop()
            for upstream in filter(None, (primary, shadow)):
                upstream.stop()

    def measure(self, peer, primary, shadow, work, **tags):
        own = [p.process.pid for p in (primary, shadow) if p.process]
        seen = primary["requests"], shadow["requests"], shadow["accepted"]
        cpu, others, busy, begun, mine = peer.cpu_us(), lab.cpu_us(own), lab.busy_us(), time.time(), os.times()
        record = work()
        wall, cpu = time.time() - begun, peer.cpu_us() - cpu
        spent = sum(os.times()[:4]) - sum(mine[:4])  # of this process and of the load generator that it waited for
        foreign = (lab.busy_us() - busy - cpu - (lab.cpu_us(own) - others)) / 1e6 - spent
        self.await_copies(primary, shadow, seen, tags)
        record.update(tags, peer=peer.name, rep=self.rep, cpu_us=cpu / max(record["requests"], 1),
                      primary_seen=primary["requests"] - seen[0], shadow_seen=shadow["requests"] - seen[1],
                      shadow_conns=shadow["accepted"] - seen[2], twice=shadow["twice"], pss_kib=lab.pss_kib(peer.pids),
                      peak_kib=lab.peak_kib(peer.pids), foreign=max(0, foreign / wall / os.cpu_count()))
        self.note(record)
        print(f"  {peer.name:8} {tags['variant']:7} {tags.get('scenario', tags.get('mode', '')):18} {record['rps']:9.0f} req/s "
              f"{record['cpu_us']:7.2f} us/req  failed {record['bad']:.0f}  copies {record['shadow_seen']}/{record['primary_seen']}"
              + f"  others' CPU {record['foreign']:.0%}" + (f"  p50 {record['p50']} p99 {record['p99']} p99.9 {record['p999']} us" if "p50" in record else ""), flush=True)

    @staticmethod
    def await_copies(primary, shadow, seen, tags):
        """Copies may come a little after the load has ended."""
        if tags["variant"] != "full" or tags.get("mode", "healthy") != "healthy":
            return
        end = time.monotonic() + 2
        while shadow["requests"] - seen[1] < primary["requests"] - seen[0] and time.monotonic() < end:
            time.sleep(0.02)

    def note(self, record):
        self.raw.write(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in record.items()}) + "\n")
        self.raw.flush()

    # ---- phases ----
    def cost(self, peers):
        """CPU per request, saturated: no mirror, 10 %, 100 %."""
        for peer in peers:
            for variant in (v for v in VARIANTS if v in peer.variants):
                with self.session(peer, variant) as (primary, shadow):
                    for scenario in load.SCENARIOS:
                        load.closed_loop(scenario, 1)
                        self.measure(peer, primary, shadow, lambda: load.closed_loop(scenario, self.options.seconds),
                                     phase="cost", variant=variant, scenario=scenario)

    def faults(self, peers):
        """Fixed rate, then closed loop, while the shadow misbehaves; first of all without a mirror, then with a healthy shadow."""
        for peer in (p for p in peers if "full" in p.variants):
            for variant, mode in [("none", "healthy"), *(("full", m) for m in lab.MODES)]:
                with self.session(peer, variant, mode) as (primary, shadow):
                    load.fixed_rate(self.options.rate, 1)
                    self.measure(peer, primary, shadow, lambda: load.fixed_rate(self.options.rate, self.options.seconds),
                                 phase="rate", variant=variant, mode=mode)
                    self.measure(peer, primary, shadow, lambda: load.closed_loop("get1k", self.options.seconds),
                                 phase="loop", variant=variant, mode=mode)

    def died(self, peers):
        """CPU per request from one second after a healthy shadow has died."""
        for peer in (p for p in peers if "full" in p.variants):
            for variant in ("none", "full"):
                with self.session(peer, variant) as (primary, shadow):
                    load.closed_loop("get1k", 1)
                    shadow.stop()
                    load.closed_loop("get1k", 1)
                    self.measure(peer, primary, shadow, lambda: load.closed_loop("get1k", self.options.seconds),
                                 phase="died", variant=variant, mode="died")

    def arrival(self, peers):
        """Numbered requests, saturated: does every copy arrive, and none twice?"""
        for peer in (p for p in peers if "full" in p.variants and p.name != "relay"):
            with self.session(peer, "full") as (primary, shadow):
                self.measure(peer, primary, shadow, lambda: load.closed_loop("get1k", self.options.seconds, load.NUMBERED),
                             phase="arrival", variant="full", scenario="numbered")

    def routes(self, peers):
        """CPU per request by the number of routes; the last one is asked for."""
        for peer in (p for p in peers if p.settings.get("routes")):
            for n in (10, 10000):
                rows = "".join(peer.settings["routes"].strip('"').replace("@I@", str(i)) + "\n" for i in range(n))
                with self.session(peer, "none", routes=rows) as (primary, shadow):
                    path = f"/route/{n - 1}/x"
                    load.closed_loop("get1k", 1, path=path)
                    self.measure(peer, primary, shadow, lambda: load.closed_loop("get1k", self.options.seconds, path=path),
                                 phase="routes", variant="none", scenario=f"{n} routes", routes=n)

    def idle(self, peers):
        """Memory with idle keep-alive connections, one GET served on each."""
        for peer in peers:
            most = int(peer.settings.get("max_idle", self.options.idle))
            with self.session(peer, "full" if "full" in peer.variants else "none"):
                held, memory = [], {0: lab.pss_kib(peer.pids)}
                for n in (min(1000, most // 2), most):
                    while len(held) < n:
                        held.append(served_connection())
                    time.sleep(1)
                    memory[n] = lab.pss_kib(peer.pids)
                few, many = sorted(memory)[1:]
                self.note({"phase": "idle", "peer": peer.name, "rep": self.rep, "base_kib": memory[0],
                           "bytes_per_connection": (memory[many] - memory[few]) * 1024 / (many - few)})
                print(f"  {peer.name:8} {memory} KiB by connections", flush=True)
                for sock in held:
                    sock.close()


def served_connection():
    sock = socket.create_connection(("127.0.0.1", lab.PROXY), 5)
    sock.sendall(b"GET /1024 HTTP/1.1\r\nHost: bench.test\r\n\r\n")
    got = b""
    while len(got.partition(b"\r\n\r\n")[2]) < 1024:
        data = sock.recv(4096)
        if not data:
            raise RuntimeError("the proxy closed an idle connection")
        got += data
    return sock


PHASES = ("cost", "faults", "died", "arrival", "routes", "idle")


def parsed():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__.splitlines()[0])
    parser.add_argument("peers", nargs="*", default=["relay", "nginx", "haproxy", "envoy", "umbra"], help="folders of peers/")
    parser.add_argument("--quick", action="store_true", help="one repetition of 1 s, peers relay, nginx and umbra, under 3 minutes")
    parser.add_argument("--phases", default=",".join(PHASES), help="of " + ", ".join(PHASES))
    parser.add_argument("--reps", type=int, default=3, help="repetitions; medians are over these (3)")
    parser.add_argument("--seconds", type=int, default=4, help="length of a measurement (4)")
    parser.add_argument("--rate", type=int, default=2000, help="requests a second at the fixed rate (2000)")
    parser.add_argument("--idle", type=int, default=9000, help="idle connections (9000)")
    parser.add_argument("--tables", action="store_true", help="only make the tables again from OUT/raw.jsonl")
    parser.add_argument("--out", type=Path, default=lab.BENCH / "out")
    options = parser.parse_args()
    if options.quick:
        options.reps, options.seconds, options.idle = 1, 1, 4000
        options.peers = [p for p in options.peers if p in ("relay", "nginx", "umbra")]
    return options


def main():
    options = parsed()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.tables:
        return report.write(options.out)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that what was started is stopped
    lab.own_network()
    lab.TMP.mkdir()
    peers = [Peer(name) for name in options.peers]
    for peer in [p for p in peers if p.missing()]:
        print(f"{peer.name}: LEFT OUT, there is no {peer.missing()}", flush=True)
        peers.remove(peer)
    bench = Bench(options, options.out)
    try:
        for bench.rep in range(options.reps):  # repetitions outermost, so that the machine's drift hits every peer alike
            for phase in options.phases.split(","):
                if phase == "idle" and bench.rep:
                    continue
                print(f"== repetition {bench.rep + 1} of {options.reps}: {phase}: {getattr(Bench, phase).__doc__}", flush=True)
                faulty = [p for p in peers if p.name in ("umbra", "relay") or not options.quick]
                getattr(bench, phase)(peers if phase != "faults" else [p for p in faulty if p.name != "relay"])
    finally:
        shutil.rmtree(lab.TMP, ignore_errors=True)
    return report.write(options.out)


if __name__ == "__main__":
    sys.exit(main())
