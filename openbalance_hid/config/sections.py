"""What the parsed tables of `config.toml` mean, section by section: how they hang together.

What each section accepts by itself is in `schema`, what each tile accepts in the table that is handed in. Here are the names
that must be unique, the names that must exist, and what is inherited from where.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import time

from openbalance_hid.config import schema
from openbalance_hid.config.account_name import ACCOUNT_NAME
from openbalance_hid.config.diagnostics import Diagnostics, Section, shown
from openbalance_hid.config.schema import (
    AccountConfig,
    Config,
    DeckConfig,
    DialConfig,
    DimConfig,
    FrozenMap,
    PageConfig,
    Place,
    TileConfig,
)
from openbalance_hid.config.toml_positions import KeyPath
from openbalance_hid.tiles.options import Option

Tiles = Mapping[str, Sequence[Option]]

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def read(found: Mapping[str, object], findings: Diagnostics, tiles: Tiles) -> Config:
    """The configuration that the tables state. What is wrong goes to `findings`, and its default stands in for it."""
    top = Section(found, (), findings)
    refresh_minutes, theme, hold_seconds, on_exit, notify = (top.value(option) for option in schema.HOUSE)
    accounts = _accounts(top.table("accounts"), refresh_minutes, notify)
    dim = _dim(top.table("dim"))
    decks = _Decks(findings, tiles, theme, tuple(accounts)).read(top.tables("decks"))
    top.close()
    return Config(refresh_minutes, theme, hold_seconds, on_exit, accounts, dim, decks, notify)


def _accounts(section: Section, refresh_minutes: int, notify: bool) -> FrozenMap[str, AccountConfig]:
    accounts = {schema.DEFAULT_ACCOUNT: AccountConfig(refresh_minutes, notify)}
    options = (replace(schema.REFRESH, default=refresh_minutes), replace(schema.NOTIFY, default=notify))
    for name, account in section.subtables().items():
        if ACCOUNT_NAME.fullmatch(name):
            accounts[name] = AccountConfig(*(account.value(option) for option in options))
            account.close()
        else:
            section.findings.wrong(account.path, name, "a name of 1 to 32 letters a to z, digits and hyphens")
    return FrozenMap(accounts)


def _dim(section: Section) -> DimConfig:
    after_minutes, to_percent, off_after_minutes, night, on_lock = (section.value(option) for option in schema.DIM)
    section.close()
    hours = None if night is None else _hours(night)
    if night is not None and hours is None:
        section.findings.wrong((*section.path, "night"), night, "two different times of day as '23:00-07:00'")
    return DimConfig(after_minutes, to_percent, off_after_minutes, hours, on_lock)


def _hours(text: str) -> tuple[time, time] | None:
    match = _HOURS.fullmatch(text)
    if match is None:
        return None
    begin_hour, begin_minute, end_hour, end_minute = map(int, match.groups())
    begin, end = time(begin_hour, begin_minute), time(end_hour, end_minute)
    return (begin, end) if begin != end else None


class _Decks:
    """Reads the entries of all decks with what they share: the theme they inherit and the names they may use."""

    def __init__(self, findings: Diagnostics, tiles: Tiles, theme: str, accounts: tuple[str, ...]) -> None:
        self._findings = findings
        self._tiles = tiles
        self._theme = theme
        self._tile_name = Option("tile", "choice", None, choices=tuple(tiles))
        self._accounts = accounts
        account, theme_option, label = schema.TILE
        self._common = (account, replace(theme_option, default=theme), label)

    def read(self, sections: Sequence[Section]) -> tuple[DeckConfig, ...]:
        serials: dict[object, KeyPath] = {}
        decks = []
        for section in sections:
            deck = self._deck(section)
            decks.append(deck)
            if deck.serial is not None:
                self._once(serials, deck.serial, (*section.path, "serial"))
        return tuple(decks)

    def _deck(self, section: Section) -> DeckConfig:
        serial, brightness = (section.value(option) for option in schema.DECK)
        pages = self._pages(section)
        dials = self._dials(section.tables("dials"))
        strip = self._strip(section.table("strip"))
        section.close()
        return DeckConfig(serial, brightness, pages, dials, strip)

    def _pages(self, deck: Section) -> tuple[PageConfig, ...]:
        first = deck.tables("keys")
        pages: list[tuple[str, Sequence[Section]]] = [(schema.FIRST_PAGE, first)] if first else []
        names: dict[object, KeyPath] = {schema.FIRST_PAGE: (*deck.path, "keys")} if first else {}
        for section in deck.tables("pages"):
            name = section.value(schema.PAGE_NAME, required=True)
            keys = section.tables("keys")
            section.close()
            if name is not None:
                self._once(names, name, (*section.path, "name"))
                pages.append((name, keys))
        known = tuple(str(name) for name in names)
        return tuple(self._page(name, keys, known) for name, keys in pages)

    def _page(self, name: str, sections: Sequence[Section], pages: tuple[str, ...]) -> PageConfig:
        keys: dict[int, TileConfig] = {}
        places: dict[int, Place] = {}
        used: dict[object, KeyPath] = {}
        for section in sections:
            key = section.value(schema.KEY_NUMBER, required=True)
            tile = self._tile(section, pages)
            if key is None:
                continue
            self._once(used, key, (*section.path, "key"))
            if tile is not None:
                keys[key], places[key] = tile, self._findings.place((*section.path, "key"))
        return PageConfig(name, FrozenMap(keys), FrozenMap(places))

    def _tile(self, section: Section, pages: tuple[str, ...]) -> TileConfig | None:
        name = section.value(self._tile_name, required=True)
        account, theme, label = (section.value(option) for option in self._common)
        if account not in self._accounts:
            accepted = ", ".join(f"'{known}'" for known in self._accounts) + " or what an [accounts.NAME] of this file names"
            section.findings.wrong((*section.path, "account"), account, accepted, self._accounts)
        if name is None:
            return None  # nobody can know which options belong here: the others are not judged
        options = {option.name: self._option(section, name, option, pages) for option in self._options(name)}
        section.close()
        return TileConfig(name, account, theme, label, FrozenMap(options))

    def _option(self, section: Section, tile: str, option: Option, pages: tuple[str, ...]) -> object:
        if (tile, option.name) == ("page", "to"):  # the one option that names another part of the file
            return section.value(replace(option, kind="choice", choices=pages, default=None), required=True)
        return section.value(option)

    def _options(self, tile: str) -> list[Option]:
        common = {option.name for option in self._common}
        return [option for option in self._tiles[tile] if option.name not in common]

    def _dials(self, sections: Sequence[Section]) -> tuple[DialConfig, ...]:
        dials = []
        used: dict[object, KeyPath] = {}
        number, *rest = schema.DIAL
        for section in sections:
            dial = section.value(number, required=True)
            turn, push = (section.value(option) for option in rest)
            section.close()
            if dial is not None:
                self._once(used, dial, (*section.path, "dial"))
                dials.append(DialConfig(dial, turn, push))
        return tuple(dials)

    def _strip(self, section: Section) -> tuple[TileConfig, ...]:
        tiles = []
        for path, name in section.texts("tiles"):
            if name in self._tiles:
                options = {option.name: option.default for option in self._options(name)}
                tiles.append(TileConfig(name, theme=self._theme, options=FrozenMap(options)))
            else:
                self._findings.wrong(path, name, self._tile_name.accepted, self._tiles)
        section.close()
        return tuple(tiles)

    def _once(self, used: dict[object, KeyPath], value: object, path: KeyPath) -> None:
        """Notes that `value` is used at `path`; a problem if it already is elsewhere."""
        if value in used:
            earlier = self._findings.place(used[value])
            where = f"{earlier.path} in line {earlier.line}" if earlier.line else earlier.path
            self._findings.say(path, f"found {shown(value)}, but {where} has it already")
        else:
            used[value] = path
