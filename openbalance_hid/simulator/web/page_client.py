"""One page that is connected: what it still has to be told, and the thread that tells it.

No queue: a set of things that changed. The sender asks for the newest state of each when the page can take it, so a slow page
skips pictures instead of collecting them, and slows nobody else down.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from hashlib import blake2b

from websockets.exceptions import ConnectionClosed

from openbalance_hid.simulator.web.page_http import Connection

logger = logging.getLogger(__name__)

STOP_PATIENCE_S = 0.5  # for a message that is on its way

Item = int | str  # a key's number, or the name of another thing that can change
Describe = Callable[[Item], str | None]


class BrowserClient:
    """The outgoing half of one connection. `describe` gives the message on an item's present state, or None to say nothing."""

    def __init__(self, connection: Connection, describe: Describe, name: str) -> None:
        self._connection = connection
        self._describe = describe
        self._changed: dict[Item, None] = {}  # a set that keeps its order
        self._told: dict[Item, bytes] = {}  # digest of the last message on each item; the sender's own
        self._anew: Item | None = None  # from this item on the page knows nothing any more
        self._closed = False
        self._wake = threading.Condition()
        self._sender = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts the sender."""
        self._sender.start()

    def changed(self, items: Iterable[Item]) -> None:
        """Notes that these may look different now. Never blocks on the page."""
        with self._wake:
            self._changed.update(dict.fromkeys(items))
            self._wake.notify()

    def start_over(self, items: Iterable[Item]) -> None:
        """Tells `items` in this order and nothing from before; from the first on, also what looks the same as before."""
        with self._wake:
            self._changed = dict.fromkeys(items)
            self._anew = next(iter(self._changed), None)
            self._wake.notify()

    def stop(self) -> None:
        """Ends the sender and joins it; hangs up on a page that does not take what is being sent. May be called twice."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._sender.ident is None:
            return
        self._sender.join(STOP_PATIENCE_S)
        if self._sender.is_alive():
            self._connection.hang_up()
            self._sender.join()

    def _run(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while (item := self._next()) is not None:
                self._tell(item)

    def _next(self) -> Item | None:
        """The thing that changed first; waits for one. None at the end."""
        with self._wake:
            self._wake.wait_for(lambda: self._changed or self._closed)
            if self._closed:
                return None
            item = next(iter(self._changed))
            del self._changed[item]
            if item == self._anew:
                self._anew = None
                self._told.clear()
            return item

    def _tell(self, item: Item) -> None:
        try:
            message = self._describe(item)
        except Exception:  # one turn of this thread: a picture that cannot be had must not silence the others
            logger.exception("cannot describe %r to the browser", item)
            return
        if message is None:
            return
        digest = blake2b(message.encode(), digest_size=16).digest()
        if self._told.get(item) != digest:
            self._told[item] = digest
            self._connection.send(message)
