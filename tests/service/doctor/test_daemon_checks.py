"""The doctor's checks of the service and of the running daemon."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid import __version__
from openbalance_hid.errors import NoDaemonError, ServiceError
from openbalance_hid.service.doctor.check import Check, CheckStatus
from openbalance_hid.service.doctor.daemon_checks import ServiceFacts, assess_daemon, assess_service
from tests.service.doctor.doctor_context import doctor_context, single_result


@pytest.mark.parametrize(
    ("seen", "verdict", "hint"),
    [
        (ServiceFacts(error=ServiceError("no bus", "openbalance-hid run")), CheckStatus.WARNING, "openbalance-hid run"),
        (ServiceFacts(), CheckStatus.WARNING, "openbalance-hid service install"),
        (ServiceFacts(system_active=True), CheckStatus.OK, ""),
        (ServiceFacts(True, True, True, "active (running)", "/u"), CheckStatus.OK, ""),
        (ServiceFacts(True, False, True, "active (running)", "/u"), CheckStatus.WARNING, "openbalance-hid service install"),
        (ServiceFacts(True, True, True, "active", "/u", outdated=True), CheckStatus.WARNING, "openbalance-hid service install"),
        (ServiceFacts(True, False, False, "inactive (dead)", "/u"), CheckStatus.WARNING, "openbalance-hid service install"),
        (ServiceFacts(True, True, False, "failed", "/u"), CheckStatus.FAILURE, "openbalance-hid service logs"),
        (
            ServiceFacts(True, True, False, "failed", "/u", missing_program="/opt/x"),
            CheckStatus.FAILURE,
            "openbalance-hid service install",
        ),
    ],
    ids=[
        "no manager",
        "not installed",
        "the system's",
        "ok",
        "not at login",
        "outdated",
        "by a package",
        "failed",
        "program gone",
    ],
)
def test_a_service_is_assessed_by_what_its_manager_reports(seen: ServiceFacts, verdict: CheckStatus, hint: str):
    (check,) = assess_service(seen)
    assert (check.verdict, check.hint) == (verdict, hint)


def daemon(**changes: Any) -> dict[str, Any]:
    account = {"health": "ok", "message": None}
    base = {"version": __version__, "pid": 12, "uptime_s": 5.0, "config": {"error": None}, "accounts": {"default": account}}
    return {**base, "decks": [], **changes}


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (None, ["warning: not running"]),
        (daemon(), ["ok: running as process 12 for 5 s"]),
        (daemon(version="0.0.1"), [f"warning: version 0.0.1 is running as process 12, but {__version__} is installed"]),
        (
            daemon(
                config={"error": "x"},
                accounts={"work": {"health": "key_rejected", "message": "401"}},
                decks=[{"trouble": None, "path": "/a"}, {"trouble": "refused", "path": "/b"}],
            ),
            [
                "ok: running as process 12 for 5 s",
                "warning: still uses the configuration from before the last change",
                "warning: key rejected: 401",
                "warning: refused",
            ],
        ),
    ],
    ids=["none", "ok", "another version", "problems"],
)
def test_the_running_daemon_is_assessed_by_its_own_status(seen: dict[str, Any] | None, found: list[str]):
    assert [f"{check.verdict.value}: {check.found}" for check in assess_daemon(seen, None, __version__)] == found


def test_a_silent_daemon_is_a_failure_and_the_socket_of_a_killed_one_is_not(tmp_path: Path):
    check: Check
    (check,) = assess_daemon(None, NoDaemonError("no daemon answers"), __version__)
    assert (check.verdict, check.hint) == (CheckStatus.FAILURE, "openbalance-hid service logs")
    context = doctor_context(tmp_path)
    context.paths.private_dir(context.paths.runtime_dir)
    with closing(socket.socket(socket.AF_UNIX)) as left_behind:
        left_behind.bind(os.fspath(context.paths.socket_file))
    assert single_result(context, "daemon").found == "not running"
