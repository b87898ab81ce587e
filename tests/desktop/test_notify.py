"""Notifications on a real bus: what the desktop is handed, and what comes back from its button."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid.desktop.notify import NAME, PLACE, tell
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import PATIENCE_S, until_no_thread

jeepney = pytest.importorskip("jeepney", reason="D-Bus is Linux's")
pytestmark = needs_dbus

NUMBER = 7


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    with private_bus(tmp_path) as address:
        yield {"DBUS_SESSION_BUS_ADDRESS": address}


@contextmanager
def desktop(address: str, *signals: tuple[str, str, tuple[object, ...]]) -> Iterator[list[Any]]:
    """A notification service for one notification; `signals` follow it. What it was handed."""
    from jeepney.io.blocking import open_dbus_connection

    shown: list[Any] = []
    with closing(open_dbus_connection(address)) as connection:
        connection.send_and_get_reply(jeepney.message_bus.RequestName(NAME))

        def serve() -> None:
            call = connection.receive(timeout=PATIENCE_S)
            while call.header.fields.get(jeepney.HeaderFields.member) != "Notify":
                call = connection.receive(timeout=PATIENCE_S)
            shown.append(call.body)
            connection.send(jeepney.new_method_return(call, "u", (NUMBER,)))
            for member, signature, body in signals:
                connection.send(jeepney.new_signal(jeepney.DBusAddress(PLACE, interface=NAME), member, signature, body))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield shown
        finally:
            thread.join(PATIENCE_S)


class Heard:
    """What the caller was told, in order; `until` waits for so many words."""

    def __init__(self) -> None:
        self.words: list[object] = []
        self._grown = threading.Condition()

    def say(self, word: object) -> None:
        with self._grown:
            self.words.append(word)
            self._grown.notify_all()

    def until(self, count: int) -> list[object]:
        with self._grown:
            assert self._grown.wait_for(lambda: len(self.words) >= count, PATIENCE_S)
            return self.words

    def tell(self, env: dict[str, str], text: str = "text") -> None:
        tell("title", text, env, self.say, lambda: self.say("acknowledged"), urgent=True)


def test_the_desktop_is_handed_title_text_urgency_and_a_button_and_the_button_acknowledges(env: dict[str, str]):
    heard = Heard()
    pressed = ("ActionInvoked", "us", (NUMBER, "acknowledge"))
    with desktop(env["DBUS_SESSION_BUS_ADDRESS"], pressed, ("NotificationClosed", "uu", (NUMBER, 2))) as shown:
        heard.tell(env, "<b>3 & more")
        assert heard.until(2) == [True, "acknowledged"]
        until_no_thread("notification")
    ((name, replaces, _, title, text, actions, hints, timeout),) = shown
    assert (name, replaces, title, timeout) == ("OpenRouter", 0, "title", -1)
    assert text == "&lt;b&gt;3 &amp; more", "a body is markup"
    assert actions == ["acknowledge", "Acknowledge"]
    assert hints["urgency"] == ("y", 2)


def test_the_button_of_another_notification_is_not_ours(env: dict[str, str]):
    heard = Heard()
    others = ("ActionInvoked", "us", (NUMBER + 1, "acknowledge"))
    with desktop(env["DBUS_SESSION_BUS_ADDRESS"], others, ("NotificationClosed", "uu", (NUMBER, 1))):
        heard.tell(env)
        heard.until(1)
        until_no_thread("notification")
    assert heard.words == [True]


@pytest.mark.parametrize("address", [None, "", "unix:path=/nowhere/at/all"])
def test_where_nobody_shows_it_it_is_not_delivered(env: dict[str, str], address: str | None):
    heard = Heard()
    heard.tell(env if address is None else {"DBUS_SESSION_BUS_ADDRESS": address})
    assert heard.until(1) == [False]
    until_no_thread("notification")
