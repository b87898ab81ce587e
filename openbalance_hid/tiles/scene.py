"""The input of a tile. A tile sees nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum

from msgspec import Struct, field

from openbalance_hid.account.alert import Alert
from openbalance_hid.account.key_switching import KeySwitch
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.tiles.program_output import CommandState


class Privacy(Enum):
    """Whether amounts are masked: not, all of them, or not while the privacy tile is held."""

    OFF = "off"
    ON = "on"
    PEEK = "peek"


class Scene(Struct, frozen=True):
    """The situation of one key. `turn` counts up at each page of a cycling tile; `now` is aware UTC.

    `pages`: names of the deck's pages; `page`: index of the current one; both empty in a picture of one key.
    `run`: the last run of the account's meter. `switches`: the last switch of each API key, by hash; `may_switch`: whether a
    hold may disable and enable keys. `command`: what is known of the tile's programs; None: none has run.
    """

    tile: str
    snapshot: Snapshot
    now: datetime
    options: Mapping[str, object] = field(default_factory=dict)
    theme: str = "dark"
    label: str | None = None
    turn: int = 0
    alert: Alert | None = None
    pages: tuple[str, ...] = ()
    page: int = 0
    run: MeterRun | None = None
    privacy: Privacy = Privacy.OFF
    switches: Mapping[str, KeySwitch] = field(default_factory=dict)
    may_switch: bool = False
    command: CommandState | None = None

    def choice(self, name: str) -> str:
        """Return the chosen value of an option."""
        return str(self.options[name])

    def amount(self, name: str) -> Decimal | None:
        """Return an option as a number; None when it is off."""
        value = self.options[name]
        return None if value is None else Decimal(str(value))
