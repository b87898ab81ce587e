"""What the owner calls too little: limits that stand in the options of tiles and hold for an account. Pure."""

from decimal import Decimal

from openbalance_hid.config.schema import Config


def low_limit_usd(config: Config, account: str, to_be_told: bool = False) -> Decimal | None:
    """Below this the account's balance is low: the highest `low_usd` of its balance tiles, None where none has one.

    `to_be_told`: only of those tiles that are to tell the desktop.
    """
    limits = [
        Decimal(str(tile.options["low_usd"]))
        for deck in config.decks
        for page in deck.pages
        for tile in page.keys.values()
        if tile.tile == "balance" and tile.account == account
        if tile.options.get("low_usd") is not None and not (to_be_told and tile.options.get("notify") is False)
    ]
    return max(limits, default=None)
