"""What the control socket is told: each command carried out on the main thread, between two events."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from typing import Any

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller, ScheduledCall
from openbalance_hid.app.events import Event, GestureRequested, IdentifyRequested, PageRequested
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.errors import NoDaemonError, OpenBalanceError, UsageError
from openbalance_hid.ipc.change_counter import ChangeCounter
from openbalance_hid.ipc.status import accounts
from openbalance_hid.text import did_you_mean

ANSWER_LIMIT_S = 10.0
LOOK_S = 10.0  # how long one who watches may be gone before that is noticed


class Commands:
    """Turns requests into questions for the main thread.

    `refresh` polls an account and says whether it does; `preview` draws a deck as a PNG file, given model and theme or None;
    `reload` reads the configuration and says what came of it.
    """

    def __init__(
        self,
        put: Callable[[Event | ScheduledCall], None],
        status: Callable[[Controller, Moment], dict[str, Any]],
        preview: Callable[[Controller, Moment, str | None, str | None], bytes],
        refresh: Callable[[str], bool],
        stop: Callable[[], None],
        news: ChangeCounter,
        reload: Callable[[], str] = lambda: "unchanged",
    ) -> None:
        self._put = put
        self._status = status
        self._preview = preview
        self._refresh = refresh
        self._stop = stop
        self._news = news
        self._reload = reload

    def __call__(self, request: Mapping[str, Any]) -> Any:
        """What `ok` holds. Called on a thread of the socket's; OpenBalanceError for what cannot be done."""
        commands: dict[str, Callable[[Controller, Moment], Any]] = {
            "status": self._status,
            "accounts": lambda house, now: accounts(house, now.utc),
            "refresh": lambda house, _: self._refresh_accounts(house, request.get("account")),
            "preview": lambda house, now: b64encode(
                self._preview(house, now, request.get("model"), request.get("theme"))
            ).decode(),
            "press": lambda house, _: self._gesture(house, request, Gesture.TAP),
            "page": lambda house, _: self._turn_page(house, str(request.get("name"))),
            "identify": lambda house, _: self._identify(house),
            "hold": lambda house, _: self._gesture(house, request, Gesture.HOLD),
        }
        name = request.get("command")
        if name == "stop":
            self._stop()
            return None
        if name == "reload":
            return self._reload()
        if name == "watch":
            return self._watch()
        if name not in commands:
            raise UsageError(f"the daemon knows no command {str(name)[:40]!r}", "openbalance-hid --help")
        return self._on_main(commands[str(name)])

    def _watch(self) -> Iterator[Any]:
        """The accounts as they are told in the status, now and whenever that has changed; None now and then in between."""
        told: object = None
        while not self._news.is_over:
            heard = self._news.number
            known = self._on_main(lambda house, now: accounts(house, now.utc))
            yield known if known != told else None
            told = known
            while not self._news.is_over and not self._news.wait(heard, LOOK_S):
                yield None

    def _on_main(self, question: Callable[[Controller, Moment], Any]) -> Any:
        answer: Future[Any] = Future()

        def inquiry(house: Controller, now: Moment) -> None:
            try:
                answer.set_result(question(house, now))
            except OpenBalanceError as error:
                answer.set_exception(error)
            except Exception as error:
                answer.set_exception(error)
                raise

        self._put(inquiry)
        try:
            return answer.result(ANSWER_LIMIT_S)
        except TooLate as error:
            raise NoDaemonError("the daemon is too busy to answer", "openbalance-hid status") from error

    def _refresh_accounts(self, house: Controller, account: object) -> dict[str, bool]:
        if account is not None and account not in house.snapshots:
            raise UsageError(f"no account is named {str(account)[:40]!r}", "openbalance-hid accounts")
        return {name: self._refresh(name) for name in house.snapshots if account in (None, name)}

    def _turn_page(self, house: Controller, name: str) -> list[dict[str, Any]]:
        """On every deck that has a page of that name."""
        if not house.panels:
            raise NoDaemonError("no deck is connected", "openbalance-hid devices")
        decks = [serial for serial, panel in house.panels.items() if name in panel.pages.names]
        if not decks:
            known = dict.fromkeys(page for panel in house.panels.values() for page in panel.pages.names)
            raise UsageError(
                f"no deck has a page '{name[:40]}', only {', '.join(known)}{did_you_mean(name, known)}",
                "openbalance-hid status",
            )
        self._put(PageRequested(name))
        return [{"serial": serial, "page": name} for serial in decks]

    def _identify(self, house: Controller) -> list[dict[str, Any]]:
        if not house.panels:
            raise NoDaemonError("no deck is connected", "openbalance-hid devices")
        self._put(IdentifyRequested())
        return [{"serial": serial, "model": panel.shape.model} for serial, panel in house.panels.items()]

    def _gesture(self, house: Controller, request: Mapping[str, Any], gesture: Gesture) -> dict[str, Any]:
        key, serial = request.get("key"), next(iter(house.boards), None)
        if serial is None:
            raise NoDaemonError("no deck is connected", "openbalance-hid devices")
        board = house.boards[serial]
        if not isinstance(key, int) or key not in board:
            raise UsageError(f"the deck has no key {key}: its keys are 0 to {len(board) - 1}", "openbalance-hid status")
        self._put(GestureRequested(key, gesture, serial))
        return {"serial": serial, "key": key, "tile": board[key].tile}
