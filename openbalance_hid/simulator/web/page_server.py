"""The virtual deck as a page on 127.0.0.1: the server and its resources.

Not here: access control (`page_access`), messages (`page_messages`), the deck on the page (`page_presenter`), sending to a page
(`page_client`), ports and headers (`page_http`). The page itself is in `page/`.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import re
import secrets
import socket
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
from openbalance_hid.restarting_thread import RestartingThread
from openbalance_hid.simulator.client_threads import ClientThreads
from openbalance_hid.simulator.device.virtual_deck import INVALID_REPORT
from openbalance_hid.simulator.web import page_messages as messages
from openbalance_hid.simulator.web.page_access import OneTimeTokens, PageAccess
from openbalance_hid.simulator.web.page_client import PageClient, PageItem
from openbalance_hid.simulator.web.page_http import PageConnection, listen, page_files, quiet_logger, response, serve_forever
from openbalance_hid.simulator.web.page_presenter import (
    BRIGHTNESS,
    DECK,
    INVALID_REPORTS,
    NOTE,
    PANEL,
    SCENARIO,
    PageChoice,
    PagePresenter,
    ShownDeck,
)

logger = logging.getLogger(__name__)

INCOMPLETE_ADDRESS_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>openbalance-hid: address without its token</title></head>
<body><main><h1>This address is not complete</h1>
<p>The virtual deck opens only with the token at the end of its address, so that no other
program and no web page can use it.</p>
<p>Open the whole address that openbalance-hid printed in the terminal: it begins with <code>Virtual deck: http://127.0.0.1</code>.
After a restart the token is a new one.</p></main></body></html>
"""
CLIENTS = 32  # pages at once; each takes four threads
CONNECTIONS = 64  # including plain requests; each takes two threads and five descriptors
BAD_MESSAGES = 20  # invalid messages until a page is disconnected
CLOSE_TIMEOUT_S = 1.0  # for the closing handshake of a page
STOP_LIMIT_S = 10.0


