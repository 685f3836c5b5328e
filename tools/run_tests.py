#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds umbra plain, with ASan+UBSan and with TSan, runs every test in each build, and adds the results up.

The suites unit, fuzz, oracle and style are Meson's; wire and e2e are pytest's (tests/wire, tests/e2e), which find the
binary under test in $UMBRA and stretch their limits by $UMBRA_TEST_SLOW. Called by ./test, which installs what is needed.
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
BUILDS = {  # name: directory, how much slower than release, what `meson setup` is told
    "release": ("build", 1, ["--buildtype=release"]),
    "asan": ("build-asan", 3, ["--buildtype=debugoptimized", "-Db_sanitize=address,undefined", "-Db_lundef=false"]),
    "tsan": ("build-tsan", 4, ["--buildtype=debugoptimized", "-Db_sanitize=thread", "-Db_lundef=false"]),
}
MESON_SUITES = ["unit", "fuzz", "oracle", "style"]
PYTEST_SUITES = ["wire", "e2e"]
ONCE = {"style"}  # looks at sources: one build is enough
SUITE_SECONDS = 480  # of one pytest run; Meson's tests have their own time-outs
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
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
    folder, _, options = BUILDS[name]
    if not (ROOT / folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, *options], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    if werror:
        subprocess.run(["meson", "configure", folder, "-Dwerror=true"], cwd=ROOT, check=True)
    subprocess.run(["ninja", "--quiet", "-C", folder], cwd=ROOT, check=True)


def add_meson_test(tally, label, result):
    """One test of testlog.json. A cmocka program prints a line per case: each counts; any other program counts as one."""
    outcome = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(result["result"], "failed")
    output = result.get("stdout", "") + "\n" + result.get("stderr", "")
    cases = CMOCKA.findall(output)
    words = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}
    failed_cases = 0
    for word, case in dict((case, (word, case)) for word, case in cases).values():
        tally.add(f"{label}: {case}", words[word])
        failed_cases += word == "FAILED"
    if not cases or (outcome == "failed" and failed_cases == 0):
        tally.add(label, outcome)
    if outcome == "failed":
        say(f"---- {label}: {result['result']}\n{output.strip()[-4000:]}\n----")


def run_meson(build, suites, env, tally):
    folder = ROOT / BUILDS[build][0]
    log = folder / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--quiet", "-t", str(BUILDS[build][1])]
    for suite in suites:
        command += ["--suite", suite]
    subprocess.run(command, env=env, check=False, stdout=subprocess.DEVNULL)
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
        result = json.loads(line)
        add_meson_test(tally, f"{build}: {result['name'].split(' / ')[-1]}", result)


def outcome_of(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def run_pytest(build, suite, env, tally):
    tests = ROOT / "tests" / suite
    report = ROOT / BUILDS[build][0] / f"{suite}.xml"
    report.unlink(missing_ok=True)
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider",
               f"--junitxml={report}", tests]
    label = f"{build}: {suite}"
    try:
        subprocess.run(command, cwd=ROOT, env=env, check=False, timeout=SUITE_SECONDS)
    except subprocess.TimeoutExpired:
        tally.add(f"{label}: took longer than {SUITE_SECONDS} s", "failed")
        return
    if not report.exists():
        tally.add(f"{label}: no report", "failed")
        return
    for case in ElementTree.parse(report).iter("testcase"):
        tally.add(f"{label}: {case.get('classname')}.{case.get('name')}", outcome_of(case))


def run_build(build, suites, werror, tally):
    say(f"== {build}: building")
    try:
        compile_build(build, werror)
    except subprocess.CalledProcessError:
        tally.add(f"{build}: the build", "failed")
        return
    folder, slower, _ = BUILDS[build]
    env = {**os.environ, **SANITIZER_OPTIONS, "UMBRA": str(ROOT / folder / "umbra"), "UMBRA_TEST_SLOW": str(slower)}
    for suite in suites:
        before, begun = (tally.passed, len(tally.failed)), time.monotonic()
        if suite in MESON_SUITES:
            run_meson(build, [suite], env, tally)
        elif any((ROOT / "tests" / suite).glob("test_*.py")):
            run_pytest(build, suite, env, tally)
        say(f"== {build}: {suite}: {tally.passed - before[0]} passed, {len(tally.failed) - before[1]} failed "
            f"({time.monotonic() - begun:.0f} s)")


def main():
    names = [*BUILDS, *MESON_SUITES, *PYTEST_SUITES]
    parser = argparse.ArgumentParser(prog="./test", description="Builds and runs every test; a NAME narrows it.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of builds or suites: " + ", ".join(names))
    parser.add_argument("--werror", action="store_true", help="a compiler warning fails the build")
    args = parser.parse_args()
    for name in args.names:
        if name not in names:
            parser.error(f"no build or suite '{name}': expected one of {', '.join(names)}")
    builds = [b for b in BUILDS if b in args.names] or list(BUILDS)
    suites = [s for s in MESON_SUITES + PYTEST_SUITES if s in args.names] or MESON_SUITES + PYTEST_SUITES

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
