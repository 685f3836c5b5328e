# SPDX-License-Identifier: Apache-2.0
"""From raw measurements to the tables: first umbra's ratios beside what they should be, then every peer's figures."""
import json
from statistics import median

import lab
from load import SCENARIOS
from peers import VARIANTS

MIB = 1024
SHADOW_MEMORY_KIB = 64 * MIB  # umbra's default of --shadow-memory


class Rows:
    def __init__(self, records):
        self.records = records

    def where(self, **tags):
        return Rows([r for r in self.records if all(r.get(k) == v for k, v in tags.items())])

    def values(self, key):
        return [r[key] for r in self.records if key in r]

    def median(self, key):
        values = self.values(key)
        return median(values) if values else None

    def total(self, key):
        return sum(self.values(key))

    def ratio(self, key, above, below):
        """The median over repetitions of above / below, each pair of one repetition; None if there is no pair."""
        pairs = []
        for rep in {r["rep"] for r in self.records}:
            a, b = self.where(rep=rep, **above).median(key), self.where(rep=rep, **below).median(key)
            if a is not None and b:
                pairs.append(a / b)
        return median(pairs) if pairs else None

    def added(self, peer, scenario):
        """CPU that mirroring everything adds per request, per repetition"""
        cost = self.where(phase="cost", peer=peer, scenario=scenario)
        return {rep: full - none for rep in {r["rep"] for r in cost.records}
                if (full := cost.where(rep=rep, variant="full").median("cpu_us")) is not None
                and (none := cost.where(rep=rep, variant="none").median("cpu_us")) is not None}


def verdict(value, limit, aim, at_least=False):
    if value is None:
        return "not measured"
    holds = (lambda bound: value >= bound) if at_least else (lambda bound: value <= bound)
    return "**MISSED**" if not holds(limit) else "aim" if aim is not None and holds(aim) else "ok"


def aim_lines(rows):
    """umbra's ratios beside what they should be"""
    yield "| measure | umbra | at most | aim | |\n|---|--:|--:|--:|---|"
    for what, value, limit, aim, form in [*cost_measures(rows), *other_measures(rows)]:
        yield f"| {what} | {cell(value, form)} | {form.format(limit)} | {form.format(aim)} | {verdict(value, limit, aim)} |"


def cost_measures(rows):
    cost = rows.where(phase="cost")
    for scenario, limit, aim in (("get1k", 1.35, 1.20), ("post10k", 1.45, 1.25), ("get64k", 1.20, 1.10)):
        one = {"scenario": scenario, "variant": "none"}
        ratio = cost.ratio("cpu_us", {"peer": "umbra", **one}, {"peer": "relay", **one})
        yield f"CPU unmirrored, over the relay's: {scenario}", ratio, limit, aim, "{:.2f}"
    for scenario in ("get1k", "post10k"):
        own, relay = rows.added("umbra", scenario), rows.added("relay", scenario)
        ratios = [own[rep] / relay[rep] for rep in own.keys() & relay.keys() if relay[rep] > 0]
        yield (f"CPU that 100 % mirroring adds, over what the copying relay adds: {scenario}", median(ratios) if ratios else None,
               1.30, 1.10, "{:.2f}")
    own = {"peer": "umbra", "scenario": "get1k"}
    ratio = cost.ratio("cpu_us", {**own, "variant": "sample"}, {**own, "variant": "none"})
    yield "CPU 10 % mirrored, over own unmirrored", ratio, 1.06, 1.04, "{:.2f}"


def other_measures(rows):
    own = rows.where(peer="umbra")
    died = own.where(phase="died").ratio("cpu_us", {"variant": "full"}, {"variant": "none"})
    yield "CPU one second after the shadow died, over own unmirrored", died, 1.10, 1.03, "{:.2f}"
    arrival = own.where(phase="arrival")
    sent = arrival.total("primary_seen")
    missing = max(0, 1 - arrival.total("shadow_seen") / sent) if sent else None
    yield "copies missing at a healthy shadow, saturated", missing, 0, 0, "{:.2%}"
    yield "copies that came twice", arrival.total("twice") if sent else None, 0, 0, "{:.0f}"
    idle = own.where(phase="idle")
    base = idle.median("base_kib")
    yield "bytes per idle keep-alive connection", idle.median("bytes_per_connection"), 1024, 512, "{:.0f}"
    yield "base memory, MiB", base / MIB if base else None, 8, 5, "{:.1f}"
    ratio = own.where(phase="routes").ratio("cpu_us", {"routes": 10000}, {"routes": 10})
    yield "CPU with 10,000 routes, over 10 routes", ratio, 1.2, 1.05, "{:.2f}"


