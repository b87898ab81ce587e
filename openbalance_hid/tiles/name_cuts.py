"""How a name is shortened where a key has no room for it, so that two names of an account never look the same. Pure.

An ellipsis in the middle keeps both ends of a name: `cla…opus-4.1`. Names that share their first words and their last letters
would become the same letters: `prod…west-1` for two keys. Of these, the shared words go: `…backend-eu-west-1`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.text import single_line
from openbalance_hid.tiles.model_names import short_name, short_names_of
from openbalance_hid.tiles.view import Shorten

ELLIPSIS: Final = "…"
WORD_ENDS: Final = frozenset(" -_/:.")
HEAD: Final = 8  # letters that an ellipsis at the end leaves, at least
TAIL: Final = 3  # letters that an ellipsis in the middle leaves at the end, at least


class NameCut(Struct, frozen=True):
    """A name, its shorter wordings, and where the shortest is cut: the fields of a `Row` or a `Line`."""

    name: str
    variants: tuple[str, ...] = ()
    shorten: Shorten = Shorten.MIDDLE


def name_cut(name: str, names: Collection[str]) -> NameCut:
    """Return how a name is shortened among all names that the account has of its kind."""
    shared = min((found for other in names if (found := _shared_words(name, other, TAIL))), default=0)
    return NameCut(name, (ELLIPSIS + name[shared:],), Shorten.END) if shared else NameCut(name)


def model_cut(snapshot: Snapshot, model: str) -> NameCut:
    """Return the short name of a model, shortened further among all models that a tile of the account may name."""
    return name_cut(short_name(snapshot, model), short_names_of(snapshot).values())


def end_cut(name: str, names: Collection[str]) -> NameCut:
    """Return how a name of words is shortened, at its end: `Amazon Bed…`."""
    return NameCut(name, short_titles(name, names), Shorten.END)


def short_titles(name: str, names: Collection[str]) -> tuple[str, ...]:
    """Return a shorter wording of a name that is a title, which is cut at its end; none where its beginning is its own."""
    printed = [single_line(each) for each in names]
    shared = min((found for other in printed if (found := _shared_words(name, other, 0)) >= HEAD), default=0)
    return (ELLIPSIS + name[shared:],) if shared else ()


def key_titles(snapshot: Snapshot, name: str) -> tuple[str, ...]:
    """Return a shorter wording of the name of an API key that is a title, among all keys of the account."""
    return short_titles(name, [key.name for key in snapshot.keys.value or ()])


def _shared_words(name: str, other: str, tail: int) -> int:
    """Return how many letters both names begin with, in whole words, if their last `tail` letters are the same, too; else 0."""
    if other == name or (tail and name[-tail:] != other[-tail:]):
        return 0
    same = next((index for index, (one, two) in enumerate(zip(name, other, strict=False)) if one != two), None)
    same = min(len(name), len(other)) if same is None else same
    return max((index + 1 for index in range(same) if name[index] in WORD_ENDS), default=0)
