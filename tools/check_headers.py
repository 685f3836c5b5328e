#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every header of src/ compiles alone. Usage: check_headers.py ROOT COMPILER"""
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def complaint_of(compiler, src, header):
    unit = f'#include "{header.relative_to(src)}"\n'
    command = [*compiler, "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror",
               "-fsyntax-only", "-I", src, "-x", "c", "-"]
    return subprocess.run(command, input=unit, text=True, capture_output=True, check=False).stderr


def main():
    src = Path(sys.argv[1]) / "src"
    compiler = sys.argv[2:]
    headers = sorted(src.rglob("*.h"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [c for c in pool.map(lambda h: complaint_of(compiler, src, h), headers) if c]
    print("\n".join(complaints) if complaints else f"headers: {len(headers)} compile alone")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
