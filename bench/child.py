"""A process to be measured: started, asked in lines, answering in lines of JSON, ended without a trace."""

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
_LEFT_OUT = ("OPENBALANCE_", "OPENROUTER_", "PYTHON")  # what this user has set; without byte code every start compiles anew


class Child:
    """`python -m MODULE ARGS…` with pipes. `began_s`: the monotonic clock (the same in all processes) just before the start."""

    def __init__(self, module: str, *args: str, env: Mapping[str, str] | None = None) -> None:
        self._name = module
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 – closed in __exit__
        self.began_s = time.monotonic()
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

    def ask(self, words: str) -> dict[str, Any]:
        """What it answers to one line."""
        self.tell(words)
        return self.answer()

    def tell(self, words: str) -> None:
        """One line, without waiting for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The next line that is a JSON object; other lines are the product's own words. RuntimeError when it has ended."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        self._errors.seek(0)
        raise RuntimeError(f"{self._name} ended without an answer:\n{self._errors.read()}")


def bare_environment() -> dict[str, str]:
    """This process's, without what its user has set for Python and for us."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
