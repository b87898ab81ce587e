"""Decks without hardware: a simulated USB bus, and its decks' pages in the browser."""

from collections.abc import Mapping

from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.web.page_client import PageItem
from openbalance_hid.simulator.web.page_server import PageServer
from openbalance_hid.simulator.web.turned_deck import TurnedDeck


class VirtualDecks:
    """Virtual decks on one bus. The main thread sets the texts of the keys, the threads of the pages read them."""

    def __init__(self, models: tuple[str, ...]) -> None:
        """UsageError for an unknown model."""
        self.decks = [VirtualDeck(model_named(name), _serial(name, number)) for number, name in enumerate(models)]
        self.pages: dict[int, PageServer] = {}  # number of the deck -> the page that shows it
        self._bus = VirtualBus(self.decks)
        self.transport = HidTransport(self._bus)
        self._texts: dict[str, Mapping[PageItem, str]] = {}

    def texts(self, number: int) -> Mapping[PageItem, str]:
        """Return the text of each key of a deck, and of its other parts. Thread-safe: each change makes a new mapping."""
        return self._texts.get(self.decks[number].serial, {})

    def set_text(self, serial: str, key: PageItem, text: str) -> None:
        """Note the text that a part of a deck shows, and update its pages."""
        words = self._texts.get(serial, {})
        if words.get(key) != text:
            self._texts[serial] = {**words, key: text}
            for number, page in self.pages.items():
                if self.decks[number].serial == serial:
                    page.texts_changed()

    def change_model(self, number: int, name: str) -> None:
        """Unplug a deck and plug in another in its place."""
        before, after = self.decks[number], VirtualDeck(model_named(name), _serial(name, number))
        if before.model.name != name:
            before.unplug()
            self._bus.decks.remove(before)
            self.decks[number] = after
            self._bus.plug(after)
            self.pages[number].note(f"Changed to {after.model.title}")  # in place of what happened on the other one
            self.pages[number].show_deck(after)

    def set_rotation(self, serial: str, degrees: int) -> None:
        """Show a deck on its page as it is turned."""
        for number, page in self.pages.items():
            if self.decks[number].serial == serial:
                page.show_deck(TurnedDeck(self.decks[number], degrees))

    def note(self, text: str) -> None:
        """Show a line below every deck: what a press did."""
        for page in self.pages.values():
            page.note(text)


def _serial(model: str, number: int) -> str:
    return f"SIM{number + 1:04d}{model_named(model).product_id:04X}"
