"""The commands of the control socket: each one runs on the main thread, between two events."""

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from openbalance_hid.account.snapshot import is_apart
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller, ScheduledCall
from openbalance_hid.app.events import Event, GestureRequested, IdentifyRequested, PageRequested, RepaintRequested
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.errors import ApiError, NoDaemonError, OpenBalanceError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.alert_commands import ProbeTargets, alerts_status, claim_probes
from openbalance_hid.ipc.deck_commands import DeckHandover
from openbalance_hid.ipc.key_commands import SWITCH_LIMIT_S, ended_switch, list_keys, start_switch, switch_result
from openbalance_hid.ipc.messages import (
    AccountsRequest,
    AlertsRequest,
    BrightnessRequest,
    HoldRequest,
    KeysRequest,
    KeySwitchCommand,
    NumbersRequest,
    PressRequest,
    PreviewRequest,
    ProbeRequest,
    RefreshRequest,
    ReleaseRequest,
    ReloadRequest,
    StatusRequest,
    StatusWatchRequest,
    StopRequest,
    TakeRequest,
    TurnRequest,
    WatchRequest,
    parse_request,
)
from openbalance_hid.ipc.status import accounts, without_counters
from openbalance_hid.text import did_you_mean

RESULT_LIMIT_S = 10.0
STATUS_GAP_S = 1.0  # between two lines of a watched status
RECHECK_S = 10.0  # a subscriber that has disconnected is noticed after this time at the latest
SUBSCRIBER_LIMIT = 24  # of the control server's 32 clients, so that single requests always find a place
CHECK_S = 0.25  # how long a new subscriber waits for the place of one that has disconnected …
CHECK_INTERVAL_S = 1.0  # … and how often they are checked for it

Query = Callable[[Controller, Moment], Any]


