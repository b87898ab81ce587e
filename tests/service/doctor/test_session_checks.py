"""The doctor's check of the login session and of logind."""

from __future__ import annotations

from pathlib import Path

import pytest

from openbalance_hid.service.doctor.check import CheckStatus
from openbalance_hid.service.doctor.session_checks import LoginSession, assess_session
from tests.desktop.logind import logind
from tests.private_bus import needs_dbus, private_bus
from tests.service.doctor.doctor_context import doctor_context, results, single_result


@pytest.mark.parametrize(
    ("session", "at_seat", "found"),
    [
        (LoginSession("wayland", "seat0", False, "GNOME"), True, "wayland session of GNOME, on seat0"),
        (LoginSession("tty", None, True), False, "tty session through ssh: rules for the local seat do not apply"),
        (LoginSession("tty", None, False), False, "tty session, without a seat"),
        (LoginSession(None, None, False), True, "no login session: no desktop to open pages on"),
    ],
)
def test_a_session_is_described_by_kind_seat_and_desktop(session: LoginSession, at_seat: bool, found: str):
    (check,) = assess_session(session)
    assert (check.found, session.at_seat) == (found, at_seat)


def test_the_session_is_read_from_the_environment(tmp_path: Path):
    env = {"XDG_SESSION_TYPE": "x11", "XDG_SEAT": "seat0", "SSH_CONNECTION": "1 2 3 4"}
    assert "through ssh" in single_result(doctor_context(tmp_path, **env), "session").found


@needs_dbus
@pytest.mark.usefixtures("on_linux")
def test_a_configuration_that_follows_the_screen_lock_requires_logind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        context = doctor_context(tmp_path, XDG_SESSION_TYPE="x11", XDG_SEAT="seat0")
        context.paths.config_file.write_text("[dim]\non_lock = true\n")
        seen, lock = results(context, "session")
        assert (seen.verdict, lock.verdict) == (CheckStatus.OK, CheckStatus.WARNING)
        assert lock.found.startswith("dim.on_lock is set, but no logind")
        with logind(address):
            assert single_result(context, "session").verdict is CheckStatus.OK
