"""The effective configuration as TOML that parses to the same configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from openbalance_hid.config.diagnostics import dotted_path
from openbalance_hid.config.schema import FIRST_PAGE, Config, DeckConfig, DimConfig, TileConfig
from openbalance_hid.tiles.view import IconPicture


def render_effective(config: Config) -> str:
    """Return TOML with every default written out. Options that are off are omitted: TOML has no null."""
    return "\n".join(_lines(config)) + "\n"


def _lines(config: Config) -> Iterator[str]:
    yield from _pairs(
        refresh_minutes=config.refresh_minutes,
        theme=config.theme,
        hold_seconds=config.hold_seconds,
        on_exit=config.on_exit,
        notify=config.notify,
        use_decks=config.use_decks,
        ca_file=config.ca_file,
        stale_hours=config.stale_hours,
    )
    for name, account in config.accounts.items():
        header = f"[{dotted_path(('accounts', name))}]"
        source = account.source
        broker = {} if source is None else {"source": source.url, "source_ca_file": source.ca_file}
        yield from _table(header, **{**msgspec.structs.asdict(account), "source": None, **broker})
    yield from _dim(config.dim)
    for sink in config.alerts:
        yield from _table("[[alerts]]", url=sink.url, format=sink.format if sink.url else None)
        yield from (f"run = {_list(sink.run)}" for _ in sink.run[:1])
        yield f"on = {_list(sink.on)}"
    if config.metrics is not None:
        yield from _table("[metrics]", listen=str(config.metrics))
    if config.publish is not None:
        yield from _table("[publish]", **msgspec.structs.asdict(config.publish))
    if not config.decks:
        yield from ("", "# no [[decks]]: every deck shows the default tiles")
    for deck in config.decks:
        yield from _deck(deck)


def _dim(dim: DimConfig) -> Iterator[str]:
    night = f"{dim.night[0]:%H:%M}-{dim.night[1]:%H:%M}" if dim.night else None
    yield from _table(
        "[dim]",
        after_minutes=dim.after_minutes,
        to_percent=dim.to_percent,
        off_after_minutes=dim.off_after_minutes,
        night=night,
        on_lock=dim.on_lock,
    )


def _deck(deck: DeckConfig) -> Iterator[str]:
    yield from _table(
        "[[decks]]",
        serial=deck.serial,
        brightness=deck.brightness,
        rest=deck.rest,
        rotate=deck.rotate,
        use=deck.use,
        home_after_minutes=deck.home_after_minutes,
    )
    # Keys directly under a deck are its first page. "main" anywhere else in the order is written as every other page.
    for index, page in enumerate(deck.pages):
        direct = index == 0 and page.name == FIRST_PAGE and len(page.keys) > 0
        if not direct:
            yield from _table("[[decks.pages]]", name=page.name)
        for key, tile in page.keys.items():
            yield from _table("[[decks.keys]]" if direct else "[[decks.pages.keys]]", key=key, **_tile(tile))
    for dial in deck.dials:
        yield from _table("[[decks.dials]]", dial=dial.dial, turn=dial.turn, push=dial.push)
    if deck.strip:
        yield from ("", "[decks.strip]", f"tiles = {_list([tile.tile for tile in deck.strip])}")


def _tile(tile: TileConfig) -> Mapping[str, object]:
    common = {"account": tile.account, "theme": tile.theme, "label": tile.label, "tap": tile.tap, "hold": tile.hold}
    return {"tile": tile.tile, **common, **tile.options}


def _table(header: str, **pairs: object) -> Iterator[str]:
    yield from ("", header)
    yield from _pairs(**pairs)


def _pairs(**pairs: object) -> Iterator[str]:
    yield from (f"{name} = {_value(value)}" for name, value in pairs.items() if value is not None)


def _list(words: Sequence[str]) -> str:
    return f"[{', '.join(map(_value, words))}]"


def _value(value: object) -> str:
    match value:
        case IconPicture(path=path):
            return _value(path)
        case tuple():
            return _list(value)
        case bool():
            return "true" if value else "false"
        case str():
            # TOML's basic strings escape as JSON's do, apart from surrogate pairs: unprintable characters become \\U escapes.
            text = json.dumps(value, ensure_ascii=False)
            return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in text)
        case Decimal() if not isinstance(value.as_tuple().exponent, int):
            raise TypeError(f"not a finite amount: {value}")
        case Decimal():
            return f"{value:E}".replace("E+", "e") if abs(value.adjusted()) > 30 else f"{value:f}"
        case int() | float():
            return repr(value)
        case _:
            raise TypeError(f"no TOML for {type(value).__name__}")
