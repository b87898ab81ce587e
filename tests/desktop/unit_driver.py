"""Runs programs inside of a hardened service of a user's systemd, and prints what became of them, one JSON object a line."""

import json
import os
import queue
import signal
import sys
import time
from pathlib import Path

from openbalance_hid.desktop.program_run import ProgramRequest
from openbalance_hid.desktop.program_runner import ProgramRunner

SANDBOX = "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status"


class Driver:
    """`log`: file for the results."""

    def __init__(self, log: str) -> None:
        self.runner = ProgramRunner(os.environ)
        self._log = log

    def write(self, name: str, **facts: object) -> None:
        with Path(self._log).open("a") as file:
            file.write(json.dumps({"name": name, **facts}) + "\n")

    def run(self, name: str, *words: str, limit_s: float | None = 20.0, stop_after_s: float | None = None) -> None:
        ends: queue.SimpleQueue = queue.SimpleQueue()
        lines: list[str] = []
        started_s = time.monotonic()
        request = ProgramRequest(words, ends.put, limit_s, True, lambda line: lines.append(line.decode()))
        self.runner.start(name, request)
        if stop_after_s is not None:
            time.sleep(stop_after_s)
            self.runner.stop(name)
        end = ends.get(timeout=30)
        took_s = time.monotonic() - started_s
        self.write(
            name,
            kind=end.kind.value,
            code=end.code,
            output=end.output.decode(),
            detail=end.detail,
            lines=lines,
            took_s=took_s,
        )


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def main(log: str, child: str) -> None:
    driver = Driver(log)
    status = Path("/proc/self/status").read_text().splitlines()
    own = [line for line in status if line.startswith(("NoNewPrivs", "Seccomp:"))]
    driver.write("self", sandbox=own)
    driver.run("sandbox", "/bin/sh", "-c", SANDBOX)
    driver.run("environment", "/usr/bin/env")
    driver.run("words", "/usr/bin/printf", "%s|", "a b", "$HOME", "${HOME}", "$$", "%n", "\\t", "", "ü;'\"")
    driver.run("exit", "/bin/sh", "-c", "echo some; exit 3")
    driver.run("signal", "/bin/sh", "-c", "kill -9 $$")
    driver.run("missing", "/nowhere/program")
    driver.run("script", child)
    driver.run("flood", "/usr/bin/yes")
    driver.run("slow", "/bin/sh", "-c", "setsid sleep 98761 & sleep 98762", limit_s=0.5)
    driver.run("stubborn", "/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done", limit_s=0.3)
    driver.run("lines", "/bin/sh", "-c", "echo one; sleep 0.5; echo two; sleep 98763", limit_s=None, stop_after_s=1.2)
    before = open_descriptors()
    for number in range(10):
        driver.run("again", "/bin/echo", str(number))
    driver.write("descriptors", before=before, after=open_descriptors())
    end = driver.runner.call(("/usr/bin/tee", f"{log}.input"), b"content")
    driver.write("input", kind=end.kind.value, text=Path(f"{log}.input").read_text())
    driver.runner.start("left", ProgramRequest(("/bin/sleep", "98764"), print, None, True))
    time.sleep(0.5)
    driver.write("end")
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
