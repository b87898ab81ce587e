"""`tiles`: the tiles of the product and of other installed packages; of one tile its options."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from openbalance_hid.config.load import product_tiles
from openbalance_hid.config.tile_plugins import InstalledPlugins, package_name, package_title
from openbalance_hid.errors import ConfigError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.text import did_you_mean, escape_unprintable, escaped_json
from openbalance_hid.tiles.options import Option


def _names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    rows = [row for row in _rows() if row["tile"].startswith(incomplete)]
    return [CompletionItem(row["tile"], help=row["help"] or f"of {row['package']}") for row in rows]


@click.command("tiles", short_help="List the tiles; of one, its options.")
@click.argument("name", required=False, shell_complete=_names)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def tiles(name: str | None, as_json: bool) -> None:
    """List the tiles, also those of other installed packages. With NAME: the options of that tile.

    A package is imported only if NAME is a tile of it.
    """
    rows = _rows() if name is None else [_details(name)]
    if as_json:
        click.echo(escaped_json(rows if name is None else rows[0], indent=1))
        return
    width = max(len(row["tile"]) for row in rows)
    for row in rows:
        about = "; ".join(part for part in (row["help"], f"of {row['package']}" if row["package"] else "") if part)
        click.echo(escape_unprintable(f"{row['tile']:{width}}  {about}", keep_lines=False))
        for option in row.get("options", ()):
            default = "" if option["default"] is None else f", default {option['default']}"
            line = f"  {option['name']:14}  {option['accepts']}{default}: {option['help']}"
            click.echo(escape_unprintable(line.removesuffix(": "), keep_lines=False))


def _rows() -> list[dict[str, Any]]:
    """Return a row for each tile. Of other packages only the metadata is read."""
    from openbalance_hid.tiles import TILES

    installed = InstalledPlugins()
    ours = [{"tile": kind.name, "package": None, "help": kind.help} for kind in TILES.values()]
    others = []
    for name in sorted(installed.plain):
        for offer in installed.offers(name):
            unique = name not in TILES and len(installed.offers(name)) == 1
            chosen = name if unique else f"{package_name(offer)}:{name}"
            others.append({"tile": chosen, "package": package_title(offer), "help": ""})
    return [*ours, *others]


def _details(name: str) -> dict[str, Any]:
    """Return the row of one tile with its options. UsageError without such a tile, ConfigError if it cannot be used."""
    from openbalance_hid.tiles import TILES

    if name in TILES:
        kind = TILES[name]
        return {"tile": name, "package": None, "help": kind.help, "options": _options(product_tiles()[name])}
    installed = InstalledPlugins()
    loaded = installed.find(name)
    if loaded is None:
        known = (*TILES, *installed.plain)
        raise UsageError(f"no tile is named '{name[:40]}'{did_you_mean(name, known)}", hint("no such tile"))
    declared = loaded.declared
    if declared.problem:
        raise ConfigError(declared.warning, hint("no such tile"))
    return {"tile": name, "package": declared.package, "help": declared.help, "options": _options(declared.options)}


def _options(options: Sequence[Option]) -> list[dict[str, Any]]:
    return [
        {
            "name": option.name,
            "accepts": option.accepted,
            "default": None if option.default is None else json.loads(json.dumps(option.default, default=str)),
            "help": option.help,
        }
        for option in options
    ]
