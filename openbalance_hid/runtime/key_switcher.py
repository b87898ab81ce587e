"""Disables and enables API keys, one after another, on a thread of its own: decks and commands never write at the same time.

What a switch does is in `openrouter.key_writing`, who may request one in `app.key_switches`. A switch that could not be read
back is read again, and never written again, until its state is known.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from functools import partial

from openbalance_hid.account.key_switching import KeyOutcome, KeySwitch, SwitchStage
from openbalance_hid.app.effects import SwitchKey
from openbalance_hid.app.events import KeySwitchEnded
from openbalance_hid.errors import ApiError, CredentialError
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.key_writing import read_back, switch_key
from openbalance_hid.text import escape_unprintable

log = logging.getLogger(__name__)

READ_AGAIN_S = (15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0)  # after a switch whose result is unknown
MOST_WAITING = 100


class KeySwitcher:
    """`put`: into the main queue. The thread starts with the first switch: most programs never need it."""

    def __init__(self, client_for: Callable[[str], Client], put: Callable[[KeySwitchEnded], None]) -> None:
        self._client_for = client_for
        self._put = put
        self._requests: queue.Queue[SwitchKey] = queue.Queue(MOST_WAITING)
        self._unknown: list[tuple[float, KeySwitch, int]] = []  # monotonic time of the next read, and the reads so far
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def switch(self, effect: SwitchKey) -> None:
        """Carry out a switch; return at once. `KeySwitchEnded` has the result. Used by the main thread only."""
        try:
            self._requests.put_nowait(effect)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="key switch", daemon=True)
                self._thread.start()
        except (queue.Full, RuntimeError) as error:
            self._end(effect.switch, KeyOutcome(SwitchStage.NOT_SENT, None, str(error) or "too many switches"))

    def stop(self) -> None:
        """Start nothing more. Idempotent. A request under way ends with the process."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                effect = self._requests.get(timeout=self._next_read_s())
            except queue.Empty:
                self._read_unknown()
                continue
            switch = effect.switch
            verb = "disabling" if switch.disables else "enabling"
            log.info("%s the key %s, requested by %s", verb, escape_unprintable(switch.key_name, False), switch.source)
            outcome = self._with_client(switch, partial(self._switch, effect), SwitchStage.NOT_SENT)
            self._end(switch, outcome)
            if outcome.stage is SwitchStage.UNKNOWN:
                self._unknown.append((time.monotonic() + READ_AGAIN_S[0], switch, 1))

    def _switch(self, effect: SwitchKey, client: Client) -> KeyOutcome:
        switch = effect.switch
        return switch_key(client, switch.key_hash, switch.disables, effect.read_first, self._stopping.wait)

    def _with_client(self, switch: KeySwitch, act: Callable[[Client], KeyOutcome], if_not: SwitchStage) -> KeyOutcome:
        try:
            with self._client_for(switch.account) as client:
                return act(client)
        except (CredentialError, ApiError) as error:
            return KeyOutcome(if_not, None, error.message)
        except Exception:  # one turn of a thread
            log.exception("the switch of a key failed")
            return KeyOutcome(SwitchStage.UNKNOWN, None, "internal error; the log has the traceback")

    def _next_read_s(self) -> float | None:
        return max(0.0, min(due_s for due_s, *_ in self._unknown) - time.monotonic()) if self._unknown else None

    def _read_unknown(self) -> None:
        now_s = time.monotonic()
        due = [each for each in self._unknown if each[0] <= now_s]
        self._unknown = [each for each in self._unknown if each[0] > now_s]
        for _, switch, reads in due:
            outcome = self._with_client(switch, partial(_read, switch), SwitchStage.UNKNOWN)
            if outcome.stage is not SwitchStage.UNKNOWN:
                self._end(switch, outcome)
            elif reads < len(READ_AGAIN_S):
                self._unknown.append((now_s + READ_AGAIN_S[reads], switch, reads + 1))

    def _end(self, switch: KeySwitch, outcome: KeyOutcome) -> None:
        name, done = escape_unprintable(switch.key_name, False), "disabled" if switch.disables else "enabled"
        if outcome.stage is SwitchStage.DONE:
            log.info("the key %s is %s", name, done)
        else:
            state = {True: "it is disabled", False: "it is enabled", None: "its state is not known"}[outcome.disabled]
            log.warning("the key %s was not %s: %s; %s", name, done, escape_unprintable(outcome.message, False), state)
        self._put(KeySwitchEnded(switch.account, switch.key_hash, switch.requested_at, outcome))


def _read(switch: KeySwitch, client: Client) -> KeyOutcome:
    return read_back(client, switch.key_hash, switch.disables)
