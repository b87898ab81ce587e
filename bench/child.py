"""A measured process: it takes a command a line, replies with a line of JSON, and leaves nothing behind."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parent.parent
STOP_LIMIT_S = 10.0
_LEFT_OUT = (
    "OPENBALANCE_",
    "OPENROUTER_",
    "PYTHON",
)  # settings of this user


class Child:
    """`python -m MODULE ARGS…` with pipes. `started_s`: just before the start, on the monotonic clock of all processes."""

    def __init__(self, module: str, *args: str, env: Mapping[str, str] | None = None) -> None:
        self._name = module
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 – closed in __exit__
        self.started_s = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *args],
            cwd=ROOT,
            env={**bare_environment(), **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._errors.close()

    def wait_ended(self) -> float:
        """Wait until the process has ended by itself; return the monotonic seconds."""
        self._process.wait(STOP_LIMIT_S * 3)
        return time.monotonic()

    def request(self, command: str) -> dict[str, Any]:
        """Send a command and return its reply."""
        self.send(command)
        return self.reply()

    def send(self, command: str) -> None:
        """Send a command without waiting for its reply."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def reply(self) -> dict[str, Any]:
        """Return the next line that is a JSON object, past the product's own output. Raises RuntimeError at its end."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        self._errors.seek(0)
        raise RuntimeError(f"{self._name} ended without a reply:\n{self._errors.read()}")


def bare_environment() -> dict[str, str]:
    """Return the environment of this process without its settings for Python and for this program."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
