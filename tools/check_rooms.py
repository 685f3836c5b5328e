#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The layering of src/: a room may include only what its row names (docs/architecture.md, "Rooms").

Prints every #include that goes against the table, and every folder that has no row. Exit 1 if there is one.
"""
import re
import sys
from pathlib import Path

# room: the rooms it may include beside itself, leaves first. A new room gets a row here and one in the page.
CORE = "base http io stats model"
ROOMS = {
    "base": "",
    "http": "base",
    "io": "base",
    "stats": "base",
    "model": "base http",
    "config": "base",
    "istio": "base http model config",
    "source": "base http io config upstream",
    "route": "base http model",
    "upstream": CORE,
    "downstream": "base http io stats",
    "proxy": CORE + " route upstream downstream",
    "admin": CORE + " config istio source route upstream downstream",
    "app": CORE + " config istio source route upstream downstream proxy admin",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def faults_of(src, path):
    room = path.relative_to(src).parts[0]
    allowed = {room, *ROOMS[room].split()}
    for match in INCLUDE.finditer(path.read_text(encoding="utf-8")):
        target = match.group(1)
        where = f"src/{path.relative_to(src)}"
        if "/" not in target:
            yield f'{where}: #include "{target}": write it as "room/file.h"'
        elif target.split("/")[0] not in allowed:
            yield f'{where}: room {room} may not include "{target}" (only: {" ".join(sorted(allowed))})'
        elif not (src / target).is_file():
            yield f'{where}: #include "{target}": no such file'


def main():
    src = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent) / "src"
    faults = [f"src/{d.name}: no row in ROOMS" for d in sorted(src.iterdir()) if d.is_dir() and d.name not in ROOMS]
    for path in sorted(src.rglob("*.[ch]")) + sorted(src.rglob("*.cc")) + sorted(src.rglob("*.def")):
        if path.relative_to(src).parts[0] in ROOMS:
            faults.extend(faults_of(src, path))
    print("\n".join(faults) if faults else f"rooms: {len(ROOMS)} rows hold")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
