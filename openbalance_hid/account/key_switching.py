"""Disabling and enabling one API key: what was requested, and what OpenRouter has confirmed. Pure.

The requests are in `openrouter.key_writing`. A switch is done only when OpenRouter has been read back and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

from msgspec import Struct

from openbalance_hid.account.snapshot import ApiKey


class SwitchStage(Enum):
    """How far a switch is. Every stage but `PENDING` is its end."""

    PENDING = "pending"
    DONE = "done"  # read back: the key is as requested
    NOT_SENT = "not sent"  # OpenRouter could not be read first; nothing was written
    FAILED = "failed"  # read back: the key is not as requested
    GONE = "gone"  # there is no such key any more
    UNKNOWN = "unknown"  # it was sent, and could not be read back
    FORBIDDEN = "forbidden"  # a Management key is never switched


class KeySwitch(Struct, frozen=True):
    """One switch of one key. `disables`: the requested state; `disabled`: as read back, None: not known."""

    account: str
    key_hash: str
    key_name: str
    disables: bool
    source: str  # "deck SERIAL", "shell" or "notification"
    requested_at: datetime
    stage: SwitchStage = SwitchStage.PENDING
    disabled: bool | None = None
    message: str = ""
    ended_at: datetime | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """Account and hash: one switch is pending for each."""
        return self.account, self.key_hash


class KeyOutcome(Struct, frozen=True):
    """The end of a switch. `disabled`: the state that was read last; None: it could not be read."""

    stage: SwitchStage
    disabled: bool | None
    message: str = ""


def named_keys(keys: Sequence[ApiKey], name: str | None, key_hash: str | None = None) -> tuple[ApiKey, ...]:
    """Return the keys that a name or a hash means: one, none, or several of the same name.

    A name that only one key is shown under comes first: of two keys "ci", the list shows "ci 0a1b2c" and "ci 9f8e7d".
    """
    if key_hash is not None:
        return tuple(key for key in keys if key.hash == key_hash)
    shown = tuple(key for key in keys if key.name == name)
    return shown if len(shown) == 1 else tuple(key for key in keys if name in (key.name, key.given_name))
