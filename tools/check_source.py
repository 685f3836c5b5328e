#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What every source file must have and must not call: the SPDX line, and in src/ and tests/ none of the banned libc calls.

A banned call is one that overruns, is not thread-safe, or swallows errors; the text says what to use instead.
"""
import re
import sys
from pathlib import Path

SPDX = "SPDX-License-Identifier: Apache-2.0"
BANNED = {
    "strcpy": "um_str or memcpy with a length",
    "strcat": "um_buf_add",
    "strncpy": "memcpy with a length",
    "strncat": "um_buf_add",
    "stpcpy": "memcpy with a length",
    "sprintf": "snprintf or um_buf_addf",
    "vsprintf": "vsnprintf",
    "gets": "read",
    "strtok": "um_str_split",
    "gmtime": "gmtime_r",
    "localtime": "localtime_r",
    "ctime": "um_clock_text",
    "asctime": "um_clock_text",
    "atoi": "um_str_to_u64",
    "atol": "um_str_to_u64",
    "atoll": "um_str_to_u64",
    "atof": "strtod",
    "scanf": "um_str_to_u64",
    "sscanf": "um_str_to_u64",
    "rand": "um_rand",
    "srand": "um_rand",
    "random": "um_rand",
    "inet_ntoa": "um_sockaddr_text",
    "inet_addr": "um_sockaddr_parse",
    "gethostbyname": "the resolver",
    "getaddrinfo": "the resolver (it blocks, I7)",
    "alloca": "an arena",
    "system": "nothing",
    "popen": "nothing",
    "mktemp": "mkstemp",
    "tmpnam": "mkstemp",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
# comments and literals are blanked, newlines kept, so that only code is searched and line numbers stay right
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
C_NAMES = ("*.c", "*.h", "*.cc")
ALL_NAMES = C_NAMES + ("*.py", "*.sh")
TOP_SCRIPTS = ("run", "test", ".ci/run")


def code_of(text):
    return NOT_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def files_of(root, folders, names):
    for folder in folders:
        for name in names:
            yield from sorted((root / folder).rglob(name))


def faults_of(root):
    for path in [*files_of(root, ("src", "tests", "tools", "bench"), ALL_NAMES), *(root / name for name in TOP_SCRIPTS)]:
        head = path.read_text(encoding="utf-8").splitlines()[:2]
        if not any(SPDX in line for line in head):
            yield f"{path.relative_to(root)}:1: no line with '{SPDX}'"
    for path in files_of(root, ("src", "tests"), C_NAMES):
        code = code_of(path.read_text(encoding="utf-8"))
        for call in CALL.finditer(code):
            line = code.count("\n", 0, call.start()) + 1
            yield f"{path.relative_to(root)}:{line}: {call.group(1)}() is banned: use {BANNED[call.group(1)]}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    faults = list(faults_of(root))
    print("\n".join(faults) if faults else "source: SPDX lines and calls are as they should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
