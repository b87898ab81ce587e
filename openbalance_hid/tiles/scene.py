"""What a tile is given to make its view of. No tile sees anything else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum

from msgspec import Struct, field

from openbalance_hid.account.episode import Episode
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Snapshot


class Privacy(Enum):
    """Whether amounts are masked: not, all of them, or not while a finger rests on the privacy tile."""

    OFF = "off"
    ON = "on"
    PEEK = "peek"


class Scene(Struct, frozen=True):
    """One key's situation. `turn` counts up as a cycling tile turns its pages; `now` is aware UTC.

    `pages`: the names of the deck's pages, `page` the index of the one that is shown; none in a picture of one key.
    `run`: the last one of the account's meter.
    """

    tile: str
    snapshot: Snapshot
    now: datetime
    options: Mapping[str, object] = field(default_factory=dict)
    theme: str = "dark"
    label: str | None = None
    turn: int = 0
    episode: Episode | None = None
    pages: tuple[str, ...] = ()
    page: int = 0
    run: MeterRun | None = None
    privacy: Privacy = Privacy.OFF

    def choice(self, name: str) -> str:
        """The owner's choice of a named option."""
        return str(self.options[name])

    def amount(self, name: str) -> Decimal | None:
        """A number of the owner, None when the option is off."""
        value = self.options[name]
        return None if value is None else Decimal(str(value))
