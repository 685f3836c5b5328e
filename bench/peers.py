# SPDX-License-Identifier: Apache-2.0
"""The proxies that are measured. peers/NAME/peer.ini says how one is started; the other files there are its configuration.

In a configuration @NAME@ is replaced, and a line `%tag text` is kept only where the tag fits: none, full or sample (no mirror,
100 %, 10 %), and mirror for the latter two."""
import configparser
import re
import shlex
import shutil
import time

import lab

VARIANTS = ("none", "sample", "full")


class Peer:
    def __init__(self, name):
        ini = configparser.ConfigParser(interpolation=None)
        ini.read(lab.BENCH / "peers" / name / "peer.ini")
        self.name, self.settings = name, ini["peer"]
        self.variants = self.settings["variants"].split()
        self.process, self.pids = None, []

    def missing(self):
        program = shlex.split(self.fill(self.settings["cmd"]))[0]
        return None if shutil.which(program) else program

    def fill(self, text, **more):
        values = {"PORT": lab.PROXY, "PRIMARY": lab.PRIMARY, "SHADOW": lab.SHADOW, "ADMIN": lab.ADMIN, "BIN": lab.BIN,
                  "ROOT": lab.BENCH.parent, "DIR": lab.TMP / self.name, "ROUTES": "", **more}
        return re.sub(r"@([A-Z]+)@", lambda m: str(values[m[1]]), text)

    def render(self, variant, routes):
        folder = lab.TMP / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tags = {variant, "nomirror" if variant == "none" else "mirror"}
        for source in (lab.BENCH / "peers" / self.name).iterdir():
            if source.name == "peer.ini":
                continue
            lines = []
            for line in source.read_text().split("\n"):
                tagged = re.match(r"%(\w+) (.*)", line)
                if not tagged or tagged[1] in tags:
                    lines.append(tagged[2] if tagged else line)
            (folder / source.name).write_text(self.fill("\n".join(lines), ROUTES=routes))
        return folder

    def start(self, variant, routes=""):
        folder = self.render(variant, routes)
        key = "cmd_mirror" if variant != "none" and "cmd_mirror" in self.settings else "cmd"
        self.process = lab.spawn(shlex.split(self.fill(self.settings[key])), lab.cpus()[0], folder / "output")
        lab.wait_port(lab.PROXY, self.process)
        time.sleep(0.3)  # workers that start one by one
        self.pids = lab.tree(self.process.pid)

    def cpu_us(self):
        return lab.cpu_us(self.pids)

    def stop(self):
        lab.stop(self.process)
        self.process = None
