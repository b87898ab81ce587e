"""Virtual decks on this machine that are attached to the guest, and the tiles that they are expected to show.

The expected text and picture of a tile are computed here, from the same account, before the picture is encoded. The shown
picture is what the device decoded from the reports that came through the guest's kernel.
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
from openbalance_hid.runtime.deck_picture import StoppedClock, new_deck, shown
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.usbip.usbip_server import UsbIpServer
from tests.kernel.guest import PATIENCE_S, Guest
from tests.kernel.states import CONFIG, DECKS_PORT

BLOCK_PX = 8
ALIKE = 20.0  # of 255, in the worst block; encoding makes up to 7, another figure on a key over 100


@dataclass(frozen=True)
class Tile:
    """The expected content of a key."""

    text: str
    picture: Image.Image


class AttachedDecks:
    """Decks by model name, each with its own serial: `with AttachedDecks(guest, "mk2") as attached: attached.plug(0)`."""

    def __init__(self, guest: Guest, *models: str) -> None:
        self.guest = guest
        self.decks = [VirtualDeck(MODELS[model], f"A00KERNEL{number}") for number, model in enumerate(models)]
        self._server = UsbIpServer(self.decks, 0)

    def __enter__(self) -> "AttachedDecks":
        self.guest.reach(DECKS_PORT, self._server.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def plug(self, number: int = 0) -> VirtualDeck:
        """Connect a deck, powered up anew when it is connected again. Return when the guest has attached it."""
        deck = self.decks[number]
        if not deck.plugged:
            deck.plug()
        attach = f"usbip attach --remote 127.0.0.1 --busid {self._server.bus_ids[number]}"
        # The tool reads what is attached already, and fails while the kernel is still making that device's entries.
        self.guest.root(f"for try in 1 2 3 4 5 6 7 8 9; do {attach} && exit 0; sleep 0.5; done; {attach}")
        return deck

    def unplug(self, number: int = 0) -> None:
        """Disconnect a deck."""
        self.decks[number].unplug()

    def is_attached(self, number: int = 0) -> bool:
        """Return whether the guest has attached the deck."""
        return self._server.is_attached(number)


def expected(account: SampleAccount, deck: VirtualDeck, file: Path = CONFIG) -> dict[int, Tile]:
    """Poll the account and return what each key with a tile must show after such a poll."""
    config = load_config(file)
    clock = StoppedClock(datetime.now(UTC))
    published: list[Snapshot] = []
    poller = Poller("default", lambda: Client(Secret(account.key), account.url), 900.0, published.append, clock, Random(1))
    poller.run_cycle()
    model, moment = deck.model, Moment(published[-1].credits.measured_at or clock.utc(), clock.mono())
    panel = new_deck(config, config.deck_for(deck.serial), model, moment)
    effects = shown(panel, TileInputs({"default": published[-1]}), moment, "dark")
    faces = {effect.key: effect.face for effect in effects if isinstance(effect, Paint) and effect.face.view.blocks}
    return {key: Tile(face.view.text, draw(face, model.key_width, model.key_height)) for key, face in faces.items()}


def is_shown(deck: VirtualDeck, tiles: dict[int, Tile]) -> bool:
    """Return whether the deck shows these tiles, and its other keys are black."""
    black = Image.new("RGB", (deck.model.key_width, deck.model.key_height))
    return not deck.showing_logo and all(
        error(deck.glass(key), tiles[key].picture if key in tiles else black) < ALIKE for key in range(deck.model.keys)
    )


def until_shown(deck: VirtualDeck, tiles: dict[int, Tile]) -> None:
    """Wait until the deck shows these tiles. Raises AssertionError with the difference of each key."""
    if not deck.wait_until(lambda: is_shown(deck, tiles), PATIENCE_S):
        errors = {key: round(error(deck.glass(key), tile.picture), 1) for key, tile in tiles.items()}
        raise AssertionError(f"{deck.serial} does not show its tiles: {deck.pictures_received} pictures, errors {errors}")


def until_key_shows(deck: VirtualDeck, key: int, tile: Tile) -> None:
    """Wait until one key shows its tile."""
    if not deck.wait_until(lambda: error(deck.glass(key), tile.picture) < ALIKE, PATIENCE_S):
        raise AssertionError(f"key {key} does not show {tile.text!r}: error {error(deck.glass(key), tile.picture):.1f}")


def is_black(deck: VirtualDeck) -> bool:
    """Return whether all keys are black."""
    return all(deck.glass(key).getextrema() == ((0, 0),) * 3 for key in range(deck.model.keys))


def error(shown: Image.Image, wanted: Image.Image) -> float:
    """Return the mean difference in the worst colour of the worst block, 0 to 255; 255 for different sizes."""
    if shown.size != wanted.size:
        return 255.0
    difference = ImageChops.difference(shown, wanted.convert("RGB"))
    places = [(x, y) for x in range(0, shown.width, BLOCK_PX) for y in range(0, shown.height, BLOCK_PX)]
    return max(max(ImageStat.Stat(difference.crop((x, y, x + BLOCK_PX, y + BLOCK_PX))).mean) for x, y in places)


def texts(tiles: dict[int, Tile]) -> dict[int, str]:
    """Return the text of each tile."""
    return {key: tile.text for key, tile in tiles.items()}


def texts_in_status(status: dict[str, object], serial: str) -> dict[int, str]:
    """Return the texts that `status --json` has for the keys of a deck."""
    decks: Sequence[dict[str, object]] = status["decks"]  # type: ignore[assignment]
    (deck,) = (deck for deck in decks if deck["serial"] == serial)
    return {int(key["key"]): key["text"] for key in deck["keys"] if key["tile"] != "blank"}  # type: ignore[attr-defined]