def fault_aim_lines(rows):
    """What each shadow fault does to umbra's production, as ratios"""
    yield ("\n| shadow | failed primaries | p99 at a fixed rate, over own unmirrored | closed-loop rate, over own healthy mirrored "
           "| peak memory, over base + `--shadow-memory` |\n|---|--:|--:|--:|--:|")
    yield "| *bound (aim)* | *0* | *at most 1.10 (1.05)* | *at least 0.95 (1.0)* | *at most 1.05* |"
    own = rows.where(peer="umbra")
    rate, loop = own.where(phase="rate"), own.where(phase="loop")
    base = loop.where(variant="none").median("peak_kib")
    for mode in lab.FAULTS:
        bad = {"variant": "full", "mode": mode}
        tried = Rows(rate.where(**bad).records + loop.where(**bad).records)
        failed = tried.total("bad") if tried.records else None
        slower = rate.ratio("p99", bad, {"variant": "none"})
        kept = loop.ratio("rps", bad, {"variant": "full", "mode": "healthy"})
        memory = max(tried.values("peak_kib")) / (base + SHADOW_MEMORY_KIB) if tried.records and base else None
        cells = [(failed, "{:.0f}", verdict(failed, 0, 0)), (slower, "{:.2f}", verdict(slower, 1.10, 1.05)),
                 (kept, "{:.2f}", verdict(kept, 0.95, 1.0, at_least=True)), (memory, "{:.2f}", verdict(memory, 1.05, None))]
        yield f"| {mode} | " + " | ".join(f"{cell(value, form)} {word}" for value, form, word in cells) + " |"


def cell(value, form="{:.1f}"):
    return "" if value is None else form.format(value)


def cost_lines(rows, peers):
    yield "\n### Closed loop, one worker: requests per second, and CPU per request in microseconds\n"
    yield "| peer | mirrored | " + " | ".join(f"{s} req/s | us" for s in SCENARIOS) + " |\n|---|---|" + "--:|--:|" * len(SCENARIOS)
    for peer in peers:
        for variant in VARIANTS:
            found = [rows.where(phase="cost", peer=peer, variant=variant, scenario=s) for s in SCENARIOS]
            if any(f.records for f in found):
                share = {"none": "0", "sample": "10 %", "full": "100 %"}[variant]
                cells = " | ".join(f"{cell(f.median('rps'), '{:.0f}')} | {cell(f.median('cpu_us'))}" for f in found)
                yield f"| {peer} | {share} | {cells} |"


def fault_lines(rows, peers):
    yield "\n### What a shadow does to production: latency at the fixed rate in microseconds; closed loop\n"
    yield "| peer | shadow | p50 | p99 | p99.9 | failed | req/s | CPU us | failed | copies | peak MiB |\n|---|---|" + "--:|" * 9
    for peer in peers:
        for variant, mode in [("none", "healthy"), *(("full", m) for m in lab.MODES)]:
            rate = rows.where(phase="rate", peer=peer, variant=variant, mode=mode)
            loop = rows.where(phase="loop", peer=peer, variant=variant, mode=mode)
            if rate.records:
                latency = " | ".join(cell(rate.median(k), "{:.0f}") for k in ("p50", "p99", "p999"))
                share = loop.total("shadow_seen") / max(1, loop.total("primary_seen"))
                yield (f"| {peer} | {mode if variant == 'full' else '(no mirror)'} | {latency} | {rate.total('bad'):.0f} "
                       f"| {cell(loop.median('rps'), '{:.0f}')} | {cell(loop.median('cpu_us'))} | {loop.total('bad'):.0f} | {share:.1%} "
                       f"| {max(loop.values('peak_kib'), default=0) / MIB:.1f} |")


def idle_lines(rows, peers):
    yield "\n### Memory\n\n| peer | base MiB | bytes per idle connection |\n|---|--:|--:|"
    for peer in peers:
        found = rows.where(phase="idle", peer=peer)
        if found.records:
            yield f"| {peer} | {found.median('base_kib') / MIB:.1f} | {found.median('bytes_per_connection'):.0f} |"


def write(out):
    rows = Rows([json.loads(line) for line in (out / "raw.jsonl").read_text().splitlines()])
    order = ["relay", "umbra", "nginx", "haproxy", "envoy"]
    peers = sorted({r["peer"] for r in rows.records}, key=lambda p: order.index(p) if p in order else len(order))
    lines = ["### umbra against its aims\n", *aim_lines(rows), *fault_aim_lines(rows), *cost_lines(rows, peers), *fault_lines(rows, peers),
             *idle_lines(rows, peers)]
    foreign = rows.values("foreign")
    if foreign:
        lines.append(f"\nCPU taken by processes that are not the bench's: median {median(foreign):.1%}, worst {max(foreign):.1%}. "
                     "Compare figures of one run only.")
    text = "\n".join(lines) + "\n"
    (out / "tables.md").write_text(text)
    print(text)
