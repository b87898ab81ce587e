"""The library as shipped, with one callback, on a simulated deck with a driver. `python -m bench.child_library MODEL`.

It does what the library's examples do: at a press the callback encodes a picture with `PILHelper` and sends it. The
pictures are drawn in advance, which favours the peer.
"""

import sys
from typing import Any

from StreamDeck.ImageHelpers import PILHelper

from bench.coarse_displays import decode_coarsely
from bench.deck_driver import DeckDriver
from bench.stock_library import library_deck
from openbalance_hid.render.draw import draw
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.tiles.view import Hero, Icon, KeyFace, Line, TileView, Tone


def main() -> None:
    """Run commands until stdin ends."""
    decode_coarsely()
    virtual = VirtualDeck(model_named(sys.argv[1]), "BENCH0000002")
    deck = library_deck(VirtualBus([virtual]))
    view = TileView("balance", "Balance", (Hero("$74.25"), Line("$0.40 today", Tone.GOOD, Icon.DOWN)), "Balance $74.25")
    width, height = deck.key_image_format()["size"]
    pictures = {down: draw(KeyFace(view, pressed=down), width, height) for down in (False, True)}

    def show(deck: Any, key: int, down: bool) -> None:
        picture = PILHelper.to_native_key_format(deck, pictures[down])
        with deck:
            deck.set_key_image(key, picture)

    def show_all(_name: str) -> None:
        for key in range(deck.key_count()):
            show(deck, key, down=False)

    deck.open()
    show_all("")
    deck.set_key_callback(show)
    DeckDriver([virtual], show_all).run_commands()
    deck.close()


if __name__ == "__main__":
    main()
