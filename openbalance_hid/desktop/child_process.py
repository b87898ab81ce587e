"""A child of this program that runs one of its modules: no key in its environment, a socket as its standard input."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

from openbalance_hid.desktop.process_hardening import environment_of_child

RUN_MODULE = (sys.executable, "-P", "-m")  # -P: import nothing from the working directory
# A terminal and a service manager send these to the whole group: the parent ends the child when it needs it no longer.
_OF_THE_PARENT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class ChildProcess:
    """A running child. `module`: what it runs; `channel`: its standard input. OSError if it cannot be started."""

    def __init__(self, module: str, channel: socket.socket, env: Mapping[str, str] = os.environ) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_THE_PARENT)  # the child inherits what is blocked
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603  this program itself
                [*RUN_MODULE, module],
                env=environment_of_child(env),
                stdin=channel.fileno(),
                stdout=subprocess.DEVNULL,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def end(self, limit_s: float) -> None:
        """Wait for the child, which ends when its standard input is closed; kill it after `limit_s`. Idempotent."""
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):  # one that the kernel does not end (proc(5), state D)
                self._process.wait(limit_s)
