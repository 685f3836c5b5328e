# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the wire and end-to-end tests. UMBRA names the binary; UMBRA_TEST_SLOW=4 stretches every limit."""
import os

import pytest

from harness.server import Server
from harness.umbra import BINARY, Umbra


class Stage:
    """Where one scenario plays; what is started here is ended, and checked, when the scenario is over."""

    def __init__(self, folder):
        self.folder, self.closing, self.umbras = folder, [], []

    def server(self, script=None, **more):
        return self.add(Server(script, **more))

    def servers(self, n):
        return [self.server() for _ in range(n)]

    def add(self, thing):
        """Anything with close()."""
        self.closing.append(thing)
        return thing

    def umbra(self, docs, *args, **more):
        folder = self.folder / f"umbra-{len(self.umbras)}"
        folder.mkdir()
        self.umbras.append(Umbra(folder, docs, args, **more))
        return self.umbras[-1]

    def close(self):
        try:
            for umbra in self.umbras:
                umbra.finish()
        finally:
            for thing in [*self.umbras, *self.closing]:
                (thing.kill if isinstance(thing, Umbra) else thing.close)()


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def pytest_configure(config):
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"no umbra at {BINARY}: build it, or name it in UMBRA", 2)
