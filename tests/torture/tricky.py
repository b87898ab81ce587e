"""A virtual deck that plays tricks when it is told something, and knows how far its reader has come."""

import errno
from collections.abc import Callable

from openbalance_hid.simulator.device.models import DeckModel, model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

Trick = Callable[["Tricky", str], None]


class Tricky(VirtualDeck):
    """Before it takes a report it plays the trick that waits first, if any; a trick may raise what the system would."""

    def __init__(self, model: DeckModel, serial: str) -> None:
        self.tricks: list[Trick | None] = []
        self._taken = self._handled = 0
        super().__init__(model, serial)

    @property
    def is_heard(self) -> bool:
        """Whether all that its fingers did has been passed on: whoever reads has come back for more."""
        return not self._inputs and self._handled == self._taken

    def attach(self) -> int:
        self._handled = self._taken
        return super().attach()

    def read(self, length: int, timeout_s: float | None, epoch: int | None = None, *given_up: Callable[[], bool]) -> bytes:
        self._handled = self._taken
        report = super().read(length, timeout_s, epoch, *given_up)
        self._taken += bool(report)
        return report

    def write(self, report: bytes, epoch: int | None = None) -> int:
        self._play("output")
        return super().write(report, epoch)

    def send_feature(self, report: bytes, epoch: int | None = None) -> int:
        self._play("feature")
        return super().send_feature(report, epoch)

    def get_feature(self, report_id: int, length: int, epoch: int | None = None) -> bytes:
        self._play("question")
        return super().get_feature(report_id, length, epoch)

    def _play(self, kind: str) -> None:
        if self.tricks and (trick := self.tricks.pop(0)) is not None:
            trick(self, kind)


def made(serial: str = "A1", model: str = "mk2", path: str | None = None) -> Tricky:
    """One of that model."""
    deck = Tricky(model_named(model), serial)
    deck.path = deck.path if path is None else path
    return deck


def comes_out(deck: Tricky, _kind: str) -> None:
    """The cable, just then."""
    deck.unplug()


def fails(_deck: Tricky, _kind: str) -> None:
    """The report is not taken."""
    raise OSError(errno.EPIPE, "broken pipe")


def fails_as_feature(deck: Tricky, kind: str) -> None:
    """The next feature report is not taken; others are."""
    if kind == "feature":
        raise OSError(errno.EPIPE, "broken pipe")
    deck.tricks.append(fails_as_feature)