class ChangeCounter:
    """A counter of possible changes, for threads that wait for the next one. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._number = 0
        self._ended = False

    @property
    def number(self) -> int:
        """The number of changes so far."""
        return self._number

    @property
    def is_ended(self) -> bool:
        """Whether no change will follow."""
        return self._ended

    def notify(self) -> None:
        """Count a change and wake all waiting threads."""
        with self._changed:
            self._number += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Wake all waiting threads for the last time. Idempotent."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def pause(self, limit_s: float) -> None:
        """Wait for `limit_s`, or until no change will follow."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, limit_s)

    def wait(self, after: int, limit_s: float) -> bool:
        """Return whether the number exceeds `after`; wait for that up to `limit_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._number > after, limit_s)
            return self._number > after


class Commands:
    """Runs the request of a client.

    `put` hands an event or a call to the main thread. `refresh` polls an account and returns whether a poll starts;
    `preview` draws a deck as a PNG file, given model and theme or None; `reload` reads the configuration and returns what came
    of it, in words; `probe` sends a test message to the sinks that may get one.
    """

    def __init__(
        self,
        put: Callable[[Event | ScheduledCall], None],
        status: Query,
        preview: Callable[[Controller, Moment, str | None, str | None], bytes],
        refresh: Callable[[str], bool],
        stop: Callable[[], None],
        changes: ChangeCounter,
        reload: Callable[[], str] = lambda: "unchanged",
        handover: DeckHandover | None = None,
        probe: Callable[[ProbeTargets], list[dict[str, str | None]]] = lambda _: [],
    ) -> None:
        self._put = put
        self._status = status
        self._preview = preview
        self._refresh = refresh
        self._stop = stop
        self._changes = changes
        self._reload = reload
        self._handover = handover or DeckHandover()
        self._probe = probe
        self._subscribers = threading.BoundedSemaphore(SUBSCRIBER_LIMIT)
        self._check_lock = threading.Lock()
        self._checked_s = float("-inf")  # monotonic

    def __call__(self, request: Mapping[str, Any]) -> Any:
        """Return the result of the request, or an iterator of results.

        Called on a thread of the control server. Raises OpenBalanceError when the command cannot be carried out.
        """
        match parsed := parse_request(request):
            case StopRequest():
                return self._stop()
            case ReloadRequest():
                self._put(RepaintRequested())
                return self._reload()
            case AlertsRequest():
                return self._on_main(alerts_status)
            case ProbeRequest():
                return self._probe(self._on_main(claim_probes))
            case KeysRequest(account):
                return self._on_main(lambda controller, _: list_keys(controller, account))
            case KeySwitchCommand():
                return self._switch_key(parsed)
            case WatchRequest():
                return self._watch(lambda controller, now: accounts(controller, now.utc))
            case StatusWatchRequest():
                return self._watch(self._status, without_counters, STATUS_GAP_S)
            case StatusRequest():
                return self._on_main(self._status)
            case AccountsRequest():
                return self._on_main(lambda controller, now: accounts(controller, now.utc))
            case RefreshRequest(account):
                return self._on_main(lambda controller, _: self._refresh_accounts(controller, account))
            case PreviewRequest(model, theme):
                return self._on_main(lambda controller, now: b64encode(self._preview(controller, now, model, theme)).decode())
            case PressRequest(key):
                return self._on_main(lambda controller, _: self._gesture(controller, key, Gesture.TAP))
            case HoldRequest(key):
                return self._on_main(lambda controller, _: self._gesture(controller, key, Gesture.HOLD))
            case TurnRequest(name):
                return self._on_main(lambda controller, _: self._turn_page(controller, name))
            case BrightnessRequest(level, deck):
                return self._on_main(lambda controller, _: self._handover.set_brightness(controller, level, deck, self._put))
            case ReleaseRequest(deck):
                return self._on_main(lambda controller, _: self._handover.release_decks(controller, deck))
            case TakeRequest(deck):
                return self._on_main(lambda controller, _: self._handover.take_decks(controller, deck))
            case NumbersRequest():
                return self._on_main(lambda controller, _: self._identify(controller))

    def _switch_key(self, command: KeySwitchCommand) -> dict[str, Any]:
        """Request a switch and wait for its end."""
        name, disables, account = command.name, command.disables, command.account
        key_hash, since = self._on_main(
            lambda controller, now: start_switch(controller, account, name, disables, now, self._put)
        )
        end_s = time.monotonic() + SWITCH_LIMIT_S
        while time.monotonic() < end_s and not self._changes.is_ended:
            number = self._changes.number
            ended = self._on_main(lambda controller, _: ended_switch(controller, account, key_hash, since))
            if ended is not None:
                return switch_result(ended)
            self._changes.wait(number, 1.0)
        raise ApiError("the switch has not ended yet: its state is not known", hint("a key was not switched"))

    def _watch(self, query: Query, compared: Callable[[Any], Any] = lambda result: result, gap_s: float = 0.0) -> Iterator[Any]:
        """Yield the result of `query` now and after each change, and None in between for checks of the client.

        `compared`: the part of a result that is a change when it differs. `gap_s`: the least time between two results; then
        changes without a count, as of a brightness, are looked for every `RECHECK_S`, too.
        """
        self._add_subscriber()
        try:
            sent: object = None
            while not self._changes.is_ended:
                number = self._changes.number
                current = self._on_main(query)
                is_new, sent = compared(current) != sent, compared(current)
                yield current if is_new else None
                self._changes.pause(gap_s if is_new else 0.0)
                while not self._changes.is_ended and not self._changes.wait(number, RECHECK_S):
                    yield None
                    if gap_s:
                        break
        finally:
            self._subscribers.release()

    def _add_subscriber(self) -> None:
        """Take a subscriber's place; when none is free, wait a moment for the subscribers that have disconnected to end."""
        if self._subscribers.acquire(blocking=False):
            return
        with self._check_lock:
            wait_s = self._checked_s + CHECK_S - time.monotonic()
            if wait_s < CHECK_S - CHECK_INTERVAL_S:
                self._checked_s, wait_s = time.monotonic(), CHECK_S
                self._changes.notify()  # every subscriber sends, or ends when its client has disconnected
        if not self._subscribers.acquire(timeout=max(0.0, wait_s)):
            raise NoDaemonError(f"{SUBSCRIBER_LIMIT} programs watch already; no more can", hint("too many programs watch"))

    def _on_main(self, query: Query) -> Any:
        """Return the result of `query`, which runs on the main thread."""
        result: Future[Any] = Future()

        def run(controller: Controller, now: Moment) -> None:
            try:
                result.set_result(query(controller, now))
            except OpenBalanceError as error:
                result.set_exception(error)
            except Exception as error:
                result.set_exception(error)
                raise

        self._put(run)
        try:
            return result.result(RESULT_LIMIT_S)
        except FutureTimeoutError as error:
            raise NoDaemonError("the daemon is too busy to answer", hint("the daemon does not answer", "status")) from error

    def _refresh_accounts(self, controller: Controller, account: str | None) -> dict[str, bool | None]:
        """Return whether each account is polled now; None where nothing can answer: its broker or publisher is away."""
        if account is not None and account not in controller.snapshots:
            raise UsageError(f"no account is named {account[:40]!r}", hint("the account does not exist"))
        self._put(RepaintRequested())
        accounts = [snapshot for name, snapshot in controller.snapshots.items() if account in (None, name)]
        return {each.account: self._refresh(each.account) or (None if is_apart(each) else False) for each in accounts}

    def _turn_page(self, controller: Controller, name: str) -> list[dict[str, Any]]:
        """Show the page on every deck that has one of that name."""
        self._handover.require_deck(controller)
        decks = [serial for serial, deck in controller.decks.items() if name in deck.pages.names]
        if not decks:
            pages = dict.fromkeys(page for deck in controller.decks.values() for page in deck.pages.names)
            raise UsageError(
                f"no deck has a page '{name[:40]}', only {', '.join(pages)}{did_you_mean(name, pages)}",
                hint("no such deck, page or key"),
            )
        self._put(PageRequested(name))
        return [{"serial": serial, "page": name} for serial in decks]

    def _identify(self, controller: Controller) -> list[dict[str, Any]]:
        self._handover.require_deck(controller)
        self._put(IdentifyRequested())
        return [{"serial": serial, "model": deck.shape.model} for serial, deck in controller.decks.items()]

    def _gesture(self, controller: Controller, key: int, gesture: Gesture) -> dict[str, Any]:
        self._handover.require_deck(controller)
        serial = next(iter(controller.key_tiles))
        tiles = controller.key_tiles[serial]
        if key not in tiles:
            raise UsageError(
                f"the deck has no key {key}: its keys are 0 to {len(tiles) - 1}", hint("no such deck, page or key")
            )
        self._put(GestureRequested(key, gesture, serial))
        return {"serial": serial, "key": key, "tile": tiles[key].tile}
