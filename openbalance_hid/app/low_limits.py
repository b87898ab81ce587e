"""The limits below which an account's balance is low: from its balance tiles in the configuration. Pure."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from openbalance_hid.account.low_balance import AUTO, Limit
from openbalance_hid.account.pace import runway
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.config.default_layout import written_tiles
from openbalance_hid.config.schema import Config
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.balance import limit_of


def low_limits(config: Config, account: str, notifying: bool = False) -> tuple[Limit, ...]:
    """Return the limits of the account's balance tiles in the file; without such a tile, of the default ones.

    `notifying`: only of the tiles that notify.
    """
    written = [tile for deck in config.decks for page in deck.pages for tile in page.keys.values()]
    of_file = [tile for tile in written if tile.tile == "balance" and tile.account == account]
    tiles = of_file or [tile for tile in written_tiles(config, account) if tile.tile == "balance"]
    if notifying:
        tiles = [tile for tile in tiles if tile.options.get("notify") is not False]
    return tuple(dict.fromkeys(limit_of(tile.options) for tile in tiles))


def low_limit_usd(config: Config, account: str) -> Decimal | None:
    """Return the highest limit that is an amount; None without one."""
    return max((limit for limit in low_limits(config, account) if isinstance(limit, Decimal)), default=None)


def limit_words(snapshot: Snapshot, limits: Iterable[Limit], now: datetime) -> str:
    """Return why a balance is low, behind "$3.10 left": the days that it lasts, and the highest amount of the user."""
    chosen = tuple(limits)
    amount = max((limit for limit in chosen if isinstance(limit, Decimal)), default=None)
    left = runway(snapshot, now) if AUTO in chosen else None
    lasts = f", {words.about_days(left.days)} at the present pace" if left is not None and left.days > 0 else ""
    return lasts + ("" if amount is None else f"; your limit is {words.money(amount)}")
