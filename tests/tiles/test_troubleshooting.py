"""The documentation explains every trouble that a key can show, and no other."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from openbalance_hid import tiles
from openbalance_hid.account.alert import AlertKind
from openbalance_hid.app.tile_views import with_alert, with_refused_config
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.states import ORIGIN_PROBLEMS, STATES, TileState, tile_error
from openbalance_hid.tiles.view import Notice, TileView, Tone
from tools.tile_gallery import cells_of

PAGE = Path(__file__).parents[2] / "docs/troubleshooting.md"
NO_TROUBLE = ("page", "privacy", "command")  # their words are what the tile is for, or the user's own


def explained() -> list[str]:
    """Return the words in the first column of the table."""
    (table,) = re.findall(r"<!-- rendered: words -->\n\n(.*?)\n\n", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    rows = table.splitlines()[2:]
    return [words for row in rows for words in re.findall("`([^`]+)`", row.split("|")[1])]


def on_keys() -> Iterator[str]:
    """Every state of the table, every one that a tile has of its own, and every notice of the sheet of all tiles."""
    own = (
        value
        for module in pkgutil.iter_modules(tiles.__path__, f"{tiles.__name__}.")
        for value in vars(import_module(module.name)).values()
        if isinstance(value, TileState)
    )
    for state in (*STATES.values(), *ORIGIN_PROBLEMS.values(), *own):
        if state.tone is not Tone.GOOD:
            yield from (words for words in (state.words, state.short) if words)
    shown = (face.view for kind in TILES.values() if kind.name not in NO_TROUBLE for _, face in cells_of(kind, "dark"))
    dark = TileView("blank", "", (), "")
    beyond = (tile_error("balance", "dark"), with_refused_config(dark), *(with_alert(dark, kind) for kind in AlertKind))
    for view in (*shown, *beyond):
        yield from (block.words for block in view.blocks if isinstance(block, Notice) and block.tone is not Tone.GOOD)


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is in the repository only")
def test_the_documentation_explains_each_trouble_that_a_key_can_show_and_no_other():
    assert set(explained()) == {words.partition(" 2/3")[0] for words in on_keys()}
