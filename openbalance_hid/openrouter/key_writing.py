"""Disable or enable one API key: write, then read back. The only thing that this program ever writes to an account.

A write is sent at most once. Whatever comes back, and also when nothing does, the key is read before anything is reported: a
lost answer says nothing about whether the write took effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from openbalance_hid.account.key_switching import KeyOutcome, SwitchStage
from openbalance_hid.errors import ApiError, ServerError
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.key_state import KeyState

READ_PAUSES_S = (0.0, 0.5, 2.0, 5.0)  # before each attempt to read back
_HASH = re.compile(r"[0-9A-Za-z_-]{1,300}")  # documented as 64 hex digits; nothing that could change the path
OWN_KEY = KeyOutcome(SwitchStage.FORBIDDEN, None, "a Management key is never disabled")


def switch_key(client: Client, key_hash: str, disables: bool, read_first: bool, pause: Callable[[float], object]) -> KeyOutcome:
    """Return the end of the switch. `read_first`: what is known of the key is old; `pause`: waits for seconds."""
    if not _HASH.fullmatch(key_hash):
        return KeyOutcome(SwitchStage.NOT_SENT, None, "not the hash of a key")
    if client.is_own_key(key_hash):
        return OWN_KEY
    if read_first:
        try:
            state = client.key(key_hash)
        except ApiError as error:
            return _gone(error) or KeyOutcome(SwitchStage.NOT_SENT, None, _words(error, key_hash))
        if client.is_own_key(state.hash, state.label):
            return OWN_KEY
        if state.disabled is disables:
            return KeyOutcome(SwitchStage.DONE, state.disabled, "it was so already")
    problem = ""
    try:
        client.set_key_disabled(key_hash, disables)
    except ApiError as error:
        problem = _words(error, key_hash)
    return read_back(client, key_hash, disables, problem, READ_PAUSES_S, pause)


def read_back(
    client: Client,
    key_hash: str,
    disables: bool,
    problem: str = "it was not carried out",
    pauses_s: Sequence[float] = (0.0,),
    pause: Callable[[float], object] = lambda _: None,
) -> KeyOutcome:
    """Return what the key is now, against what was requested; `problem`: with the write, empty if it was accepted.

    A state that contradicts an accepted write is read again, because it may need a moment.
    """
    unread = ""
    state: KeyState | None = None
    for pause_s in pauses_s:
        pause(pause_s)
        try:
            state = client.key(key_hash)
        except ApiError as error:
            if (gone := _gone(error)) is not None:
                return gone
            state, unread = None, _words(error, key_hash)
            continue
        if state.disabled is disables:
            return KeyOutcome(SwitchStage.DONE, state.disabled)
        if problem:
            break
    if state is None:
        return KeyOutcome(SwitchStage.UNKNOWN, None, problem or unread)
    return KeyOutcome(SwitchStage.FAILED, state.disabled, problem or "OpenRouter accepted it and has not changed the key")


def _gone(error: ApiError) -> KeyOutcome | None:
    is_gone = isinstance(error, ServerError) and error.status == 404
    return KeyOutcome(SwitchStage.GONE, None, "there is no such key any more") if is_gone else None


def _words(error: ApiError, key_hash: str) -> str:
    return error.message.replace(key_hash, key_hash[:6] + "…")
