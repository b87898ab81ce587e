"""A tile of another package as data: what it declares, checked, or why it cannot be used. Pure; loads nothing.

The package finds only `interface`. What a key shows is in `plugin_view`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum
from typing import cast, get_args

from msgspec import Struct

from openbalance_hid.text import single_line
from openbalance_hid.tiles.actions import NAMED_ACTIONS
from openbalance_hid.tiles.interface import INTERFACE_VERSION, Tile
from openbalance_hid.tiles.options import LARGEST, LONGEST_WORD, Option, OptionType

MOST_OPTIONS = 32
MOST_CHOICES = 64  # of one option
LONGEST_CHOICE = 60  # characters
LONGEST_HELP = 200  # characters
LONGEST_INTERVAL_S = 86_400
RESERVED = ("key", "tile", "account", "theme", "label", "tap", "hold")  # settings that every tile has
_OPTION_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_LONGEST_PROBLEM = 300  # characters


class PluginTrouble(Enum):
    """Why a tile of another package shows nothing of its own; the value is its name in `status --json`."""

    NOT_LOADED = "not_loaded"
    WRONG_VERSION = "wrong_version"
    SAME_NAME = "same_name"  # two packages offer it
    RAISES = "raises"
    WRONG_CONTENT = "wrong_content"
    NO_ANSWER = "no_answer"


class PluginTile(Struct, frozen=True):
    """What a package declares of a tile. `trouble`: it cannot be used; `problem`: why, in one line."""

    name: str
    package: str  # name and version
    help: str = ""
    options: tuple[Option, ...] = ()
    tap: str = "none"
    shows_account: bool = False
    every_s: int = 60
    trouble: PluginTrouble | None = None
    problem: str = ""

    @property
    def warning(self) -> str:
        """Why it cannot be used, with its name and package, in one line."""
        return f"the tile {self.name} of {self.package} cannot be used: {self.problem}"


def declared(name: str, package: str, found: object) -> PluginTile:
    """Return what the object of an entry point declares, or why it cannot be used."""
    if type(found) is not Tile:
        return refused(name, package, PluginTrouble.NOT_LOADED, f"its entry point is {_kind(found)}, not a Tile")
    if found.interface != INTERFACE_VERSION or isinstance(found.interface, bool):
        wants = single_line(repr(found.interface))[:20]
        words = f"it is written for version {wants} of the interface, this program has version {INTERFACE_VERSION}"
        return refused(name, package, PluginTrouble.WRONG_VERSION, words)
    problem = _problem(found)
    if problem:
        return refused(name, package, PluginTrouble.NOT_LOADED, problem)
    return PluginTile(
        name,
        package,
        single_line(found.help),
        tuple(found.options),
        found.tap,
        found.shows_account,
        found.every_seconds,
    )


def refused(name: str, package: str, trouble: PluginTrouble, problem: str) -> PluginTile:
    """Return a tile that cannot be used."""
    return PluginTile(name, package, trouble=trouble, problem=single_line(problem)[:_LONGEST_PROBLEM])


def _problem(tile: Tile) -> str:
    """Return the first thing that is wrong with a declaration; empty if nothing is."""
    if not callable(tile.view):
        return f"its view is {_kind(tile.view)}, not a function"
    if type(tile.help) is not str or len(tile.help) > LONGEST_HELP:
        return f"its help is not a text of at most {LONGEST_HELP} characters"
    if type(tile.tap) is not str or tile.tap not in NAMED_ACTIONS:
        return f"its tap is not one of {', '.join(NAMED_ACTIONS)}"
    if type(tile.shows_account) is not bool:
        return "its shows_account is not True or False"
    if type(tile.every_seconds) is not int or not 1 <= tile.every_seconds <= LONGEST_INTERVAL_S:
        return f"its every_seconds is not a whole number from 1 to {LONGEST_INTERVAL_S}"
    if not isinstance(tile.options, tuple | list) or len(tile.options) > MOST_OPTIONS:
        return f"its options are not a tuple of at most {MOST_OPTIONS}"
    seen: set[str] = set()
    for option in tile.options:
        if problem := _option_problem(option):
            return problem
        if option.name in seen:
            return f"it declares the option {option.name} twice"
        seen.add(option.name)
    return ""


def _option_problem(option: object) -> str:
    if type(option) is not Option:
        return f"one of its options is {_kind(option)}, not an Option"
    if type(option.name) is not str or not _OPTION_NAME.fullmatch(option.name) or option.name in RESERVED:
        return f"an option may not be named {single_line(repr(option.name))[:40]}"
    choices = option.choices
    if option.kind not in get_args(OptionType):
        return f"its option {option.name} is of an unknown kind"
    if choices is not None and not (type(choices) is tuple and all(type(each) is str for each in choices)):
        return f"the choices of its option {option.name} are not a tuple of texts"
    if option.kind == "choice" and not choices:
        return f"its option {option.name} has no choices"
    if len(choices or ()) > MOST_CHOICES or not all(_fits(choice, LONGEST_CHOICE) for choice in choices or ()):
        return (
            f"the choices of its option {option.name} are not at most {MOST_CHOICES} texts of 1 to {LONGEST_CHOICE} printable "
            "characters"
        )
    if not all(bound is None or _is_bound(bound) for bound in (option.minimum, option.maximum)):
        return f"the bounds of its option {option.name} are not numbers of at most {LARGEST}"
    if not _is_default(option.default):
        return f"the default of its option {option.name} is not a plain value that a line of a file can hold"
    if type(option.help) is not str or len(option.help) > LONGEST_HELP:
        return f"the help of its option {option.name} is not a text of at most {LONGEST_HELP} characters"
    return ""


def _fits(text: str, longest: int) -> bool:
    """Return whether messages and the configuration can repeat a text."""
    return text.isprintable() and 0 < len(text) <= longest


def _is_bound(found: object) -> bool:
    """Return whether values can be compared with it, and messages can name it."""
    if type(found) is not int and not (type(found) in (float, Decimal) and Decimal(cast(float, found)).is_finite()):
        return False
    return -LARGEST <= cast(Decimal, found) <= LARGEST


def _is_default(found: object) -> bool:
    if type(found) is tuple:
        return all(map(_is_default, found))
    return type(found) in (int, float, Decimal, bool, type(None)) or (type(found) is str and len(found) <= LONGEST_WORD)


def _kind(found: object) -> str:
    return f"of type {single_line(type(found).__name__)[:40]}"
