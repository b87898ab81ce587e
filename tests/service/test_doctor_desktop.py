"""What the doctor says of the session and the desktop, on a private bus with services that speak as the real ones do."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid.desktop import notify, portal
from openbalance_hid.service.doctor.check import CheckStatus
from openbalance_hid.service.doctor.facts import Session
from openbalance_hid.service.doctor.judge import desktop as judge
from openbalance_hid.service.doctor.registry import PROBES
from openbalance_hid.service.doctor.runner import examine
from tests.desktop.logind import logind
from tests.private_bus import needs_dbus, private_bus, serving
from tests.service.doctor_context import only, patient, told
from tests.waiting import until_no_thread

jeepney = pytest.importorskip("jeepney", reason="D-Bus is Linux's")


@contextmanager
def service(address: str, name: str, **answers: tuple[str, tuple[object, ...]]) -> Iterator[None]:
    """Somebody who owns `name` and answers each method once or more."""

    def serve(connection: Any) -> Callable[[Any], None]:
        def answer(call: Any) -> None:
            found = answers.get(call.header.fields.get(jeepney.HeaderFields.member, ""))
            if found is not None:
                connection.send(jeepney.new_method_return(call, *found))

        return answer

    with serving(address, [name], serve):
        yield


def shower(*capabilities: str) -> dict[str, tuple[str, tuple[object, ...]]]:
    return {
        "GetServerInformation": ("ssss", ("mako", "emersion", "1.8", "1.2")),
        "GetCapabilities": ("as", (list(capabilities),)),
    }


@needs_dbus
def test_the_notification_service_is_asked_for_its_name_and_its_buttons(tmp_path: Path):
    with private_bus(tmp_path) as address:
        one = patient(tmp_path, DBUS_SESSION_BUS_ADDRESS=address)
        assert only(one, "notifications").verdict is CheckStatus.WARNING, "nobody is there yet"
        with service(address, notify.NAME, **shower("body", "actions")):
            check = only(one, "notifications")
            assert (check.verdict, check.found) == (CheckStatus.OK, "mako 1.8")
        with service(address, notify.NAME, **shower("body")):
            assert only(one, "notifications").found == "mako 1.8, without buttons"


@needs_dbus
def test_pages_open_through_the_portal_else_through_xdg_open_else_not(tmp_path: Path):
    tools = tmp_path / "tools"
    tools.mkdir()
    with private_bus(tmp_path) as address:
        one = patient(tmp_path, DBUS_SESSION_BUS_ADDRESS=address, PATH=str(tools))
        nothing = only(one, "pages")
        assert (nothing.verdict, nothing.found) == (
            CheckStatus.WARNING,
            "a tap opens no page: no portal on the session bus, and no xdg-open",
        )
        (tools / "xdg-open").write_text("#!/bin/sh\n")
        (tools / "xdg-open").chmod(0o755)
        blind = only(one, "pages")
        assert (blind.verdict, "and no display for" in blind.found) == (CheckStatus.WARNING, True)
        seeing = patient(tmp_path, DBUS_SESSION_BUS_ADDRESS=address, PATH=str(tools), WAYLAND_DISPLAY="wayland-0")
        assert (only(seeing, "pages").verdict, only(seeing, "pages").found.split()[0]) == (
            CheckStatus.OK,
            str(tools / "xdg-open"),
        )
        with service(address, portal.NAME):
            assert only(one, "pages").found == "the desktop's portal opens them (running)"


@pytest.mark.parametrize("address", ["", "nonsense", "unix:path=/nowhere/at/all"])
def test_without_a_session_bus_it_says_so_and_goes_on(tmp_path: Path, address: str):
    one = patient(tmp_path, DBUS_SESSION_BUS_ADDRESS=address, PATH=str(tmp_path))
    for name in ("pages", "notifications"):
        check = only(one, name)
        assert (check.verdict, "cannot be checked" in check.found) == (CheckStatus.WARNING, False)


def test_a_bus_that_takes_the_call_and_never_answers_holds_nobody_up(tmp_path: Path):
    with closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(tmp_path / "bus"))
        silent.listen()
        one = patient(tmp_path, DBUS_SESSION_BUS_ADDRESS=f"unix:path={tmp_path / 'bus'}")
        rows = [replace(probe, limit_s=0.3) for probe in PROBES if probe.name in ("pages", "notifications")]
        assert [check.found for check in examine(one, [*rows, PROBES[0]])][:2] == ["no answer within 0.3 s"] * 2
        for _ in rows:
            silent.accept()[0].close()  # lets their threads go
        until_no_thread("probe ")


@pytest.mark.parametrize(
    ("session", "at_seat", "found"),
    [
        (Session("wayland", "seat0", False, "GNOME"), True, "wayland session of GNOME, on seat0"),
        (Session("tty", None, True), False, "tty session through ssh: rules for the seat do not go for it"),
        (Session("tty", None, False), False, "tty session, without a seat"),
        (Session(None, None, False), True, "no login session is here: nobody to open pages for"),
    ],
)
def test_a_session_is_told_as_it_is(session: Session, at_seat: bool, found: str):
    (check,) = judge.session(session)
    assert (check.found, session.at_seat) == (found, at_seat)


def test_the_environment_tells_of_the_session(tmp_path: Path):
    env = {"XDG_SESSION_TYPE": "x11", "XDG_SEAT": "seat0", "SSH_CONNECTION": "1 2 3 4"}
    assert "through ssh" in only(patient(tmp_path, **env), "session").found


@needs_dbus
def test_a_configuration_that_heeds_the_lock_wants_a_logind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        one = patient(tmp_path, XDG_SESSION_TYPE="x11", XDG_SEAT="seat0")
        one.places.config_file.write_text("[dim]\non_lock = true\n")
        seen, lock = told(one, "session")
        assert (seen.verdict, lock.verdict) == (CheckStatus.OK, CheckStatus.WARNING)
        assert lock.found.startswith("dim.on_lock is set, and no logind")
        with logind(address):
            assert only(one, "session").verdict is CheckStatus.OK
