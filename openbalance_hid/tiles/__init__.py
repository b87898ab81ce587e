"""The content of the tiles: one file for each, and this table of them. Pure: a scene in, a view out."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openbalance_hid.tiles.kind import TileKind

    TILES: dict[str, TileKind]  # by the name that the configuration has for it

# The files, in the order in which tiles are listed for users.
_FILES = (
    "balance",
    "top_models",
    "monthly_spend",
    "spike_alert",
    "usage",
    "today",
    "runway",
    "burn_rate",
    "budget",
    "api_keys",
    "key_switch",
    "free_quota",
    "providers",
    "meter",
    "command",
    "privacy",
    "page",
    "blank",
)


def __getattr__(name: str) -> object:
    """Return `TILES`, which is made at its first use: a status bar needs only `formatting`, and must start fast."""
    if name != "TILES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    kinds = [import_module(f"{__name__}.{file}").KIND for file in _FILES]
    return globals().setdefault("TILES", {kind.name: kind for kind in kinds})
