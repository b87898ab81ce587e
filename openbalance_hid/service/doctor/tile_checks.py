"""Checks of the tiles of other packages: those that the configuration names, and names that are taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openbalance_hid.config.schema import Config, used_plugins
from openbalance_hid.config.tile_plugins import InstalledPlugins
from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.hints import hint
from openbalance_hid.service.doctor.check import Check, ok, warning
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.tiles.plugin import PluginTile


def check_tiles(context: DoctorContext) -> list[Check]:
    """Check the tiles of other packages that the configuration names, and what the running daemon reports of them."""
    from openbalance_hid.tiles import TILES

    try:
        config = context.config()
    except OpenBalanceError:  # `configuration` reports it
        config = Config()
    try:
        status = context.daemon()
    except OpenBalanceError:  # `daemon` reports it
        status = None
    reported = status.get("plugins", ()) if status is not None else ()
    return assess_tiles(used_plugins(config), reported, InstalledPlugins().taken(TILES))


def assess_tiles(used: Iterable[PluginTile], reported: Sequence[Mapping[str, Any]], taken: Mapping[str, str]) -> list[Check]:
    """Return a row for each tile of another package that is used, and for each that cannot be.

    `reported`: of the daemon's status; `taken`: packages with a tile that has the name of one of the product.
    """
    running = {row["tile"]: row for row in reported}
    checks = []
    for tile in used:
        found = running.get(tile.name, {"package": tile.package, "problem": tile.problem or None})
        words = f"of {found['package']}"
        if found["problem"]:
            checks.append(warning("tiles", f"{words}: {found['problem']}", hint("a tile of another package fails"), tile.name))
        else:
            checks.append(ok("tiles", f"{words}, which runs with all rights of this program", tile.name))
    for name, package in taken.items():
        words = f'{package} offers a tile with this name, which is the product\'s; as tile = "{package}:{name}" it can be used'
        checks.append(warning("tiles", words, hint("a tile has the name of one of this program"), name))
    return checks or [ok("tiles", "none of another package is used")]
