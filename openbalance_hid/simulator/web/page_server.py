"""The virtual deck as a page on 127.0.0.1: the server, its answers and its life.

Who may ask is decided in `browser_guard`, what is said in `browser_words`, what the deck shows and does in `browser_show`, how
a page is kept up to date in `browser_client`, ports and headers in `browser_http`. The page itself is in `page/`.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.simulator.client_threads import ClientThreads
from openbalance_hid.simulator.web import page_messages as words
from openbalance_hid.simulator.web.page_access import PageAccess, Tickets
from openbalance_hid.simulator.web.page_client import BrowserClient, Item
from openbalance_hid.simulator.web.page_http import Connection, listen, page_files, quiet_logger, response
from openbalance_hid.simulator.web.page_presenter import (
    BRIGHTNESS,
    DECK,
    NOTE,
    PANEL,
    SCENARIO,
    Choice,
    PagePresenter,
    ShownDeck,
)

logger = logging.getLogger(__name__)

CLIENTS = 32  # pages at once; each costs four threads
CONNECTIONS = 64  # with those that only fetch something; each costs two threads and five descriptors
BAD_WORDS = 20  # then the page is taken for something else, and hung up on
CLOSE_TIMEOUT_S = 1.0  # for a page's goodbye


class BrowserDeck:
    """The deck on a page, from `start` to `stop`. Every callback may be called on any thread.

    `port` None: 8484 or the next free one; 0: any; else this one or an error. `token`: the secret in the address.
    """

    def __init__(
        self,
        deck: ShownDeck,
        texts: Callable[[], Mapping[Item, str]],
        scenarios: Sequence[tuple[str, str]] = (),
        scenario: Callable[[], str] = str,
        set_scenario: Callable[[str], None] | None = None,
        models: Sequence[tuple[str, str]] = (),
        set_model: Callable[[str], None] | None = None,
        port: int | None = None,
        token: str | None = None,
    ) -> None:
        self._texts = texts
        self._scenarios = Choice(scenarios, scenario, set_scenario)
        self._models = Choice(models, lambda: self._show.deck.model.name, set_model)
        self._show = PagePresenter(deck, texts, self._scenarios, self._models)
        self._wanted_port = port
        self._token = token or secrets.token_urlsafe(24)
        self._guard = PageAccess(0, self._token)
        self._pages = page_files(self._token)
        self._numbers = itertools.count(1)
        self._visitors = ClientThreads()
        self._lock = threading.Lock()  # of everything below
        self._clients: set[BrowserClient] = set()
        self._tickets = Tickets()
        self._sockets: dict[Connection, None] = {}  # a set that keeps the order of coming
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._unsubscribe: Callable[[], None] = _nothing

    @property
    def port(self) -> int:
        """The port that is listened on; 0 before `start`."""
        return self._guard.port

    @property
    def url(self) -> str:
        """The address to open, with its token."""
        return f"http://127.0.0.1:{self.port}{self._home}"

    @property
    def _home(self) -> str:
        return f"/?token={quote(self._token, safe='')}"

    def url_for_once(self) -> str:
        """An address that leads to the page once, and soon: for a program's words, which everybody on the machine can read."""
        with self._lock:
            return f"http://127.0.0.1:{self.port}/?ticket={self._tickets.sell(time.monotonic())}"

    def start(self) -> str:
        """Listens, and answers the address to open. Raises UsageError when the port is taken."""
        listener = listen(self._wanted_port)
        listener.has_room = self._has_room
        self._guard = PageAccess(listener.getsockname()[1], self._token)
        server = serve(
            cast(Callable[[ServerConnection], None], self._converse),  # every connection comes from our factory
            sock=listener,
            process_request=self._answer,
            compression=None,  # pictures are compressed already, and nothing is cheaper than loopback
            server_header=None,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=words.CLIENT_MESSAGE_BYTES,
            logger=quiet_logger(logger),
            create_connection=cast(type[ServerConnection], self._connection),  # documented as a factory
        )
        thread = threading.Thread(target=server.serve_forever, name="browser-deck", daemon=True)
        with self._lock:
            self._server, self._thread = server, thread
        self._unsubscribe = self._show.deck.subscribe(self._landed)
        thread.start()
        logger.info("virtual deck on port %d", self.port)
        return self.url

    def stop(self) -> None:
        """Says goodbye to every page, lifts its fingers, closes the port and joins the threads. May be called twice."""
        with self._lock:
            server, thread = self._server, self._thread
            self._server = self._thread = None
            clients = list(self._clients)
        if server is None or thread is None:
            return
        self._unsubscribe()
        for client in clients:
            client.stop()
        with self._lock:
            sockets = list(self._sockets)
        for connection in sockets:
            connection.hang_up_unless_open()
        server.shutdown()
        thread.join()
        self._visitors.join()
        with self._lock:
            self._sockets.clear()

    def show(self, deck: ShownDeck) -> None:
        """Puts another deck on the page, as if it had been plugged in instead."""
        before = self._show
        self._unsubscribe()
        with self._lock:
            self._show = PagePresenter(deck, self._texts, self._scenarios, self._models, before.note)
            clients = list(self._clients)
            running = self._server is not None
        if running:
            self._unsubscribe = deck.subscribe(self._landed)
        for client in clients:
            before.fingers.lift_all(client)
            client.start_over([DECK, *self._show.items()])

    def texts_changed(self) -> None:
        """Tells the pages the tiles' words that are different now."""
        self._tell([*self._show.keys, *([PANEL] if self._show.panel else [])])

    def scenario_changed(self) -> None:
        """Tells the pages which scenario runs, when it was not a page that chose it."""
        self._tell([SCENARIO])

    def note(self, text: str) -> None:
        """Writes one line below the deck: what a press did."""
        self._show.note = text
        self._tell([NOTE])

    # --- the deck ------------------------------------------------------------------------------------------------------

    def _landed(self, key: int) -> None:
        """Called by the deck, on the thread that draws: only notes what may look different."""
        self._tell([key] if key >= 0 else [BRIGHTNESS, PANEL, *self._show.keys])

    def _tell(self, items: Iterable[Item]) -> None:
        changed = list(items)
        with self._lock:
            for client in self._clients:
                client.changed(changed)

    # --- requests ------------------------------------------------------------------------------------------------------

    def _connection(self, *arguments: Any, **options: Any) -> Connection:
        connection = Connection(*arguments, **options)
        with self._lock:
            self._sockets[connection] = None
            if self._server is None:
                connection.hang_up_unless_open()
        return connection

    def _has_room(self) -> bool:
        """Whether one more may be let in. When it may not, one goes: who has asked for nothing for the longest time."""
        with self._lock:
            self._sockets = {known: None for known in self._sockets if known.alive}
            full = len(self._sockets) >= CONNECTIONS
            silent = next((known for known in self._sockets if known.asks_still), None)
        if full and silent is not None:
            silent.hang_up()
        return not full

    def _answer(self, _connection: ServerConnection, request: Request) -> Response | None:
        """The answer to a plain request; None for a WebSocket that may be opened."""
        path = request.path.partition("?")[0]
        websocket = path == "/events"
        refusal = self._guard.refusal(request.path, request.headers.get_all, websocket=websocket)
        if refusal == "token" and path == "/" and request.method == "GET":
            with self._lock:
                welcome = self._tickets.take(request.path, time.monotonic())
            if welcome:
                return response(HTTPStatus.SEE_OTHER, "", host=request.headers["Host"], location=self._home)
        if refusal is not None:
            logger.debug("refused a request: %s", refusal)
            return response(HTTPStatus.FORBIDDEN, "open the address that openbalance-hid has printed\n")
        host = request.headers["Host"]
        if request.method != "GET":
            body = "" if request.method == "HEAD" else "only GET is answered here\n"
            return response(HTTPStatus.METHOD_NOT_ALLOWED, body, host=host, allow="GET")
        if websocket:
            full = len(self._clients) >= CLIENTS
            return response(HTTPStatus.SERVICE_UNAVAILABLE, "too many pages are open\n", host=host) if full else None
        return self._resource(path, host)

    def _resource(self, path: str, host: str) -> Response:
        if path in self._pages:
            content_type, body = self._pages[path]
            return response(HTTPStatus.OK, body, content_type, host=host)
        if path == "/deck.json":
            return response(HTTPStatus.OK, msgspec.json.encode(self._show.description()), "application/json", host=host)
        if path == "/strip.png" and (png := self._show.panel_png()):
            return response(HTTPStatus.OK, png, "image/png", host=host)
        key = re.fullmatch(r"/keys/(0|[1-9][0-9]{0,2})\.png", path)
        if key and (png := self._show.key_png(int(key[1]))):
            return response(HTTPStatus.OK, png, "image/png", host=host)
        return response(HTTPStatus.NOT_FOUND, "no such page\n", host=host)

    # --- pages ---------------------------------------------------------------------------------------------------------

    def _converse(self, connection: Connection) -> None:
        """One page, from its first picture until it has gone. Runs on a thread of its own."""
        number = next(self._numbers)
        threading.current_thread().name = f"browser-listen-{number}"
        self._visitors.note(threading.current_thread())
        client = BrowserClient(connection, lambda item: self._show.message(item), f"browser-send-{number}")
        with self._lock:
            welcome = self._server is not None and len(self._clients) < CLIENTS
            if welcome:
                self._clients.add(client)
        if not welcome:
            connection.close(CloseCode.TRY_AGAIN_LATER)
            return
        try:
            client.changed(self._show.items())
            client.start()
            self._listen_to(connection, client)
        finally:
            with self._lock:
                self._clients.discard(client)
            self._show.fingers.lift_all(client)
            client.stop()

    def _listen_to(self, connection: Connection, client: BrowserClient) -> None:
        bad = 0
        with contextlib.suppress(ConnectionClosed):
            for message in connection:
                if self._understood(message, client):
                    continue
                bad += 1
                if bad >= BAD_WORDS:
                    logger.warning("hung up on a page of the virtual deck: %d messages made no sense", bad)
                    connection.close(CloseCode.POLICY_VIOLATION)

    def _understood(self, message: str | bytes, client: BrowserClient) -> bool:
        word = words.understand(message)
        if word is None:
            return False
        try:
            return self._show.obey(client, word)
        except OpenBalanceError as error:  # an unplugged deck takes no fingers
            logger.debug("the virtual deck did not take %s: %s", word, error)
            return True
        finally:
            if isinstance(word, words.ChooseScenario):
                self._tell([SCENARIO])


def _nothing() -> None:
    """Ends a subscription that was never made."""
