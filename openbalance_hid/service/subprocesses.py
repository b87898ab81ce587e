"""Starts the system's own programs (systemctl, launchctl, udevadm …): never through a shell, always with a time limit."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openbalance_hid.desktop.process_hardening import without_key_variables

LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. `code`: its exit code, None when it was not there or did not end in time; then `err` says which."""

    code: int | None
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def stopped(self) -> bool:
        """Whether a signal ended it: who read what it said has left, or Ctrl-C."""
        return self.code is not None and self.code < 0

    @property
    def reason(self) -> str:
        """The last line that it complained with, but for where to look further; or else its exit code in words."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        lines = [line for line in lines if not line.startswith("See ")] or lines
        return lines[-1] if lines else f"exit code {self.code}"


def ask_program(words: Sequence[str], limit_s: float = LIMIT_S, more: Mapping[str, str] | None = None) -> Ended:
    """What the program says, as it ended. `more`: variables beside those of this process. Raises nothing."""
    try:
        ended = subprocess.run(  # noqa: S603 – fixed words and names that were checked
            list(words),
            env={**without_key_variables(os.environ), **(more or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except FileNotFoundError:
        return Ended(None, "", f"{words[0]} is not installed")
    except subprocess.TimeoutExpired:
        return Ended(None, "", f"{words[0]} did not end within {limit_s:g} s")
    except OSError as error:
        return Ended(None, "", f"cannot start {words[0]}: {(error.strerror or str(error)).lower()}")
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def show_program(words: Sequence[str]) -> Ended:
    """Runs it on the caller's terminal until it ends; Ctrl-C is the program's to handle first."""
    try:
        ended = subprocess.run(list(words), env=without_key_variables(os.environ), check=False)  # noqa: S603 – as above
        return Ended(ended.returncode, "", "")
    except FileNotFoundError:
        return Ended(None, "", f"{words[0]} is not installed")
    except OSError as error:
        return Ended(None, "", f"cannot start {words[0]}: {(error.strerror or str(error)).lower()}")
