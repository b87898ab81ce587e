"""The owner's desk: virtual decks on this machine, plugged into the guest, and what ought to stand on them.

What ought to stand there is asked of the tiles themselves, here, from the same account: words, and the picture before it is
encoded. What does stand there is what the device decoded from the reports that came through the guest's kernel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from PIL import Image, ImageChops, ImageStat

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import Paint
from openbalance_hid.app.tile_views import TileInputs
from openbalance_hid.config.load import load_config
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.render.draw import draw
from openbalance_hid.runtime.deck_picture import StoppedClock, panel_of, shown
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.usbip.usbip_server import UsbIpServer
from tests.kernel.guest import PATIENCE_S, Guest
from tests.kernel.states import CONFIG, DECKS_PORT

BLOCK_PX = 8
ALIKE = 20.0  # of 255, in the worst block; the encoder leaves up to 7, and another figure on a key over 100


@dataclass(frozen=True)
class Tile:
    """What ought to be on a key."""

    text: str
    picture: Image.Image


class Desk:
    """Decks by the names of their models, each with a serial of its own. `with Desk(guest, "mk2") as desk: desk.plug(0)`."""

    def __init__(self, guest: Guest, *models: str) -> None:
        self.guest = guest
        self.decks = [VirtualDeck(MODELS[model], f"A00KERNEL{number}") for number, model in enumerate(models)]
        self._server = UsbIpServer(self.decks, 0)

    def __enter__(self) -> "Desk":
        self.guest.reach(DECKS_PORT, self._server.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def plug(self, number: int = 0) -> VirtualDeck:
        """The cable goes in; in again, the deck has just been switched on. Returns when the guest's kernel has been told."""
        deck = self.decks[number]
        if not deck.plugged:
            deck.plug()
        attach = f"usbip attach --remote 127.0.0.1 --busid {self._server.bus_ids[number]}"
        # The tool reads what is attached already, and fails while the kernel is still making that device's entries.
        self.guest.root(f"for try in 1 2 3 4 5 6 7 8 9; do {attach} && exit 0; sleep 0.5; done; {attach}")
        return deck

    def unplug(self, number: int = 0) -> None:
        """The cable comes out."""
        self.decks[number].unplug()

    def is_attached(self, number: int = 0) -> bool:
        """Whether the guest has it."""
        return self._server.is_attached(number)


def expected(account: SampleAccount, deck: VirtualDeck, file: Path = CONFIG) -> dict[int, Tile]:
    """What stands on each key that has a tile, a moment after a poll. Asks the account."""
    config = load_config(file)
    clock = StoppedClock(datetime.now(UTC))
    told: list[Snapshot] = []
    poller = Poller("default", lambda: Client(Secret(account.key), account.url), 900.0, told.append, clock, Random(1))
    poller.run_cycle()
    model, moment = deck.model, Moment(told[-1].credits.measured_at or clock.utc(), clock.mono())
    panel = panel_of(config, config.deck_for(deck.serial), model, moment)
    effects = shown(panel, TileInputs({"default": told[-1]}), moment, "dark")
    faces = {effect.key: effect.face for effect in effects if isinstance(effect, Paint) and effect.face.view.blocks}
    return {key: Tile(face.view.text, draw(face, model.key_width, model.key_height)) for key, face in faces.items()}


def stands(deck: VirtualDeck, tiles: dict[int, Tile]) -> bool:
    """Whether those tiles are on its glass, and nothing is on its other keys."""
    black = Image.new("RGB", (deck.model.key_width, deck.model.key_height))
    return not deck.showing_logo and all(
        error(deck.glass(key), tiles[key].picture if key in tiles else black) < ALIKE for key in range(deck.model.keys)
    )


def until_stands(deck: VirtualDeck, tiles: dict[int, Tile]) -> None:
    """Waits until they are; fails with the worst of them when they never are."""
    if not deck.wait_until(lambda: stands(deck, tiles), PATIENCE_S):
        errors = {key: round(error(deck.glass(key), tile.picture), 1) for key, tile in tiles.items()}
        raise AssertionError(f"{deck.serial} does not show its tiles: {deck.pictures_received} pictures, errors {errors}")


def until_key_stands(deck: VirtualDeck, key: int, tile: Tile) -> None:
    """Waits until one key shows its tile."""
    if not deck.wait_until(lambda: error(deck.glass(key), tile.picture) < ALIKE, PATIENCE_S):
        raise AssertionError(f"key {key} does not show {tile.text!r}: error {error(deck.glass(key), tile.picture):.1f}")


def is_black(deck: VirtualDeck) -> bool:
    """Whether nothing at all is to be seen."""
    return all(deck.glass(key).getextrema() == ((0, 0),) * 3 for key in range(deck.model.keys))


def error(shown: Image.Image, wanted: Image.Image) -> float:
    """Mean difference in the worst colour of the worst block, 0 to 255; pictures of different sizes differ wholly."""
    if shown.size != wanted.size:
        return 255.0
    difference = ImageChops.difference(shown, wanted.convert("RGB"))
    places = [(x, y) for x in range(0, shown.width, BLOCK_PX) for y in range(0, shown.height, BLOCK_PX)]
    return max(max(ImageStat.Stat(difference.crop((x, y, x + BLOCK_PX, y + BLOCK_PX))).mean) for x, y in places)


def texts(tiles: dict[int, Tile]) -> dict[int, str]:
    """Their words."""
    return {key: tile.text for key, tile in tiles.items()}


def said(status: dict[str, object], serial: str) -> dict[int, str]:
    """The words that `status --json` has for the keys of a deck."""
    decks: Sequence[dict[str, object]] = status["decks"]  # type: ignore[assignment]
    (deck,) = (deck for deck in decks if deck["serial"] == serial)
    return {int(key["key"]): key["text"] for key in deck["keys"] if key["tile"] != "blank"}  # type: ignore[attr-defined]
