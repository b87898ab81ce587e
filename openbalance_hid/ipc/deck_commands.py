"""The commands of the control socket for whole decks: brightness, and handing a deck over to other software."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from openbalance_hid.app.controller import Controller
from openbalance_hid.app.events import BrightnessRequested
from openbalance_hid.config.serial_numbers import is_same_serial
from openbalance_hid.deck.display_writer import OnExit
from openbalance_hid.errors import NoDaemonError, UsageError
from openbalance_hid.hints import hint


class DeckOwner(Protocol):
    """The part of `DeckManager` that hands decks over. `serial` None: all; both return the decks that it is done for."""

    def release(self, serial: str | None, on_exit: OnExit) -> list[str]: ...
    def take(self, serial: str | None, on_exit: OnExit) -> list[str]: ...
    def released(self) -> list[str]: ...


class DeckHandover:
    """Releases and takes decks, on the main thread."""

    def __init__(self, owners: Sequence[DeckOwner] = ()) -> None:
        self._owners = owners

    def release_decks(self, controller: Controller, deck: str | None) -> list[dict[str, Any]]:
        """Hand a connected deck over, or all of them."""
        models = {serial: controller.decks[serial].shape.model for serial in self._chosen(controller, deck)}
        on_exit = cast(OnExit, controller.config.on_exit)
        released = [serial for owner in self._owners for serial in owner.release(deck, on_exit)]
        return [{"serial": serial, "model": models.get(serial)} for serial in released]

    def take_decks(self, controller: Controller, deck: str | None) -> list[dict[str, Any]]:
        """Take one released deck back, or all of them."""
        on_exit = cast(OnExit, controller.config.on_exit)
        taken = [serial for owner in self._owners for serial in owner.take(deck, on_exit)]
        if not taken:
            raise UsageError(
                f"no released deck {deck[:40]!r}" if deck else "no deck is released", hint("no such deck, page or key")
            )
        return [{"serial": serial} for serial in taken]

    def set_brightness(
        self, controller: Controller, level: int | str, deck: str | None, put: Callable[[BrightnessRequested], None]
    ) -> list[dict[str, Any]]:
        """Light the chosen decks, or switch them off."""
        serials = tuple(each for each in self._chosen(controller, deck) if controller.decks[each].light is not None)
        if not serials:
            raise UsageError("the deck has no display, and so no brightness", hint("no such deck, page or key"))
        percent = 0 if level == "off" else None if level == "on" else int(level)
        put(BrightnessRequested(serials, percent))
        return [{"serial": serial, "level": "off" if percent == 0 else level} for serial in serials]

    def require_deck(self, controller: Controller) -> None:
        """Raise NoDaemonError if no deck is in use: none is connected, or they are released."""
        if controller.decks:
            return
        if released := [serial for owner in self._owners for serial in owner.released()]:
            words = f"{' and '.join(released)} {'is' if len(released) == 1 else 'are'} released for other software"
            raise NoDaemonError(f"no deck is in use: {words}", hint("the deck was released"))
        raise NoDaemonError("no deck is connected", hint("no deck is connected", "press"))

    def _chosen(self, controller: Controller, deck: str | None) -> list[str]:
        """Return the serial numbers of the connected decks that `deck` names; None: all. Raises an error for none."""
        self.require_deck(controller)
        chosen = [serial for serial in controller.decks if deck is None or is_same_serial(serial, deck)]
        if not chosen:
            raise UsageError(
                f"no connected deck {(deck or '')[:40]!r}, only {', '.join(controller.decks)}",
                hint("no such deck, page or key"),
            )
        return chosen
