"""Read the parsed tables of `config.toml`, section by section, into a `Config`.

Here are the rules between sections: names that must be unique, names that must exist, inherited values. The options of each
section are in `schema`, the options of each tile in the table that a caller passes in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from msgspec.structs import replace

from openbalance_hid.config import schema
from openbalance_hid.config.alert_sinks import read_alert_sinks
from openbalance_hid.config.broker_options import read_publish, read_source
from openbalance_hid.config.diagnostics import Diagnostics, Section, short_text
from openbalance_hid.config.icon_file import read_icon
from openbalance_hid.config.listen_address import ACCEPTED, ListenAddress, parse_listen_address
from openbalance_hid.config.paths import ACCOUNT_NAME
from openbalance_hid.config.schema import (
    AccountConfig,
    Config,
    ConfigLocation,
    DeckConfig,
    DialConfig,
    DimConfig,
    FrozenMap,
    PageConfig,
    TileConfig,
)
from openbalance_hid.config.serial_numbers import plain_serial
from openbalance_hid.config.tile_plugins import InstalledPlugins
from openbalance_hid.config.toml_positions import KeyPath
from openbalance_hid.orientation import ROTATIONS
from openbalance_hid.tiles.actions import NAMED_ACTIONS, PAGE_PREFIX
from openbalance_hid.tiles.command import ICONS
from openbalance_hid.tiles.command import NAME as COMMAND_TILE
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.plugin import PluginTile

OF_A_PACKAGE = "a tile of another package once that is installed (pipx inject openbalance-hid PACKAGE)"
TileOptions = Mapping[str, Sequence[Option]]  # tile -> the options that it accepts

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def read_config(found: Mapping[str, object], diagnostics: Diagnostics, tiles: TileOptions) -> Config:
    """Return the configuration. A wrong value is replaced by its default and added to `diagnostics`."""
    diagnostics.places = _places(diagnostics.first_header, tiles)
    if (word := found.get("decks")) in ("all", "named"):  # `decks = "named"`: the name of the tables, in place of the option
        diagnostics.add(("decks",), f"found '{word}', accepted: [[decks]] tables; write use_decks = \"{word}\"")
        found = {**found, "decks": []}
    top = Section(found, (), diagnostics)
    values = {option.name: top.value(option) for option in schema.TOP_LEVEL}
    ca_file = values["ca_file"]
    if ca_file is not None and not ca_file.startswith("/"):
        diagnostics.reject(("ca_file",), ca_file, "the absolute path of a file")
    accounts = _accounts(top.table("accounts"), values)
    dim = _dim(top.table("dim"))
    alerts = read_alert_sinks(top.tables("alerts"), diagnostics)
    metrics = _metrics(table) if (table := top.optional_table("metrics")) is not None else None
    publish = read_publish(table) if (table := top.optional_table("publish")) is not None else None
    decks = _Decks(diagnostics, tiles, values["theme"], tuple(accounts)).read(top.tables("decks"))
    top.close()
    return Config(**values, accounts=accounts, dim=dim, decks=decks, alerts=alerts, metrics=metrics, publish=publish)


def _places(first_header: str | None, tiles: TileOptions) -> Mapping[str, str]:
    """Return setting -> where it belongs, in words, for a setting that is in a table that does not have it."""
    above = f"put it above {first_header}" if first_header is not None else "put it at the top of the file"
    of_tiles: dict[str, list[str]] = {}
    for tile, options in tiles.items():
        for option in options:
            of_tiles.setdefault(option.name, []).append(tile)
    return {
        **{name: f"an option of the tile {' or '.join(names)}" for name, names in of_tiles.items()},
        **{option.name: "put it below [[decks.dials]]" for option in schema.DIAL},
        **dict.fromkeys(("tile", "key", *(option.name for option in schema.TILE)), "put it below [[decks.keys]]"),
        **{option.name: "put it below [[decks]]" for option in schema.DECK},
        **{option.name: "put it below [dim]" for option in schema.DIM},
        schema.METRICS_LISTEN.name: "put it below [metrics]",
        **{option.name: above for option in schema.TOP_LEVEL},
    }


def _accounts(section: Section, inherited: Mapping[str, Any]) -> FrozenMap[str, AccountConfig]:
    options = [replace(option, default=inherited[option.name]) for option in schema.INHERITED]
    options += schema.ACCOUNT
    accounts = {schema.DEFAULT_ACCOUNT: AccountConfig(**{option.name: inherited[option.name] for option in schema.INHERITED})}
    for name, account in section.subtables().items():
        if ACCOUNT_NAME.fullmatch(name):
            found, source = {option.name: account.value(option) for option in options}, read_source(account)
            if source is not None and found["allow_key_switch"]:
                problem = "found true beside source, accepted: only where this machine has the key"
                section.diagnostics.add((*account.path, "allow_key_switch"), problem)
            accounts[name] = AccountConfig(**found, source=source)
            account.close()
        else:
            section.diagnostics.reject(account.path, name, "a name of 1 to 32 letters a to z, digits and hyphens")
    return FrozenMap(accounts)


def _dim(section: Section) -> DimConfig:
    after_minutes, to_percent, off_after_minutes, night, on_lock = (section.value(option) for option in schema.DIM)
    section.close()
    hours = None if night is None else _hours(night)
    if night is not None and hours is None:
        section.diagnostics.reject((*section.path, "night"), night, "two different times of day as '23:00-07:00'")
    return DimConfig(after_minutes, to_percent, off_after_minutes, hours, on_lock)


def _metrics(section: Section) -> ListenAddress | None:
    """Return where metrics are served; None if that cannot be read."""
    text = section.value(schema.METRICS_LISTEN)
    section.close()
    address = parse_listen_address(text)
    if address is None:
        section.diagnostics.reject((*section.path, "listen"), text, ACCEPTED)
    return address


def _hours(text: str) -> tuple[time, time] | None:
    match = _HOURS.fullmatch(text)
    if match is None:
        return None
    start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
    start, end = time(start_hour, start_minute), time(end_hour, end_minute)
    return (start, end) if start != end else None


class _Decks:
    """Reads the entries of all decks, with the theme that they inherit and the names that they may use."""

    def __init__(self, diagnostics: Diagnostics, tiles: TileOptions, theme: str, accounts: tuple[str, ...]) -> None:
        self._diagnostics = diagnostics
        self._tiles = tiles
        self._theme = theme
        self._tile_name = Option("tile", "choice", None, choices=tuple(tiles))
        self._plugins: InstalledPlugins | None = None  # read when the file names a tile that is not of the product
        self._accounts = accounts
        account, theme_option, *others = schema.TILE
        self._common = (account, replace(theme_option, default=theme), *others)

    def read(self, sections: Sequence[Section]) -> tuple[DeckConfig, ...]:
        serials: dict[object, KeyPath] = {}
        decks = []
        if len(sections) > schema.MOST_DECKS:
            found = f"found {len(sections)} tables, accepted: at most {schema.MOST_DECKS}"
            self._diagnostics.add(sections[schema.MOST_DECKS].path, found)
        for section in sections:
            deck = self._deck(section)
            decks.append(deck)
            if deck.serial is not None:
                self._check_unique(serials, deck.serial, (*section.path, "serial"), plain_serial(deck.serial))
        return tuple(decks)

    def _deck(self, section: Section) -> DeckConfig:
        serial, brightness, rest, rotate, use, home_after_minutes = (section.value(option) for option in schema.DECK)
        if rotate not in ROTATIONS:
            section.diagnostics.reject((*section.path, "rotate"), rotate, f"one of {', '.join(map(str, ROTATIONS))}")
        pages = self._pages(section, rest)
        dials = self._dials(section.tables("dials"))
        strip = self._strip(section.table("strip"))
        section.close()
        return DeckConfig(serial, brightness, pages, dials, strip, rest, rotate, use, home_after_minutes)

    def _pages(self, deck: Section, rest: str) -> tuple[PageConfig, ...]:
        first = deck.tables("keys")
        pages: list[tuple[str, Sequence[Section]]] = [(schema.FIRST_PAGE, first)] if first else []
        names: dict[object, KeyPath] = {schema.FIRST_PAGE: (*deck.path, "keys")} if first else {}
        for section in deck.tables("pages"):
            name = section.value(schema.PAGE_NAME, required=True)
            keys = section.tables("keys")
            section.close()
            if name is not None:
                self._check_unique(names, name, (*section.path, "name"))
                pages.append((name, keys))
        if rest == "default":
            names.setdefault(schema.FIRST_PAGE, deck.path)  # with the default tiles
        known = tuple(str(name) for name in names)
        return tuple(self._page(name, keys, known) for name, keys in pages)

    def _page(self, name: str, sections: Sequence[Section], pages: tuple[str, ...]) -> PageConfig:
        keys: dict[int, TileConfig] = {}
        locations: dict[int, ConfigLocation] = {}
        used: dict[object, KeyPath] = {}
        for section in sections:
            key = section.value(schema.KEY_NUMBER, required=True)
            tile = self._tile(section, pages)
            if key is None:
                continue
            self._check_unique(used, key, (*section.path, "key"))
            if tile is not None:
                keys[key], locations[key] = tile, self._diagnostics.location((*section.path, "key"))
        return PageConfig(name, FrozenMap(keys), FrozenMap(locations))

    def _tile(self, section: Section, pages: tuple[str, ...]) -> TileConfig | None:
        name = self._tile_named(section)
        account, theme, label, tap, hold = (section.value(option) for option in self._common)
        for option, action in (("tap", tap), ("hold", hold)):
            self._check_action(section, option, action, pages)
        if account not in self._accounts:
            accepted = ", ".join(f"'{known}'" for known in self._accounts) + " or the NAME of an [accounts.NAME] of this file"
            section.diagnostics.reject((*section.path, "account"), account, accepted, self._accounts)
        if name is None:
            return None  # the options of an unknown tile are not known: the remaining keys are not checked
        plugin = self._plugin(name)
        if plugin is not None and plugin.trouble is not None:  # its options are not known either
            return TileConfig(name, account, theme, label, tap=tap, hold=hold, plugin=plugin)
        options = {option.name: self._option(section, name, option, pages) for option in self._options(name, plugin)}
        if name == COMMAND_TILE:
            _check_command(section, options, {"run": ("tap", tap), "hold_run": ("hold", hold)})
        if name == "key-switch" and options["key_name"] is None and options["key_hash"] is None:
            section.diagnostics.add((*section.path, "key_name"), "missing, accepted: the name of an API key, or its key_hash")
        section.close()
        return TileConfig(name, account, theme, label, FrozenMap(options), tap, hold, plugin)

    def _check_action(self, section: Section, option: str, action: str | None, pages: tuple[str, ...]) -> None:
        known = (*NAMED_ACTIONS, *(f"{PAGE_PREFIX}{page}" for page in pages))
        if action is not None and action not in known:
            names = ", ".join(f"'{name}'" for name in NAMED_ACTIONS)
            section.diagnostics.reject((*section.path, option), action, f"one of {names}, or 'page:NAME' of this deck", known)

    def _icon(self, section: Section, option: Option) -> object:
        """Return one of our icons by its name, or the picture in the PNG file of the user; None without."""
        found = section.value(option)
        if found is None or found in ICONS:
            return found
        path = (*section.path, option.name)
        if not found.startswith("/"):
            names = ", ".join(f"'{name}'" for name in ICONS)
            section.diagnostics.reject(path, found, f"one of {names}, or the absolute path of a PNG file", ICONS)
            return None
        picture = read_icon(found)
        if isinstance(picture, str):
            section.diagnostics.reject(path, found, f"a PNG file; {picture}")
            return None
        return picture

    def _option(self, section: Section, tile: str, option: Option, pages: tuple[str, ...]) -> object:
        if (tile, option.name) == ("page", "to"):  # it refers to another part of the file
            return section.value(replace(option, kind="choice", choices=pages, default=None), required=True)
        if (tile, option.name) == (COMMAND_TILE, "icon"):
            return self._icon(section, option)
        return section.value(option)

    def _options(self, tile: str, plugin: PluginTile | None) -> list[Option]:
        common = {option.name for option in self._common}
        options = self._tiles[tile] if plugin is None else plugin.options
        return [option for option in options if option.name not in common]

    def _tile_named(self, section: Section) -> str | None:
        """Return the tile of a key; None if there is none of that name."""
        found = section.peek("tile")
        names = self._names_with(found)
        if isinstance(found, str) and found not in (names.choices or ()):
            self._reject_tile((*section.path, "tile"), section.take("tile"), names)
            return None
        name = section.value(names, required=True)
        return None if name is None else str(name)

    def _reject_tile(self, path: KeyPath, found: object, names: Option) -> None:
        self._diagnostics.reject(path, found, f"{names.accepted}, or {OF_A_PACKAGE}", names.choices or ())

    def _names_with(self, found: object) -> Option:
        """Return the option `tile` as it accepts `found`: with tiles of other packages if it is none of the product."""
        if not isinstance(found, str) or found in self._tiles:
            return self._tile_name
        if self._plugins is None:
            self._plugins = InstalledPlugins()
        names = [*self._tiles, *(name for name in self._plugins.plain if name not in self._tiles)]
        return replace(self._tile_name, choices=(*names, *(name for name in [found] if name in self._plugins)))

    def _plugin(self, name: str) -> PluginTile | None:
        """Return what a tile of another package declares; None for one of the product."""
        loaded = self._plugins.find(name) if self._plugins is not None and name not in self._tiles else None
        return loaded.declared if loaded is not None else None

    def _dials(self, sections: Sequence[Section]) -> tuple[DialConfig, ...]:
        dials = []
        used: dict[object, KeyPath] = {}
        number, *rest = schema.DIAL
        for section in sections:
            dial = section.value(number, required=True)
            turn, push = (section.value(option) for option in rest)
            section.close()
            if dial is not None:
                self._check_unique(used, dial, (*section.path, "dial"))
                dials.append(DialConfig(dial, turn, push))
        return tuple(dials)

    def _strip(self, section: Section) -> tuple[TileConfig, ...]:
        tiles = []
        for path, name in section.texts("tiles"):
            names = self._names_with(name)
            if name == COMMAND_TILE:
                self._diagnostics.add(path, f"found '{name}', accepted: only on keys, where its programs can be named")
            elif name in (names.choices or ()):
                plugin = self._plugin(name)
                options = {option.name: option.default for option in self._options(name, plugin)}
                tiles.append(TileConfig(name, theme=self._theme, options=FrozenMap(options), plugin=plugin))
            else:
                self._reject_tile(path, name, names)
        section.close()
        return tuple(tiles)

    def _check_unique(self, used: dict[object, KeyPath], value: object, path: KeyPath, same: object = None) -> None:
        """Record that `value` is used at `path`; add a problem if it is used elsewhere. `same`: what is compared for it."""
        compared = value if same is None else same
        if compared in used:
            earlier = self._diagnostics.location(used[compared])
            where = f"{earlier.path} in line {earlier.line}" if earlier.line else earlier.path
            self._diagnostics.add(path, f"found {short_text(value)}, which {where} uses as well")
        else:
            used[compared] = path


def _check_command(section: Section, options: Mapping[str, object], actions: Mapping[str, tuple[str, str | None]]) -> None:
    """Add a problem for options of a `command` tile that contradict one another, or that do nothing.

    `actions`: option of a program -> the name and value of the option that gives the same gesture another action.
    """
    add = section.diagnostics.add
    if options["watch"] and section.was_given("every_seconds"):
        add((*section.path, "every_seconds"), "found beside watch = true, accepted: one of them")
    for option in ("every_seconds", "watch"):
        if options[option] and not section.was_given("show"):
            add((*section.path, option), "found without show, accepted: only beside it")
    for option, (other, action) in actions.items():
        if action is not None and section.was_given(option):
            add((*section.path, option), f"found beside {other}, accepted: one of them")
    names = ("show", *actions)
    if not any(map(section.was_given, names)) and not any(action for _, action in actions.values()):
        section.diagnostics.add_missing((*section.path, "show"), f"at least one of {', '.join(names)}")
