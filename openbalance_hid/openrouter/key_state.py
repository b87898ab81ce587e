"""The reply of `GET` and `PATCH /keys/{hash}`: whether one key is disabled. Nothing in it is guessed."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.replies import NAME_LIMIT, decoded


class KeyState(Struct, frozen=True):
    """One key, as it is read back after a write."""

    hash: str
    disabled: bool
    label: str  # the ends of the key


class _KeyStateData(msgspec.Struct):
    hash: str
    disabled: bool  # a key of which this is missing is in an unknown state
    label: str | None = None


class _KeyStateReply(msgspec.Struct):
    data: _KeyStateData


def to_key_state(body: bytes, key_hash: str) -> KeyState:
    """Return whether a key is disabled. ServerError for another key, or an unknown state."""
    data = decoded(body, _KeyStateReply, "/keys/…").data
    if data.hash != key_hash:
        raise ServerError("/keys/… answered with another key")
    return KeyState(data.hash, data.disabled, (data.label or "")[:NAME_LIMIT])
