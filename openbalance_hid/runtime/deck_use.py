"""Which decks are opened: the configuration leaves some to other software, commands release one for a while."""

import threading
from collections.abc import Callable

from openbalance_hid.config.serial_numbers import is_same_serial
from openbalance_hid.hints import hint

LEFT = "left to other software by the configuration"
RELEASED = "released for other software"
TAKE = hint("the deck was released")


class DeckUse:
    """Thread-safe. `uses(serial)`: whether the configuration lets a deck be opened.

    A released deck stays released until `take`, also when it is plugged in again.
    """

    def __init__(self, uses: Callable[[str], bool]) -> None:
        self._lock = threading.Lock()
        self._uses = uses
        self._released: set[str] = set()

    def adopt(self, uses: Callable[[str], bool]) -> None:
        """Use another configuration."""
        with self._lock:
            self._uses = uses

    def release(self, serial: str) -> None:
        """Open this deck no longer."""
        with self._lock:
            self._released.add(serial)

    def take(self, serial: str | None) -> list[str]:
        """Open a released deck again, or all of them. Return the serial numbers of those that were released."""
        with self._lock:
            taken = sorted(each for each in self._released if serial is None or is_same_serial(each, serial))
            self._released.difference_update(taken)
            return taken

    @property
    def released(self) -> list[str]:
        """The serial numbers of the released decks, sorted."""
        with self._lock:
            return sorted(self._released)

    def refusal(self, serial: str) -> tuple[str, str] | None:
        """Return why a deck is not to be opened, and the command that changes that; None: it is to be opened."""
        with self._lock:
            if serial in self._released:
                return RELEASED, TAKE
            return None if self._uses(serial) else (LEFT, hint("the deck is left to other software"))
