#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds umbra plain, with ASan+UBSan and with TSan, runs every test in each build, and adds the results up.

Meson runs them all, and its testlog.json has one entry per program. What is counted are the cases inside: those that a
cmocka program prints, and those of the JUnit file that pytest leaves for the suites wire and e2e. Called by ./test, which
installs what is needed.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILDS = {  # name: directory, what `meson setup` is told
    "release": ("build", ["--buildtype=release"]),
    "asan": ("build-asan", ["--buildtype=debugoptimized", "-Db_sanitize=address,undefined", "-Db_lundef=false"]),
    "tsan": ("build-tsan", ["--buildtype=debugoptimized", "-Db_sanitize=thread", "-Db_lundef=false"]),
}
SUITES = ["style", "unit", "fuzz", "oracle", "wire", "e2e"]
ONCE = {"style"}  # looks at sources: one build is enough
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
OUTPUT_CHARS = 16000  # of a failed program
CMOCKA = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] (\w+)$", re.MULTILINE)


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def add(self, name, outcome):
        if outcome == "passed":
            self.passed += 1
        else:
            getattr(self, outcome).append(name)


def say(text):
    print(text, flush=True)


def compile_build(name, werror):
    folder, options = BUILDS[name]
    if werror and name == "release":  # gcc's warnings are less certain when a sanitizer has changed the code
        options = [*options, "-Dwerror=true"]
    setup = ["meson", "setup", folder, *options]
    if not (ROOT / folder / "build.ninja").exists():
        subprocess.run(setup, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    elif werror:
        subprocess.run([*setup, "--reconfigure"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "--quiet", "-C", folder], cwd=ROOT, check=True)


def cases_of(folder, result):
    """(name, outcome) of each case in one program's run; none if it does not say."""
    name = result["name"].split(" / ")[-1]
    report = folder / "tests" / name / f"{name}.xml"
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):
            yield f"{case.get('classname')}.{case.get('name')}", outcome_of(case)
    else:
        words = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}
        lines = CMOCKA.findall(result.get("stdout", "") + "\n" + result.get("stderr", ""))
        yield from {case: (case, words[word]) for word, case in lines}.values()  # a failed case is printed twice


def outcome_of(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def add_program(tally, label, folder, result):
    outcome = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(result["result"], "failed")
    cases = list(cases_of(folder, result))
    for name, case_outcome in cases:
        tally.add(f"{label}: {name}", case_outcome)
    if not cases or (outcome == "failed" and all(o != "failed" for _, o in cases)):
        tally.add(f"{label}: {result['result']}", outcome)
    if outcome == "failed":
        output = (result.get("stdout", "") + "\n" + result.get("stderr", "")).strip()
        say(f"---- {label}: {result['result']}\n{output[-OUTPUT_CHARS:]}\n----")


def run_suite(build, suite, tally):
    folder = ROOT / BUILDS[build][0]
    log = folder / "meson-logs" / "testlog.json"
    for old in [log, *folder.glob("tests/*/*.xml")]:
        old.unlink(missing_ok=True)
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--quiet", "--suite", suite]
    subprocess.run(command, env={**os.environ, **SANITIZER_OPTIONS}, check=False, stdout=subprocess.DEVNULL)
    results = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    if not results:
        tally.add(f"{build}: {suite}: there are no such tests", "skipped")
    for result in map(json.loads, results):
        add_program(tally, f"{build}: {result['name'].split(' / ')[-1]}", folder, result)


def run_build(build, suites, werror, tally):
    say(f"== {build}: building")
    try:
        compile_build(build, werror)
    except subprocess.CalledProcessError:
        tally.add(f"{build}: the build", "failed")
        return
    for suite in suites:
        before, begun = (tally.passed, len(tally.failed)), time.monotonic()
        run_suite(build, suite, tally)
        say(f"== {build}: {suite}: {tally.passed - before[0]} passed, {len(tally.failed) - before[1]} failed "
            f"({time.monotonic() - begun:.0f} s)")


def main():
    names = [*BUILDS, *SUITES]
    parser = argparse.ArgumentParser(prog="./test", description="Builds and runs every test; a NAME narrows it.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of builds or suites: " + ", ".join(names))
    parser.add_argument("--werror", action="store_true", help="a compiler warning fails the release build")
    args = parser.parse_args()
    for name in args.names:
        if name not in names:
            parser.error(f"no build or suite '{name}': expected one of {', '.join(names)}")
    builds = [b for b in BUILDS if b in args.names] or list(BUILDS)
    suites = [s for s in SUITES if s in args.names] or SUITES

    tally = Tally()
    for build in builds:
        run_build(build, [s for s in suites if s not in ONCE or build == builds[0]], args.werror, tally)
    for name in tally.skipped:
        say(f"skipped: {name}")
    for name in tally.failed:
        say(f"failed: {name}")
    skipped = f", {len(tally.skipped)} skipped" if tally.skipped else ""
    say(f"{tally.passed} passed, {len(tally.failed)} failed{skipped}")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
