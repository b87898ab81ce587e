"""What a finger has left on a key for a while: it waits for a refresh, or shows how one ended. Pure.

Not here: presses that are under way (`fingers`).
"""

from collections.abc import Iterable

from openbalance_hid.app.places import Place
from openbalance_hid.tiles.view import Flash

FLASH_S = 0.6  # how long the end of a refresh is shown


class KeyMarks:
    """The marks of all keys. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._waiting: dict[Place, tuple[str, int]] = {}  # key -> account that it asked for, and its polls at that time
        self._flashes: dict[Place, tuple[Flash, float]] = {}  # key -> how it ended, and until when to show it

    def wait(self, place: Place, account: str, polls: int) -> None:
        """A key has asked for a refresh, after so many polls of its account."""
        self._waiting[place] = (account, polls)

    def ripe(self, account: str, polls: int) -> bool:
        """Whether a poll has come that somebody waits for."""
        return any(name == account and polls > before for name, before in self._waiting.values())

    def end(self, account: str, flash: Flash, now_s: float) -> None:
        """Show on the keys that asked for it how the refresh of an account ended."""
        for place in [place for place, (name, _) in self._waiting.items() if name == account]:
            del self._waiting[place]
            self.flash(place, flash, now_s + FLASH_S)

    def flash(self, place: Place, flash: Flash, until_s: float) -> None:
        """Show for a moment how something ended."""
        self._flashes[place] = (flash, until_s)

    def pass_time(self, now_s: float) -> None:
        """Take away what has been shown for long enough."""
        self._flashes = {place: flash for place, flash in self._flashes.items() if flash[1] > now_s}

    def clear(self, places: Iterable[Place]) -> None:
        """These keys show something else now, or are gone."""
        for place in places:
            self._waiting.pop(place, None)
            self._flashes.pop(place, None)

    def is_waiting(self, place: Place) -> bool:
        """Whether the key shows that it refreshes."""
        return place in self._waiting

    def shown(self, place: Place) -> Flash:
        """How the last refresh of the key ended, while that is shown."""
        return self._flashes[place][0] if place in self._flashes else Flash.NONE

    def deadlines(self) -> list[float]:
        """When a mark goes away by itself."""
        return [until_s for _, until_s in self._flashes.values()]
