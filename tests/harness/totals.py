# SPDX-License-Identifier: Apache-2.0
"""The metrics that umbra prints, and the sums that must close at every scrape."""
import re
from collections import defaultdict
from dataclasses import dataclass, field

LINE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass
class Totals:
    """One shadow of one route."""
    matched: int = 0
    mirrored: int = 0
    active: int = 0
    skipped: dict = field(default_factory=dict)
    completed: dict = field(default_factory=dict)
    dropped: dict = field(default_factory=dict)

    def check(self, whose):
        assert self.matched == self.mirrored + sum(self.skipped.values()), f"{whose}: matched is not mirrored + skipped: {self}"
        assert self.mirrored == sum(self.completed.values()) + sum(self.dropped.values()) + self.active, \
            f"{whose}: mirrored is not completed + dropped + active: {self}"


class Metrics:
    """A scrape of /stats/prometheus."""

    def __init__(self, text):
        self.samples = defaultdict(list)  # name -> [(labels, value)]
        for line in text.splitlines():
            if line and not line.startswith("#"):
                found = LINE.match(line)
                assert found, f"not a Prometheus sample: {line!r}"
                self.samples[found[1]].append((dict(LABEL.findall(found[2] or "")), float(found[3])))

    def value(self, name, **labels):
        """The sum of the samples of that name which have these labels."""
        return sum(v for have, v in self.samples[name] if labels.items() <= have.items())

    def shadows(self):
        """Totals by (route, shadow), checked closed."""
        out = defaultdict(Totals)
        one = {"matched": "umbra_shadow_matched_total", "mirrored": "umbra_shadow_mirrored_total", "active": "umbra_shadow_active"}
        for attribute, name in one.items():
            for labels, value in self.samples[name]:
                setattr(out[labels["route"], labels["shadow"]], attribute, int(value))
        for attribute, label in (("skipped", "reason"), ("completed", "code_class"), ("dropped", "reason")):
            for labels, value in self.samples[f"umbra_shadow_{attribute}_total"]:
                if value:
                    getattr(out[labels["route"], labels["shadow"]], attribute)[labels[label]] = int(value)
        for key, totals in out.items():
            totals.check(key)
        return out
