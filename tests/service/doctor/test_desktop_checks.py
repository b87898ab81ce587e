"""The doctor's checks of pages and notifications, on a private bus with services that speak the real protocols."""

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
from openbalance_hid.service.doctor.registry import PROBES
from openbalance_hid.service.doctor.runner import run_checks
from tests.private_bus import needs_dbus, private_bus, serving
from tests.service.doctor.doctor_context import doctor_context, single_result
from tests.waiting import until_no_thread

jeepney = pytest.importorskip("jeepney", reason="D-Bus is Linux's")


@contextmanager
def service(address: str, name: str, **answers: tuple[str, tuple[object, ...]]) -> Iterator[None]:
    """A service that owns `name` and answers each of these methods."""

    def serve(connection: Any) -> Callable[[Any], None]:
        def answer(call: Any) -> None:
            found = answers.get(call.header.fields.get(jeepney.HeaderFields.member, ""))
            if found is not None:
                connection.send(jeepney.new_method_return(call, *found))

        return answer

    with serving(address, [name], serve):
        yield


def notification_replies(*capabilities: str) -> dict[str, tuple[str, tuple[object, ...]]]:
    return {
        "GetServerInformation": ("ssss", ("mako", "emersion", "1.8", "1.2")),
        "GetCapabilities": ("as", (list(capabilities),)),
    }


@needs_dbus
def test_the_notification_service_is_named_with_its_missing_buttons(tmp_path: Path):
    with private_bus(tmp_path) as address:
        context = doctor_context(tmp_path, DBUS_SESSION_BUS_ADDRESS=address)
        assert single_result(context, "notifications").verdict is CheckStatus.WARNING, "no service owns the name yet"
        with service(address, notify.NAME, **notification_replies("body", "actions")):
            check = single_result(context, "notifications")
            assert (check.verdict, check.found) == (CheckStatus.OK, "mako 1.8")
        with service(address, notify.NAME, **notification_replies("body")):
            assert single_result(context, "notifications").found == "mako 1.8, without buttons"


@needs_dbus
def test_pages_open_through_the_portal_else_through_xdg_open_else_not(tmp_path: Path):
    tools = tmp_path / "tools"
    tools.mkdir()
    with private_bus(tmp_path) as address:
        context = doctor_context(tmp_path, DBUS_SESSION_BUS_ADDRESS=address, PATH=str(tools))
        nothing = single_result(context, "pages")
        assert (nothing.verdict, nothing.found) == (
            CheckStatus.WARNING,
            "a tap cannot open pages: no portal on the session bus, and no xdg-open",
        )
        (tools / "xdg-open").write_text("#!/bin/sh\n")
        (tools / "xdg-open").chmod(0o755)
        blind = single_result(context, "pages")
        assert (blind.verdict, "and no display for" in blind.found) == (CheckStatus.WARNING, True)
        seeing = doctor_context(tmp_path, DBUS_SESSION_BUS_ADDRESS=address, PATH=str(tools), WAYLAND_DISPLAY="wayland-0")
        assert (single_result(seeing, "pages").verdict, single_result(seeing, "pages").found.split()[2]) == (
            CheckStatus.OK,
            str(tools / "xdg-open"),
        )
        with service(address, portal.NAME):
            assert single_result(context, "pages").found == "opened by the desktop portal (running)"


@pytest.mark.parametrize("address", ["", "nonsense", "unix:path=/nowhere/at/all"])
def test_a_missing_session_bus_is_a_warning(tmp_path: Path, address: str):
    context = doctor_context(tmp_path, DBUS_SESSION_BUS_ADDRESS=address, PATH=str(tmp_path))
    for name in ("pages", "notifications"):
        check = single_result(context, name)
        assert (check.verdict, "cannot be checked" in check.found) == (CheckStatus.WARNING, False)


def test_a_bus_that_never_answers_delays_no_other_check(tmp_path: Path):
    with closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(tmp_path / "bus"))
        silent.listen()
        context = doctor_context(tmp_path, DBUS_SESSION_BUS_ADDRESS=f"unix:path={tmp_path / 'bus'}")
        rows = [replace(probe, limit_s=0.3) for probe in PROBES if probe.name in ("pages", "notifications")]
        assert [check.found for check in run_checks(context, [*rows, PROBES[0]])][:2] == ["no answer within 0.3 s"] * 2
        for _ in rows:
            silent.accept()[0].close()  # ends their threads
        until_no_thread("probe ")
