"""What every check receives: this machine's places, and the facts that several checks need and that are gathered once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from openbalance_hid.config.paths import Paths
from openbalance_hid.errors import NoDaemonError, OpenBalanceError

if TYPE_CHECKING:
    from openbalance_hid.config.schema import Config
    from openbalance_hid.deck.products import FoundDeck
    from openbalance_hid.deck.transport import HidTransport
    from openbalance_hid.desktop.credentials import KeySource

DAEMON_LIMIT_S = 2.0  # the daemon's main thread is never busy for so long
KEYRING_LIMIT_S = 4.0


class DoctorContext:
    """This machine. `program`: the command line of this program; `proc`, `sys_root`, `udev_dirs`: the system's directories."""

    def __init__(
        self,
        env: Mapping[str, str],
        paths: Paths,
        program: tuple[str, ...],
        transport: HidTransport | None = None,
        proc: Path = Path("/proc"),
        sys_root: Path = Path("/sys"),
        udev_dirs: tuple[Path, ...] | None = None,
    ) -> None:
        self.env = env
        self.paths = paths
        self.program = program
        self.proc = proc
        self.sys_root = sys_root
        self.udev_dirs = udev_dirs
        self.platform = sys.platform
        self._transport = transport
        self.daemon: Memo[Mapping[str, Any] | None] = Memo(self._daemon_status)  # None when none is running
        self.config: Memo[Config] = Memo(self._load_config)
        self.decks: Memo[tuple[FoundDeck, ...]] = Memo(self._find_decks)
        self.key_sources: Memo[Mapping[str, tuple[KeySource, ...]]] = Memo(self._find_keys)  # by account

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that need a key; the default account when the configuration is not valid."""
        try:
            return tuple(name for name, account in self.config().accounts.items() if account.source is None)
        except OpenBalanceError:
            return ("default",)

    @property
    def ca_file(self) -> str | None:
        """Further root certificates for OpenRouter; None also when the configuration is not valid."""
        try:
            return self.config().ca_file
        except OpenBalanceError:
            return None

    def _daemon_status(self) -> Mapping[str, Any] | None:
        """Return the daemon's status. NoDaemonError when a daemon is running and does not answer."""
        from openbalance_hid.ipc.control_client import request
        from openbalance_hid.ipc.socket_path import socket_path_problem

        if socket_path_problem(self.paths.socket_file, self.platform):  # no daemon can run; `directories` reports it
            return None
        try:
            status: Mapping[str, Any] = request(self.paths.socket_file, "status", timeout_s=DAEMON_LIMIT_S)
        except NoDaemonError as error:
            if isinstance(error.__cause__, FileNotFoundError | ConnectionRefusedError):  # refused: its daemon was killed
                return None
            raise
        return status

    def _load_config(self) -> Config:
        from openbalance_hid.config.load import load_config

        return load_config(self.paths.config_file)

    def _find_decks(self) -> tuple[FoundDeck, ...]:
        from openbalance_hid.deck.products import find_decks
        from openbalance_hid.deck.transport import HidTransport

        return tuple(find_decks(self._transport or HidTransport()))

    def _find_keys(self) -> Mapping[str, tuple[KeySource, ...]]:
        from openbalance_hid.desktop.credentials import key_sources
        from openbalance_hid.desktop.deadline import Deadline

        deadline = Deadline(KEYRING_LIMIT_S)  # of all accounts together: their keys are in one keyring
        return {
            account: key_sources(account, self.env, self.paths, max(0.1, deadline.left_s()), may_prompt=False)
            for account in self.accounts
        }


_T = TypeVar("_T")


class Memo(Generic[_T]):
    """Every call returns the same value, or raises the same exception. Thread-safe."""

    def __init__(self, compute: Callable[[], _T]) -> None:
        self._compute = compute
        self._lock = threading.Lock()
        self._values: list[_T] = []
        self._error: Exception | None = None

    def __call__(self) -> _T:
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._values:
                try:
                    self._values.append(self._compute())
                except Exception as error:  # raised again at the next call
                    self._error = error
                    raise
            return self._values[0]
