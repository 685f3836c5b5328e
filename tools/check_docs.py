#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The pages name what the program has, and nothing else: flags of the command line, reasons of skips and drops, rooms.

Usage: check_docs.py ROOT UMBRA
"""
import re
import subprocess
import sys
from pathlib import Path

from check_rooms import ROOMS

COMMANDS = ("run", "check", "explain")
# page: what introduces a flag's name in it
FLAG_PAGES = {
    "docs/umbra.1": r"--([a-z][a-z-]+)",
    "docs/configuration.md": r"--([a-z][a-z-]+)",
    "deploy/completions/umbra.bash": r"--([a-z][a-z-]+)",
    "deploy/completions/_umbra": r"--([a-z][a-z-]+)",
    "deploy/completions/umbra.fish": r"^complete .* -l ([a-z][a-z-]+)",
}


def flags_of(umbra):
    names = {"version"}
    for command in COMMANDS:
        text = subprocess.run([umbra, command, "--help"], capture_output=True, text=True, check=True).stdout
        names |= set(re.findall(r"^  (?:-\w, )?--([a-z-]+)", text, re.MULTILINE))
    return names


def reasons_of(root):
    text = "".join((root / "src/stats" / name).read_text(encoding="utf-8") for name in ("shadow_skip.def", "shadow_drop.def"))
    return set(re.findall(r'^UM_(?:SKIP|DROP)\(\w+, "(\w+)"', text, re.MULTILINE))


def differences(page, has, wanted, what):
    yield from (f"{page}: {what} {name} is missing" for name in sorted(wanted - has))
    yield from (f"{page}: there is no {what} {name}" for name in sorted(has - wanted))


def main():
    root, flags = Path(sys.argv[1]), flags_of(sys.argv[2])

    def found(page, pattern):
        return set(re.findall(pattern, (root / page).read_text(encoding="utf-8").replace("\\-", "-"), re.MULTILINE))

    faults = []
    for page, pattern in FLAG_PAGES.items():
        faults += differences(page, found(page, pattern), flags, "flag")
    page = "docs/mirroring.md"
    faults += differences(page, found(page, r"^\| `((?!umbra_)\w+)` \|"), reasons_of(root), "reason")
    page = "docs/architecture.md"
    faults += differences(page, found(page, r"^\| `src/(\w+)/`"), set(ROOMS), "room")
    faults += [f"{page}: there is no {path}" for path in sorted(found(page, r"`(src/[\w/.]+)`")) if not (root / path).exists()]
    print("\n".join(faults) if faults else "docs: flags, reasons and rooms are as the program has them")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
