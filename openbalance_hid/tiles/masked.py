"""A view with every amount hidden: what a deck shows while somebody looks over the owner's shoulder. Pure.

Money and counts give way to dots, in the picture and in the words for a voice. Names, states, ratios, percentages, days and
the shapes of bars stay: they tell nobody how much it is.
"""

import re

from msgspec.structs import replace

from openbalance_hid.tiles.formatting import UNITS
from openbalance_hid.tiles.view import Block, Hero, Line, Row, TileView

DOTS = "•••"
_MONEY = re.compile(r"[-<]*\$\d+(?:[.,]\d+)*[kKMBT]?")
_COUNT = re.compile(rf"\d+(?:\.\d+)?[kMB]?(?= (?:{'|'.join(UNITS.values())})\b)")


def masked(view: TileView) -> TileView:
    """The same view without amounts."""
    trouble = _line(view.trouble) if view.trouble is not None else None
    return replace(view, blocks=tuple(_block(block) for block in view.blocks), text=hidden(view.text), trouble=trouble)


def hidden(text: str) -> str:
    """The text with dots in place of each amount of money, the sign goes with it, and of each count."""
    return _COUNT.sub(DOTS, _MONEY.sub(f"${DOTS}", text))


def _block(block: Block) -> Block:
    match block:
        case Hero():
            return replace(block, text=hidden(block.text))
        case Line():
            return _line(block)
        case Row():
            return replace(block, amount=hidden(block.amount))
    return block


def _line(line: Line) -> Line:
    return replace(line, text=hidden(line.text), variants=tuple(hidden(each) for each in line.variants))
