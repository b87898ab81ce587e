"""The user's desktop as the daemon uses it: it shows alerts, and reports the lock of the session.

What is sent, and when, is decided in `app.alerts`; how a notification is shown, in `desktop.notify`.
"""

import os
import queue
import sys
from collections.abc import Callable
from functools import partial

from openbalance_hid.app.dimming import Lock
from openbalance_hid.app.effects import SendAlert, ShowMessage
from openbalance_hid.app.events import AlertAcknowledged, AlertDelivered, Event, KeySwitchRequested, SessionLock
from openbalance_hid.desktop.bus_thread import STOP_LIMIT_S
from openbalance_hid.desktop.mac_screen_lock import PolledScreenLock
from openbalance_hid.desktop.notify import ACKNOWLEDGE, OPEN, Buttons, Shown, send_notification
from openbalance_hid.desktop.open_url import open_url
from openbalance_hid.desktop.screen_lock import ScreenLock
from openbalance_hid.tiles.actions import WebPage

PROBE_LIMIT_S = 12.0
NAME_LIMIT = 24  # characters of a name on a button


class Notifier:
    """Used by the main thread only. `put`: into the main queue; `silent`: show no notifications, as in a demo."""

    def __init__(self, put: Callable[[Event], None], silent: bool) -> None:
        self._put = put
        self._silent = silent
        self._screen_lock: ScreenLock | None = None
        self._polled_lock: PolledScreenLock | None = None  # on macOS

    def send(self, effect: SendAlert) -> None:
        """Show an alert as a notification, with its buttons."""
        key, level = effect.alert.key, effect.level
        if self._silent:
            self._put(AlertDelivered(key, level, True))
            return

        def delivered(shown: Shown) -> None:
            self._put(AlertDelivered(key, level, shown is not Shown.NO, shown is Shown.YES))

        send_notification(effect.title, effect.text, os.environ, delivered, self._buttons(effect), urgent=effect.urgent)

    def show_message(self, effect: ShowMessage) -> None:
        """Show a message without a button."""
        if not self._silent:
            send_notification(effect.title, effect.text, os.environ, lambda _: None, {})

    def _buttons(self, effect: SendAlert) -> Buttons:
        key, level, page, stop = effect.alert.key, effect.level, effect.page, effect.stop
        if page is not None:
            return {OPEN: partial(open_url, page.value)}
        buttons: dict[tuple[str, str], Callable[[], None]] = {
            ACKNOWLEDGE: lambda: self._put(AlertAcknowledged(key, level)),
            OPEN: partial(open_url, WebPage.ACTIVITY.value),
        }
        if stop is not None:
            buttons["stop", f"Stop {effect.stop_name[:NAME_LIMIT]}"] = partial(self._confirm, stop, effect.stop_name)
        return buttons

    def _confirm(self, stop: KeySwitchRequested, name: str) -> None:
        """Show a second notification, whose button disables the key. Runs on the thread of the first one."""
        text = "Programs that use it will be refused, until you enable it again."
        buttons: Buttons = {("stop", f"Stop {name[:NAME_LIMIT]}"): lambda: self._put(stop), ("cancel", "Cancel"): lambda: None}
        send_notification(f"Stop the API key {name}?", text, os.environ, lambda _: None, buttons, urgent=True)

    def probe(self) -> str | None:
        """Show a test notification; return why it is not shown, or None. Waits; may be called by any thread."""
        if self._silent:
            return "a demo shows no notifications"
        results: queue.SimpleQueue[Shown] = queue.SimpleQueue()
        send_notification("OpenRouter: test", "Alerts reach you here.", os.environ, results.put, {})
        try:
            shown = results.get(timeout=PROBE_LIMIT_S)
        except queue.Empty:
            return "the desktop does not answer"
        return "the desktop shows no notifications" if shown is Shown.NO else None

    def stop(self, limit_s: float = STOP_LIMIT_S) -> None:
        """Watch the session's lock no longer, within `limit_s`. Idempotent."""
        if self._screen_lock is not None:
            self._screen_lock.stop(limit_s)
        self._screen_lock = self._polled_lock = None

    def watch_lock(self, wanted: bool) -> None:
        """Watch the session's lock, or no longer. Idempotent."""
        self.stop()
        if wanted and sys.platform == "darwin":
            self._polled_lock = PolledScreenLock(self._on_lock)
        elif wanted:
            self._screen_lock = ScreenLock(self._on_lock)
            self._screen_lock.start()

    def check_lock(self) -> None:
        """Read the lock of the session where nothing reports it: on macOS. Called at turns of the main loop."""
        if self._polled_lock is not None:
            self._polled_lock.check()

    def revive(self) -> None:
        """Start the thread of the lock again if it has ended."""
        if self._screen_lock is not None:
            self._screen_lock.revive()

    def _on_lock(self, locked: bool, certain: bool) -> None:
        """Runs on the thread of the lock; on macOS on the main thread."""
        self._put(SessionLock(Lock.OPEN if not locked else Lock.LOCKED if certain else Lock.ASKED))
