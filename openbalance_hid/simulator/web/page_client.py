"""One connected page: the items that changed, and the thread that sends them.

No queue: a set of changed items. The sender gets the newest state of each when the page can receive it, so a slow page skips
pictures and does not slow down other pages.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from hashlib import blake2b

from websockets.exceptions import ConnectionClosed

from openbalance_hid.simulator.web.page_http import PageConnection

logger = logging.getLogger(__name__)

STOP_TIMEOUT_S = 0.5  # for the message in progress

PageItem = int | str  # the number of a key, or the name of another item
_Describe = Callable[[PageItem], str | None]


class PageClient:
    """The sender of one connection. `describe` returns the message with an item's current state, or None for no message."""

    def __init__(self, connection: PageConnection, describe: _Describe, name: str) -> None:
        self._connection = connection
        self._describe = describe
        self._changed: dict[PageItem, None] = {}  # a set that keeps its order
        self._sent_digests: dict[PageItem, bytes] = {}  # digest of the last message of each item; used by the sender only
        self._resend_from: PageItem | None = None  # from this item on, messages are sent also when unchanged
        self._closed = False
        self._wake = threading.Condition()
        self._sender = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the sender."""
        self._sender.start()

    def changed(self, items: Iterable[PageItem]) -> None:
        """Mark items as changed. Does not wait for the page."""
        with self._wake:
            self._changed.update(dict.fromkeys(items))
            self._wake.notify()

    def start_over(self, items: Iterable[PageItem]) -> None:
        """Send `items` in this order, also unchanged ones, and drop earlier changes."""
        with self._wake:
            self._changed = dict.fromkeys(items)
            self._resend_from = next(iter(self._changed), None)
            self._wake.notify()

    def stop(self) -> None:
        """End and join the sender; disconnect a page that does not read. Idempotent."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._sender.ident is None:
            return
        self._sender.join(STOP_TIMEOUT_S)
        if self._sender.is_alive():
            self._connection.disconnect()
            self._sender.join()

    def _run(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while (item := self._next()) is not None:
                self._send(item)

    def _next(self) -> PageItem | None:
        """Return the item that changed first; waits for one. None at the end."""
        with self._wake:
            self._wake.wait_for(lambda: self._changed or self._closed)
            if self._closed:
                return None
            item = next(iter(self._changed))
            del self._changed[item]
            if item == self._resend_from:
                self._resend_from = None
                self._sent_digests.clear()
            return item

    def _send(self, item: PageItem) -> None:
        try:
            message = self._describe(item)
        except Exception:  # one turn of this thread: the error of one item must not stop the others
            logger.exception("cannot describe %r to the browser", item)
            return
        if message is None:
            return
        digest = blake2b(message.encode(), digest_size=16).digest()
        if self._sent_digests.get(item) != digest:
            self._sent_digests[item] = digest
            self._connection.send(message)
