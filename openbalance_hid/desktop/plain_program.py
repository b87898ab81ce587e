"""One run of the user's program as a child of this process: a session of its own, no key, no terminal.

Used where this process has no sandbox to leave. In a service of the user's systemd it is `transient_unit`.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from openbalance_hid.desktop.process_hardening import environment_of_child
from openbalance_hid.tiles.program_output import EndKind, ProgramEnd


class PlainProgram:
    """A running child. Raises OSError if it cannot be started.

    `output`: descriptor that it writes to, None: nothing is kept; `content`: of its standard input, None: empty.
    """

    def __init__(self, words: tuple[str, ...], output: int | None, content: int | None, env: Mapping[str, str]) -> None:
        home = Path(env.get("HOME") or "/")
        self._name = words[0]
        self._process = subprocess.Popen(  # noqa: S603  the user's own program, checked by the caller
            list(words),
            env=environment_of_child(env),
            cwd=home if home.is_dir() else "/",
            stdin=subprocess.DEVNULL if content is None else content,
            stdout=subprocess.DEVNULL if output is None else output,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.is_reported = False
        self.exit_descriptor: int | None = None  # readable when the child has ended; macOS has none
        with suppress(AttributeError, OSError):
            self.exit_descriptor = os.pidfd_open(self._process.pid)

    def poll(self) -> ProgramEnd | None:
        """Return how it has ended; None while it runs. What it has started is then ended as well."""
        code = self._process.poll()
        if code is None:
            return None
        self._signal_group(signal.SIGKILL)
        if code < 0:
            return ProgramEnd(EndKind.SIGNALLED, -code, detail=f"{self._name} was ended by signal {-code}")
        return ProgramEnd(EndKind.EXITED, code, detail=f"{self._name} ended with exit code {code}" if code else "")

    def terminate(self) -> None:
        """Have it and what it has started end."""
        self._signal_group(signal.SIGTERM)

    def kill(self) -> None:
        """End it and what it has started at once."""
        self._signal_group(signal.SIGKILL)

    def close(self) -> None:
        """Release what belongs to the run; after its end, or when it is given up."""
        if self.exit_descriptor is not None:
            os.close(self.exit_descriptor)
            self.exit_descriptor = None

    def _signal_group(self, number: int) -> None:
        with suppress(OSError):  # all have ended
            os.killpg(self._process.pid, number)
