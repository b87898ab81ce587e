"""No amount is left on a masked key, nor in its words, whatever the tile, state and size of the account."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.formatting import money
from openbalance_hid.tiles.masked import DOTS, hidden, masked
from openbalance_hid.tiles.view import Hero, Line, Row
from tools.tile_gallery import cells_of

AMOUNT = re.compile(r"\$\s*\d")


def texts(view):
    yield view.text
    for block in (*view.blocks, view.trouble):
        match block:
            case Hero():
                yield block.text
            case Line():
                yield from (block.text, *block.variants)
            case Row():
                yield block.amount


@pytest.mark.parametrize("name", TILES)
def test_no_amount_is_left_on_any_tile_in_any_situation(name):
    for situation, face in cells_of(TILES[name], "dark"):
        left = [text for text in texts(masked(face.view)) if AMOUNT.search(text)]
        assert left == [], situation


def test_names_and_states_stay():
    faces = dict(cells_of(TILES["balance"], "dark"))
    shown = masked(faces["offline, last value"].view)
    assert shown.blocks[0] == Hero(f"${DOTS}")
    assert "Offline" in shown.text
    assert masked(faces["percent 30d"].view).blocks[0].text == faces["percent 30d"].view.blocks[0].text


@pytest.mark.parametrize("tile", ["top-models", "providers"])
@pytest.mark.parametrize(("by", "unit"), [("requests", "req"), ("tokens", "tok")])
def test_a_masked_row_of_counts_has_no_count(tile, by, unit):
    view = masked(dict(cells_of(TILES[tile], "dark"))[by].view)
    assert {block.amount for block in view.blocks if isinstance(block, Row)} == {f"{DOTS} {unit}"}
    assert view.text.count(f" {DOTS} {unit}") == 2


@given(st.decimals(-(10**9), 10**9, places=6))
def test_every_amount_that_money_writes_is_hidden_with_its_sign(amount):
    assert hidden(f"Balance {money(amount)}, more") == f"Balance ${DOTS}, more"
