"""A view with every amount hidden, for when other people can see the deck. Pure.

Dots replace money and counts, in the picture and in the accessible text. Names, states, ratios, percentages, days and the
shapes of bars stay: they do not reveal amounts.
"""

import re

from msgspec.structs import replace

from openbalance_hid.tiles.formatting import UNITS
from openbalance_hid.tiles.view import Block, Figure, Hero, Line, Row, TileView

DOTS = "•••"
_MONEY = re.compile(r"[-<]*\$\d+(?:[.,]\d+)*[kKMBT]?")
_COUNT = re.compile(rf"\d+(?:\.\d+)?[kMB]?(?= (?:{'|'.join(UNITS.values())})\b)")


def masked(view: TileView) -> TileView:
    """Return the same view without amounts."""
    trouble = _line(view.trouble) if view.trouble is not None else None
    return replace(view, blocks=tuple(_block(block) for block in view.blocks), text=hidden(view.text), trouble=trouble)


def hidden(text: str) -> str:
    """Return the text with dots in place of each amount of money, with its sign, and of each count."""
    return _COUNT.sub(DOTS, _MONEY.sub(f"${DOTS}", text))


def _block(block: Block) -> Block:
    match block:
        case Hero() | Figure():
            return replace(block, text=hidden(block.text))
        case Line():
            return _line(block)
        case Row():
            return replace(block, amount=hidden(block.amount), column=tuple(hidden(each) for each in block.column))
    return block


def _line(line: Line) -> Line:
    return replace(line, text=hidden(line.text), variants=tuple(hidden(each) for each in line.variants))
