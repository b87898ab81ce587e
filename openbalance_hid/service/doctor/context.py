"""What every probe is handed: where to look, and what several of them want to know and is asked only once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbalance_hid.config.paths import Paths
from openbalance_hid.errors import NoDaemonError, OpenBalanceError
from openbalance_hid.service.doctor.memo import Memo

if TYPE_CHECKING:
    from openbalance_hid.config.schema import Config
    from openbalance_hid.deck.products import FoundDeck
    from openbalance_hid.deck.transport import HidTransport
    from openbalance_hid.desktop.credentials import KeySource

ANSWER_LIMIT_S = 2.0  # the daemon's main thread is never busy for so long
KEYRING_LIMIT_S = 4.0


class DoctorContext:
    """This machine. `program`: the words that start us. `proc`, `sys_root`, `udev_dirs`: the system's own places."""

    def __init__(
        self,
        env: Mapping[str, str],
        places: Paths,
        program: tuple[str, ...],
        transport: HidTransport | None = None,
        proc: Path = Path("/proc"),
        sys_root: Path = Path("/sys"),
        udev_dirs: tuple[Path, ...] | None = None,
    ) -> None:
        self.env = env
        self.places = places
        self.program = program
        self.proc = proc
        self.sys_root = sys_root
        self.udev_dirs = udev_dirs
        self.platform = sys.platform
        self._transport = transport
        self.daemon: Memo[Mapping[str, Any] | None] = Memo(self._ask_daemon)  # its status, None where none runs
        self.config: Memo[Config] = Memo(self._load_config)
        self.decks: Memo[tuple[FoundDeck, ...]] = Memo(self._find_decks)
        self.sources: Memo[Mapping[str, tuple[KeySource, ...]]] = Memo(self._look_for_keys)  # by account

    @property
    def accounts(self) -> tuple[str, ...]:
        """Those of the configuration; of one that cannot be used, the default one."""
        try:
            return tuple(self.config().accounts)
        except OpenBalanceError:
            return ("default",)

    def _ask_daemon(self) -> Mapping[str, Any] | None:
        """NoDaemonError when something is there that does not answer."""
        from openbalance_hid.ipc.control_client import request

        try:
            told: Mapping[str, Any] = request(self.places.socket_file, "status", timeout_s=ANSWER_LIMIT_S)
        except NoDaemonError as error:
            if isinstance(error.__cause__, FileNotFoundError | ConnectionRefusedError):  # refused: of one that was killed
                return None
            raise
        return told

    def _load_config(self) -> Config:
        from openbalance_hid.config.load import load_config

        return load_config(self.places.config_file)

    def _find_decks(self) -> tuple[FoundDeck, ...]:
        from openbalance_hid.deck.products import find_decks
        from openbalance_hid.deck.transport import HidTransport

        return tuple(find_decks(self._transport or HidTransport()))

    def _look_for_keys(self) -> Mapping[str, tuple[KeySource, ...]]:
        from openbalance_hid.desktop.credentials import key_sources
        from openbalance_hid.desktop.deadline import Deadline

        patience = Deadline(KEYRING_LIMIT_S)  # of all accounts together: one keyring keeps them all
        return {
            account: key_sources(account, self.env, self.places, max(0.1, patience.left_s()), ask_owner=False)
            for account in self.accounts
        }
