# SPDX-License-Identifier: Apache-2.0
"""Bounded waiting. Tests wait for events; a limit is only there so that a broken test ends."""
import os
import time

SLOW = int(os.environ.get("UMBRA_TEST_SLOW", "1"))  # factor for sanitizer and valgrind runs
LIMIT = 10 * SLOW  # seconds


def until(what, condition, limit=LIMIT):
    """The first true value of condition(); what names it in the failure."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit} s in vain for: {what}")
        time.sleep(0.005)
