"""What a tile is: its name, options, content and tap, and its cases as data.

A case is one situation that the tests draw as a golden picture and that the tile gallery shows. It holds plain values only.
Nothing in the running program calls `TileKind.cases`; `tools/tile_cases.py` makes snapshots and pictures of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct, field

from openbalance_hid.account.key_switching import KeySwitch
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spike import Level
from openbalance_hid.tiles.actions import Action
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.program_output import CommandState
from openbalance_hid.tiles.scene import Privacy, Scene
from openbalance_hid.tiles.view import TileView

CASE_TIME: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # the time of every case, without its `later`: a Sunday noon


class CaseAccount(Struct, frozen=True):
    """An account as a case describes it: a usual working day, unless a field differs. Amounts in USD."""

    bought: str = "100"
    used: str = "25.75"
    days: tuple[str, ...] = ("3.40", "2.85", "1.10", "0.95", "3.05", "4.20", "2.60", "3.30", "1.25", "0", "2.95", "3.75")
    """Spend of completed UTC days, newest first."""
    today: str = "1.20"
    yesterday: tuple[str, str] = ("1.60", "1.80")  # until this time of day, and in its remaining hours
    sampled_h: int = 36  # hours for which the balance was sampled, every 15 minutes; 0: no samples
    hours: tuple[str, ...] = ()  # spend of the last hours by the analytics query, oldest first
    budget: str | None = "100"  # of the UTC month
    has_api_keys: bool = True
    free_quota: tuple[int, int] | None = (50, 13)  # limit and used; None: not in the answer
    unknown: tuple[str, ...] = ()  # readings without a value: "credits", "activity", "today", "keys"
    health: Health = Health.OK  # of the last poll; values stay
    refused: Mapping[str, Health] = field(default_factory=dict)  # readings with a trouble of their own
    running_s: float = 3600  # since the daemon started
    interval_s: float = 900


class TileCase(Struct, frozen=True):
    """One situation of a tile, with a name that its golden picture is kept under."""

    name: str
    account: CaseAccount = CaseAccount()
    later: timedelta = timedelta()  # since the last poll
    options: Mapping[str, object] = field(default_factory=dict)
    label: str | None = None
    turn: int = 0
    acknowledged: Level | None = None  # level of the spike alert that the user has acknowledged
    page: int = 0  # of the three in `tools.tile_cases.PAGES`
    privacy: Privacy = Privacy.OFF
    run: MeterRun | None = None
    switch: KeySwitch | None = None  # of the key with its hash
    may_switch: bool = True
    command: CommandState | None = None


NOT_POLLED: Final = ("activity", "today", "keys")  # while only the balance is known
IDLE: Final = CaseAccount(days=(), today="0", yesterday=("0", "0"), unknown=("today", "keys"))


class TileKind(Struct, frozen=True):
    """A row of the table of tiles."""

    name: str
    help: str  # one line
    view: Callable[[Scene], TileView]
    tap: Action
    options: tuple[Option, ...] = ()
    cases: Callable[[], tuple[TileCase, ...]] = tuple
    case_options: Mapping[str, object] = field(default_factory=dict)  # that all cases have, also those of every tile
    has_account: bool = True  # False: it shows nothing about an account

    def defaults(self) -> dict[str, object]:
        """Return every option at its default."""
        return {option.name: option.default for option in self.options}