class PageServer:
    """Serves the deck on a page, from `start` to `stop`. Callbacks run on any thread.

    `port` None: 8484 or the next free one; 0: any free port; else this port or an error. `token`: the secret in the URL.
    """

    def __init__(
        self,
        deck: ShownDeck,
        texts: Callable[[], Mapping[PageItem, str]],
        scenarios: Sequence[tuple[str, str]] = (),
        scenario: Callable[[], str] = str,
        set_scenario: Callable[[str], None] | None = None,
        models: Sequence[tuple[str, str]] = (),
        set_model: Callable[[str], None] | None = None,
        port: int | None = None,
        token: str | None = None,
    ) -> None:
        self._texts = texts
        self._scenarios = PageChoice(scenarios, scenario, set_scenario)
        self._models = PageChoice(models, lambda: self._presenter.deck.model.name, set_model)
        self._presenter = PagePresenter(deck, texts, self._scenarios, self._models)
        self._requested_port = port
        self._token = token or secrets.token_urlsafe(24)
        self._access = PageAccess(0, self._token)
        self._pages = page_files(self._token)
        self._numbers = itertools.count(1)
        self._client_threads = ClientThreads()
        self._lock = threading.Lock()  # of everything below
        self._clients: set[PageClient] = set()
        self._one_time_tokens = OneTimeTokens()
        self._connections: dict[PageConnection, None] = {}  # a set, oldest first
        self._server: Server | None = None
        self._listener: socket.socket | None = None  # from `start` to `stop`
        self._thread = RestartingThread("page-server", self._serve)
        self._unsubscribe: Callable[[], None] = _nothing

    @property
    def port(self) -> int:
        """Return the port of the server; 0 before `start`."""
        return self._access.port

    @property
    def url(self) -> str:
        """Return the URL to open, with its token."""
        return f"http://127.0.0.1:{self.port}{self._path_with_token}"

    @property
    def _path_with_token(self) -> str:
        return f"/?token={quote(self._token, safe='')}"

    def one_time_url(self) -> str:
        """Return a URL that opens the page once, soon: for a command line, which every user of the machine can read."""
        with self._lock:
            return f"http://127.0.0.1:{self.port}/?one_time_token={self._one_time_tokens.issue(time.monotonic())}"

    def start(self) -> str:
        """Start to listen; return the URL to open. Raises UsageError when the port is taken."""
        listener = listen(self._requested_port)
        listener.has_room = self._has_room
        self._access = PageAccess(listener.getsockname()[1], self._token)
        with self._lock:
            self._listener = listener
        self._unsubscribe = self._presenter.deck.subscribe(self._display_changed)
        self._thread.start()
        logger.info("virtual deck on port %d", self.port)
        return self.url

    def revive(self) -> None:
        """Start the thread again if it has ended (see `RestartingThread.revive`)."""
        self._thread.revive()

    def stop(self) -> None:
        """Disconnect every page, release its keys, close the port and join the threads. Idempotent."""
        with self._lock:
            listener, server = self._listener, self._server
            self._listener = self._server = None
            clients = list(self._clients)
        if listener is None:
            return
        self._unsubscribe()
        for client in clients:
            client.stop()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.disconnect_unless_open()
        self._thread.stop()
        if server is not None:
            server.shutdown()
        listener.close()
        self._thread.join(STOP_LIMIT_S)
        self._client_threads.join()
        with self._lock:
            self._connections.clear()

    def _serve(self) -> None:
        """Accept connections until `stop`, on the thread of the server. Called again after a failure."""
        with self._lock:
            if self._listener is None:
                return
            server = self._server = serve(
                cast(Callable[[ServerConnection], None], self._serve_page),  # our factory makes every connection
                sock=self._listener,
                process_request=self._answer,
                compression=None,  # pictures are compressed already, and nothing is cheaper than loopback
                server_header=None,
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=messages.CLIENT_MESSAGE_BYTES,
                logger=quiet_logger(logger),
                create_connection=cast(type[ServerConnection], self._connection),  # documented as a factory
            )
        serve_forever(server)

    def show_deck(self, deck: ShownDeck) -> None:
        """Show another deck on the page, as if it had been plugged in instead."""
        before = self._presenter
        self._unsubscribe()
        with self._lock:
            self._presenter = PagePresenter(deck, self._texts, self._scenarios, self._models, before.note)
            clients = list(self._clients)
            running = self._listener is not None
        if running:
            self._unsubscribe = deck.subscribe(self._display_changed)
        for client in clients:
            before.input.release_all(client)
            client.start_over([DECK, *self._presenter.items()])

    def texts_changed(self) -> None:
        """Send the texts of the tiles that changed."""
        self._notify_pages([*self._presenter.keys, *([PANEL] if self._presenter.panel else [])])

    def scenario_changed(self) -> None:
        """Send the current scenario, after a change that no page made."""
        self._notify_pages([SCENARIO])

    def note(self, text: str) -> None:
        """Write the line below the deck: the result of a press."""
        self._presenter.note = text
        self._notify_pages([NOTE])

    # --- the deck ------------------------------------------------------------------------------------------------------

    def _display_changed(self, key: int) -> None:
        """Mark a key or all other parts as changed. The deck calls this on the thread that draws."""
        if key == INVALID_REPORT:
            self._notify_pages([INVALID_REPORTS])
        else:
            self._notify_pages([key] if key >= 0 else [BRIGHTNESS, PANEL, *self._presenter.keys])

    def _notify_pages(self, items: Iterable[PageItem]) -> None:
        changed = list(items)
        with self._lock:
            for client in self._clients:
                client.changed(changed)

    # --- requests ------------------------------------------------------------------------------------------------------

    def _connection(self, *arguments: Any, **options: Any) -> PageConnection:
        connection = PageConnection(*arguments, **options)
        with self._lock:
            self._connections[connection] = None
            if self._listener is None:
                connection.disconnect_unless_open()
        return connection

    def _has_room(self) -> bool:
        """Return whether another connection is accepted. If not, close the oldest one without a request."""
        with self._lock:
            self._connections = {known: None for known in self._connections if known.alive}
            full = len(self._connections) >= CONNECTIONS
            idle = next((known for known in self._connections if known.awaits_request), None)
        if full and idle is not None:
            idle.disconnect()
        return not full

    def _answer(self, _connection: ServerConnection, request: Request) -> Response | None:
        """Return the response to a plain request; None to accept a WebSocket."""
        path = request.path.partition("?")[0]
        websocket = path == "/events"
        refusal = self._access.refusal(request.path, request.headers.get_all, websocket=websocket)
        if refusal == "token" and path == "/" and request.method == "GET":
            with self._lock:
                accepted = self._one_time_tokens.redeem(request.path, time.monotonic())
            if accepted:
                return response(HTTPStatus.SEE_OTHER, "", host=request.headers["Host"], location=self._path_with_token)
        if refusal is not None:
            logger.debug("refused a request: %s", refusal)
            if path == "/" and request.method == "GET":
                return response(HTTPStatus.FORBIDDEN, INCOMPLETE_ADDRESS_PAGE, "text/html; charset=utf-8")
            return response(HTTPStatus.FORBIDDEN, "open the address that openbalance-hid has printed\n")
        host = request.headers["Host"]
        if request.method != "GET":
            body = "" if request.method == "HEAD" else "only GET is supported\n"
            return response(HTTPStatus.METHOD_NOT_ALLOWED, body, host=host, allow="GET")
        if websocket:
            full = len(self._clients) >= CLIENTS
            return response(HTTPStatus.SERVICE_UNAVAILABLE, "too many pages are open\n", host=host) if full else None
        return self._file(path, host)

    def _file(self, path: str, host: str) -> Response:
        if path in self._pages:
            content_type, body = self._pages[path]
            return response(HTTPStatus.OK, body, content_type, host=host)
        if path == "/deck.json":
            return response(HTTPStatus.OK, msgspec.json.encode(self._presenter.description()), "application/json", host=host)
        if path == "/strip.png" and (png := self._presenter.panel_png()):
            return response(HTTPStatus.OK, png, "image/png", host=host)
        key = re.fullmatch(r"/keys/(0|[1-9][0-9]{0,2})\.png", path)
        if key and (png := self._presenter.key_png(int(key[1]))):
            return response(HTTPStatus.OK, png, "image/png", host=host)
        return response(HTTPStatus.NOT_FOUND, "no such page\n", host=host)

    # --- pages ---------------------------------------------------------------------------------------------------------

    def _serve_page(self, connection: PageConnection) -> None:
        """Serve one page until it disconnects, on the thread of its connection."""
        number = next(self._numbers)
        threading.current_thread().name = f"page-receive-{number}"
        self._client_threads.add(threading.current_thread())
        client = PageClient(connection, lambda item: self._presenter.message(item), f"page-send-{number}")
        with self._lock:
            accepted = self._listener is not None and len(self._clients) < CLIENTS
            if accepted:
                self._clients.add(client)
        if not accepted:
            connection.close(CloseCode.TRY_AGAIN_LATER)
            return
        try:
            client.changed(self._presenter.items())
            client.start()
            self._receive(connection, client)
        finally:
            with self._lock:
                self._clients.discard(client)
            self._presenter.input.release_all(client)
            client.stop()

    def _receive(self, connection: PageConnection, client: PageClient) -> None:
        bad = 0
        with contextlib.suppress(ConnectionClosed):
            for message in connection:
                if self._handle_message(message, client):
                    continue
                bad += 1
                if bad >= BAD_MESSAGES:
                    logger.warning("disconnected a page of the virtual deck: %d invalid messages", bad)
                    connection.close(CloseCode.POLICY_VIOLATION)
                    return  # not to the messages that have already arrived

    def _handle_message(self, message: str | bytes, client: PageClient) -> bool:
        decoded = messages.decode(message)
        if decoded is None:
            return False
        try:
            return self._presenter.handle(client, decoded)
        except OpenBalanceError as error:  # for example of an unplugged deck
            logger.debug("the virtual deck refused %s: %s", decoded, error)
            return True
        finally:
            if isinstance(decoded, messages.ChooseScenario):
                self._notify_pages([SCENARIO])


def _nothing() -> None:
    """Do nothing: there is no subscription yet."""
