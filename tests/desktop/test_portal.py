"""Pages through a portal on a real bus, and what is tried without one. Programs are real files on a test's PATH."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from openbalance_hid.desktop.bus_connection import NoBusError
from openbalance_hid.desktop.bus_services import service_statuses
from openbalance_hid.desktop.notify import Shown, send_notification
from openbalance_hid.desktop.open_url import open_url, opener_commands, try_openers
from openbalance_hid.desktop.portal import NAME, OBJECT_PATH, PortalError, open_uri
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import PATIENCE_S, until

jeepney = pytest.importorskip("jeepney", reason="D-Bus is Linux's")

URL = "https://openrouter.ai/activity"
ADDRESSES_WITHOUT_A_BUS = (
    *("", ";", "nonsense", "autolaunch:", "disabled:", "tcp:host=localhost,port=1", "unixexec:path=/bin/false"),
    *("unix:path=/nowhere/at/all", "unix:path=/dev/null", "unix:tmpdir=/tmp", "unix:runtime=yes", f"unix:path=/{'x' * 200}"),
)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    with private_bus(tmp_path) as address:
        yield address


@contextmanager
def portal(address: str, response: int | None = 0, refuse: bool = False) -> Iterator[list[str]]:
    """A service that implements OpenURI and answers one call. Yields the addresses that it received."""
    from jeepney.io.blocking import open_dbus_connection

    received: list[str] = []
    with closing(open_dbus_connection(address)) as connection:
        connection.send_and_get_reply(jeepney.message_bus.RequestName(NAME))

        def serve() -> None:
            call = connection.receive(timeout=PATIENCE_S)
            while call.header.fields.get(jeepney.HeaderFields.member) != "OpenURI":
                call = connection.receive(timeout=PATIENCE_S)
            _, url, options = call.body
            received.append(url)
            if refuse:
                connection.send(jeepney.new_error(call, "org.freedesktop.portal.Error.NotAllowed", "s", ("not today",)))
                return
            sender = call.header.fields[jeepney.HeaderFields.sender]
            path = f"{OBJECT_PATH}/request/{sender[1:].replace('.', '_')}/{options['handle_token'][1]}"
            connection.send(jeepney.new_method_return(call, "o", (path,)))
            if response is not None:
                request = jeepney.DBusAddress(path, interface="org.freedesktop.portal.Request")
                connection.send(jeepney.new_signal(request, "Response", "ua{sv}", (response, {})))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield received
        finally:
            thread.join(PATIENCE_S)


def program(folder: Path, name: str, code: int) -> Path:
    """A program that logs its arguments. Return the log."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/{name}.log"\nexit {code}\n')
    file.chmod(0o755)
    return folder / f"{name}.log"


@needs_dbus
@pytest.mark.parametrize("response", [0, 1])
def test_the_portal_receives_the_address(bus: str, response: int):
    with portal(bus, response) as received:
        open_uri(URL, bus, PATIENCE_S)
    assert received == [URL]


@needs_dbus
def test_a_portal_that_waits_for_the_user_is_not_waited_for(bus: str):
    with portal(bus, None):
        open_uri(URL, bus, 1.0)


@needs_dbus
def test_a_portal_that_fails_refuses_or_is_absent_is_reported(bus: str):
    with portal(bus, 2), pytest.raises(PortalError, match="could not open it"):
        open_uri(URL, bus, PATIENCE_S)
    with portal(bus, refuse=True), pytest.raises(PortalError, match="not today"):
        open_uri(URL, bus, PATIENCE_S)
    with pytest.raises(PortalError, match=NAME):
        open_uri(URL, bus, PATIENCE_S)


@pytest.mark.parametrize("address", ADDRESSES_WITHOUT_A_BUS)
def test_a_session_without_a_bus_has_no_portal(address: str):
    with pytest.raises(PortalError):
        open_uri(URL, address, 1.0)


@pytest.mark.parametrize("address", ADDRESSES_WITHOUT_A_BUS)
def test_every_user_of_the_bus_gets_one_kind_of_error(address: str):
    with pytest.raises(NoBusError) as caught:
        service_statuses([], address, 1.0)
    assert "unpack" not in str(caught.value)
    delivered: list[Shown] = []
    send_notification("a", "b", {"DBUS_SESSION_BUS_ADDRESS": address}, delivered.append, {})
    until(lambda: delivered == [Shown.NO])


@needs_dbus
def test_no_other_opener_is_started_after_the_portal(bus: str, tmp_path: Path):
    log = program(tmp_path / "bin", "xdg-open", 0)
    with portal(bus):
        assert try_openers(URL, {"DBUS_SESSION_BUS_ADDRESS": bus, "PATH": str(log.parent)}, "linux", PATIENCE_S)
    assert not log.exists()


def test_without_a_portal_the_service_manager_is_tried_and_then_xdg_open(tmp_path: Path):
    manager, opener = program(tmp_path / "bin", "systemd-run", 1), program(tmp_path / "bin", "xdg-open", 0)
    (tmp_path / "run" / "systemd").mkdir(parents=True)
    (tmp_path / "run" / "systemd" / "private").touch()
    env = {"PATH": f"{tmp_path / 'bin'}:/bin", "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    assert try_openers(URL, env, "linux", PATIENCE_S)
    assert manager.read_text() == f"--user --quiet --collect --wait --property=KillMode=process xdg-open {URL}\n"
    assert opener.read_text() == f"{URL}\n"


def test_a_page_that_cannot_be_opened_is_logged_with_every_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    program(tmp_path / "bin", "xdg-open", 3)
    assert not try_openers(URL, {"PATH": f"{tmp_path / 'bin'}:/bin"}, "linux", PATIENCE_S)
    assert "xdg-open: exit code 3" in caplog.text
    assert "portal: no session bus" in caplog.text


def test_macos_has_its_own_opener():
    assert list(opener_commands(URL, {}, "darwin")) == [["open", URL]]


def test_only_https_is_opened():
    with pytest.raises(ValueError, match="not an https address"):
        open_url("file:///etc/passwd")
