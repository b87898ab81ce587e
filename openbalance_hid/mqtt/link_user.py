"""What a link to a broker and its user exchange: states, messages, calls; and the pauses between two attempts. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Protocol

from msgspec import Struct

from openbalance_hid.secret import BrokerLogin

LONGEST_WAIT_S = 30.0  # between two looks at the library's keepalive
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0
REFUSED_PAUSE_S = 300.0  # the longest, where only the user can help

LoginReader = Callable[[], BrokerLogin | None]  # CredentialError: there is one that cannot be read


class LinkState(Struct, frozen=True):
    """Whether the broker is connected, since when, and if not, why. `since`: aware UTC."""

    connected: bool = False
    since: datetime | None = None
    trouble: str = ""
    hint: str = ""


class Received(Struct, frozen=True):
    """A message from the broker. `seconds_left`: until the broker drops it; None: not reported."""

    topic: str
    payload: bytes
    retained: bool
    seconds_left: int | None = None


class MachineClock(Protocol):
    """The clocks of this machine."""

    def utc(self) -> datetime: ...
    def mono(self) -> float: ...


class LinkUser:
    """What uses a link: each method is called on the thread of the link."""

    def starting(self) -> None:
        """Prepare, before the first attempt to connect."""

    def connected(self) -> None:
        """Subscribe and publish: the broker has accepted the connection."""

    def received(self, message: Received) -> None:
        """Take a message."""

    def closing(self) -> None:
        """Send the last messages: the connection ends because `stop` was called."""

    def tick(self) -> float:
        """Do what is due after a change and from time to time; return the seconds until it should be called again."""
        return LONGEST_WAIT_S


def pause_s(failures: int, is_refused: bool, rng: Random) -> float:
    """Return the pause before the next attempt: it doubles up to 15 s, half of it at random.

    After an outage, 200 desks do not return at once. A refusal, which only the user can end, is tried again more rarely.
    """
    longest_s = REFUSED_PAUSE_S if is_refused else LONGEST_PAUSE_S
    full_s = min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20), longest_s)
    return full_s / 2 + full_s / 2 * rng.random()
