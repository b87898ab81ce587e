"""Starts the system's own programs (systemctl, launchctl, udevadm …): never through a shell, always with a time limit."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openbalance_hid.desktop.process_hardening import without_key_variables

LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """`code`: exit code, None when the program could not be started or did not end in time; then `err` has the reason."""

    code: int | None
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def was_stopped(self) -> bool:
        """Whether a signal ended it: Ctrl-C, or the reader of its output ended first."""
        return self.code is not None and self.code < 0

    @property
    def reason(self) -> str:
        """The last line of its error output, without references to manuals; its exit code when there is none."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        lines = [line for line in lines if not line.startswith("See ")] or lines
        return lines[-1] if lines else f"exit code {self.code}"


def run_program(words: Sequence[str], limit_s: float = LIMIT_S, extra_env: Mapping[str, str] | None = None) -> ProgramResult:
    """Return the program's result. `extra_env`: variables beside those of this process. Raises nothing."""
    try:
        ended = subprocess.run(  # noqa: S603 – fixed words and names that were checked
            list(words),
            env={**without_key_variables(os.environ), **(extra_env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ProgramResult(None, "", f"{words[0]} did not end within {limit_s:g} s")
    except OSError as error:
        return _not_started(words[0], error)
    return ProgramResult(ended.returncode, ended.stdout, ended.stderr)


def run_in_terminal(words: Sequence[str], text: str | None = None) -> ProgramResult:
    """Run the program in the caller's terminal until it ends. Ctrl-C reaches the program first.

    `text`: its standard input, in place of the terminal; what it prints is then discarded, except for errors.
    """
    try:
        ended = subprocess.run(  # noqa: S603 – as above
            list(words),
            env=without_key_variables(os.environ),
            input=text,
            stdout=None if text is None else subprocess.DEVNULL,
            text=True,
            check=False,
        )
    except OSError as error:
        return _not_started(words[0], error)
    return ProgramResult(ended.returncode, "", "")


def _not_started(name: str, error: OSError) -> ProgramResult:
    if isinstance(error, FileNotFoundError):
        return ProgramResult(None, "", f"{name} is not installed")
    return ProgramResult(None, "", f"cannot start {name}: {(error.strerror or str(error)).lower()}")
