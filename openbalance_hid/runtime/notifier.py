"""The owner's desktop as the daemon deals with it: told of alarms and concerns, heard of the session's lock.

What is told, and when, is decided by `alarms` and `concerns`; how, by the room `desktop`.
"""

import os
from collections.abc import Callable

from openbalance_hid.account.spike import Level
from openbalance_hid.app.dimming import Lock
from openbalance_hid.app.effects import Notify, Warn
from openbalance_hid.app.events import Acknowledged, Event, Notified, SessionLock, Warned
from openbalance_hid.desktop.notify import OPEN, send_notification
from openbalance_hid.desktop.open_url import open_url
from openbalance_hid.desktop.screen_lock import ScreenLock


class Notifier:
    """For the main thread. `put`: into the main queue; `silent`: what a demo plays is no news for anybody's desktop."""

    def __init__(self, put: Callable[[Event], None], silent: bool) -> None:
        self._put = put
        self._silent = silent
        self._screen_lock: ScreenLock | None = None

    def notify(self, wanted: Notify) -> None:
        """Tell of a spike; the button acknowledges it."""
        which = (wanted.account, wanted.rule, wanted.level)
        if self._silent:
            self._put(Notified(*which, True))
            return
        send_notification(
            wanted.title,
            wanted.text,
            os.environ,
            lambda delivered: self._put(Notified(*which, delivered)),
            lambda: self._put(Acknowledged(*which)),
            urgent=wanted.level is Level.CRITICAL,
        )

    def warn(self, wanted: Warn) -> None:
        """Tell of a concern; the button opens the page that helps."""
        which = (wanted.account, wanted.kind, wanted.grade)
        if self._silent:
            self._put(Warned(*which, True))
            return
        send_notification(
            wanted.title,
            wanted.text,
            os.environ,
            lambda delivered: self._put(Warned(*which, delivered)),
            lambda: open_url(wanted.page.value),
            urgent=wanted.urgent,
            button=OPEN,
        )

    def heed_lock(self, wanted: bool) -> None:
        """Listen to the session's lock, or no longer; may be called twice."""
        if self._screen_lock is not None:
            self._screen_lock.stop()
            self._screen_lock = None
        if wanted:
            self._screen_lock = ScreenLock(self._session)
            self._screen_lock.start()

    def _session(self, locked: bool, certain: bool) -> None:
        """On the thread of the lock."""
        self._put(SessionLock(Lock.OPEN if not locked else Lock.LOCKED if certain else Lock.ASKED))
