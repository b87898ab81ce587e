"""A virtual deck with planned faults, which also knows whether its reader has processed all input."""

import errno
from collections.abc import Callable

from openbalance_hid.simulator.device.models import DeckModel, model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

PlannedFault = Callable[["FaultyDeck", str], None]


class FaultyDeck(VirtualDeck):
    """Before it accepts a report it runs the next planned fault, if any, which may raise an error as the system would."""

    def __init__(self, model: DeckModel, serial: str) -> None:
        self.planned_faults: list[PlannedFault | None] = []
        self._taken = self._handled = 0
        super().__init__(model, serial)

    @property
    def is_input_processed(self) -> bool:
        """Return whether all input has been processed: the reader has called for the next report."""
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
        if self.planned_faults and (fault := self.planned_faults.pop(0)) is not None:
            fault(self, kind)


def made(serial: str = "A1", model: str = "mk2", path: str | None = None) -> FaultyDeck:
    """Return a deck of that model."""
    deck = FaultyDeck(model_named(model), serial)
    deck.path = deck.path if path is None else path
    return deck


def comes_out(deck: FaultyDeck, _kind: str) -> None:
    """Unplug the deck at this moment."""
    deck.unplug()


def fails(_deck: FaultyDeck, _kind: str) -> None:
    """Refuse the report."""
    raise OSError(errno.EPIPE, "broken pipe")


def fails_as_feature(deck: FaultyDeck, kind: str) -> None:
    """Refuse the next feature report; accept others."""
    if kind == "feature":
        raise OSError(errno.EPIPE, "broken pipe")
    deck.planned_faults.append(fails_as_feature)
