"""What the doctor says of the installation, the configuration, the directories, the history, the service and the daemon."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid import __version__
from openbalance_hid.account.snapshot import Credits
from openbalance_hid.errors import NoDaemonError, ServiceError
from openbalance_hid.history.records import AccountIdentity, StoredSample
from openbalance_hid.history.store import HistoryStore
from openbalance_hid.service.doctor.check import Check, CheckStatus
from openbalance_hid.service.doctor.facts import Package, ServiceFacts
from openbalance_hid.service.doctor.gather.installation import packages_of
from openbalance_hid.service.doctor.judge import house, installation
from openbalance_hid.service.this_program import is_current, unit_starts
from openbalance_hid.service.units import render_user_unit
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.service.doctor_context import only, patient, told, worst

# --- installation --------------------------------------------------------------------------------------------------------


def test_this_installation_is_well(tmp_path: Path):
    python, packages = told(patient(tmp_path), "python", "packages")
    assert (python.verdict, packages.verdict) == (CheckStatus.OK, CheckStatus.OK)
    assert "streamdeck 0.10" in packages.found
    assert "pytest" not in packages.found


def test_a_package_that_is_missing_or_too_old_is_named_and_one_for_another_system_is_not():
    there = {"click": "8.2.1", "Pillow": "9.4.0"}
    wanted = ["click>=8.2", "Pillow>=10.1", "keyring>=25", "winreg; sys_platform == 'win32'", "ruff; extra == 'dev'"]
    found = tuple(packages_of(wanted, there.get))
    assert [(each.name, each.found, each.fits) for each in found] == [
        ("click", "8.2.1", True),
        ("Pillow", "9.4.0", False),
        ("keyring", None, False),
    ]
    checks = installation.packages(found)
    assert [(check.about, check.verdict) for check in checks] == [
        (None, CheckStatus.OK),
        ("Pillow", CheckStatus.FAILURE),
        ("keyring", CheckStatus.FAILURE),
    ]
    assert checks[1].found == "9.4.0 is installed, >=10.1 is needed"
    assert worst(installation.packages([])) is CheckStatus.FAILURE
    assert worst(installation.packages([Package("a", "", "1", True)])) is CheckStatus.OK


def test_a_python_that_is_too_old_is_a_failure():
    assert worst(installation.python((3, 10, 12), "/usr/bin/python3")) is CheckStatus.FAILURE
    assert worst(installation.python((3, 11, 0), "/usr/bin/python3")) is CheckStatus.OK


# --- configuration -------------------------------------------------------------------------------------------------------


def test_every_problem_of_the_configuration_is_a_check_of_its_own(tmp_path: Path):
    one = patient(tmp_path)
    assert "the defaults are in force" in only(one, "configuration").found
    one = patient(tmp_path)
    one.places.config_file.write_text('theme = "blue"\nrefresh_minutes = 0\n')
    checks = told(one, "configuration")
    assert [(check.verdict, check.exit_code, check.hint) for check in checks] == [
        (CheckStatus.FAILURE, 78, "openbalance-hid config check")
    ] * 2
    assert [word in check.found for word, check in zip(("theme", "refresh_minutes"), checks, strict=True)] == [True, True]


def test_what_the_deck_that_is_here_does_not_have_is_a_warning(tmp_path: Path):
    one = patient(tmp_path, VirtualBus([VirtualDeck(model_named("mini"), "S1")]))
    one.places.config_file.write_text('[[decks]]\n[[decks.keys]]\nkey = 6\ntile = "balance"\n')
    good, beyond = told(one, "configuration")
    assert (good.verdict, beyond.verdict) == (CheckStatus.OK, CheckStatus.WARNING)
    assert "found key 6" in beyond.found


# --- directories and history ---------------------------------------------------------------------------------------------


def test_directories_are_looked_at_and_not_made(tmp_path: Path):
    one = patient(tmp_path)
    assert worst(told(one, "directories")) is CheckStatus.OK
    assert not one.places.state_dir.exists()
    one.places.private_dir(one.places.state_dir)
    one.places.runtime_dir.mkdir(mode=0o755)
    state, runtime = told(one, "directories")
    assert (state.verdict, state.about) == (CheckStatus.OK, "state")
    assert (runtime.verdict, runtime.hint) == (CheckStatus.FAILURE, f"chmod 700 {one.places.runtime_dir}")


def test_a_runtime_directory_that_leads_elsewhere_or_has_too_long_a_name_is_a_failure(tmp_path: Path):
    one = patient(tmp_path)
    one.places.runtime_dir.symlink_to(tmp_path / "nowhere")
    assert [check.verdict for check in told(one, "directories")] == [CheckStatus.OK, CheckStatus.FAILURE]
    long = patient(tmp_path, OPENBALANCE_RUNTIME_DIR=str(tmp_path / ("x" * 100)))
    *_, socket = told(long, "directories")
    assert (socket.verdict, socket.exit_code) == (CheckStatus.FAILURE, 78)
    assert "the socket's path has" in socket.found


def remembered(file: Path) -> None:
    store = HistoryStore(file, lambda: file.parent.mkdir(parents=True, exist_ok=True))
    store.keep_sample(
        AccountIdentity("default", "f"), StoredSample(datetime(2026, 11, 22, tzinfo=UTC), Credits(Decimal(9), Decimal(1)))
    )
    store.close()


def test_a_history_that_is_sound_is_counted_and_one_that_is_written_to_meanwhile_too(tmp_path: Path):
    one = patient(tmp_path)
    file = one.places.history_file
    assert only(one, "history").found == "none yet"
    remembered(file)
    assert (only(one, "history").verdict, only(one, "history").found.startswith("1 samples, ")) == (CheckStatus.OK, True)
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert only(one, "history").verdict is CheckStatus.OK


def test_a_history_that_is_damaged_or_of_a_newer_version_is_a_failure_and_stays_as_it_is(tmp_path: Path):
    one = patient(tmp_path)
    file = one.places.history_file
    remembered(file)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
    assert "it is of version 99" in only(one, "history").found
    file.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    before = file.read_bytes()
    damaged = only(one, "history")
    assert (damaged.verdict, damaged.exit_code) == (CheckStatus.FAILURE, 78)
    assert file.read_bytes() == before
    file.unlink()
    file.with_name(f"{file.name}.damaged-20261122T120000Z").touch()
    _, aside = told(one, "history")
    assert (aside.verdict, "damaged-20261122T120000Z" in aside.found) == (CheckStatus.WARNING, True)


# --- the service and the daemon ------------------------------------------------------------------------------------------


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
            ServiceFacts(True, True, False, "failed", "/u", gone="/opt/x"),
            CheckStatus.FAILURE,
            "openbalance-hid service install",
        ),
    ],
    ids=[
        "no manager",
        "not installed",
        "the system's",
        "well",
        "not by itself",
        "outdated",
        "by a package",
        "failed",
        "program gone",
    ],
)
def test_a_service_is_judged_by_what_its_manager_says(seen: ServiceFacts, verdict: CheckStatus, hint: str):
    (check,) = house.service(seen)
    assert (check.verdict, check.hint) == (verdict, hint)


def test_the_program_that_a_unit_starts_is_read_from_it_whatever_its_name(tmp_path: Path):
    for program in ("/opt/a b/openbalance-hid", "/opt/100%$x/run"):
        unit = tmp_path / "unit"
        unit.write_text(render_user_unit((program,)))
        assert unit_starts(unit) == Path(program)
        assert is_current(unit)
    unit.write_text("[Unit]\n")
    assert unit_starts(unit) is None
    assert not is_current(unit)


def daemon(**changes: Any) -> dict[str, Any]:
    account = {"health": "ok", "message": None}
    base = {"version": __version__, "pid": 12, "uptime_s": 5.0, "config": {"error": None}, "accounts": {"default": account}}
    return {**base, "decks": [], **changes}


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (None, ["warning: none is running"]),
        (daemon(), ["ok: runs as process 12, for 5 s"]),
        (daemon(version="0.0.1"), [f"warning: 0.0.1 runs as process 12, and {__version__} is installed"]),
        (
            daemon(
                config={"error": "x"},
                accounts={"work": {"health": "key_rejected", "message": "401"}},
                decks=[{"trouble": None, "path": "/a"}, {"trouble": "refused", "path": "/b"}],
            ),
            [
                "ok: runs as process 12, for 5 s",
                "warning: keeps the configuration from before the last change",
                "warning: key rejected: 401",
                "warning: refused",
            ],
        ),
    ],
    ids=["none", "well", "another version", "troubles"],
)
def test_the_running_daemon_is_judged_by_its_own_words(seen: dict[str, Any] | None, found: list[str]):
    assert [f"{check.verdict.value}: {check.found}" for check in house.daemon(seen, None, __version__)] == found


def test_a_daemon_that_does_not_answer_is_a_failure_and_the_socket_of_a_killed_one_is_not(tmp_path: Path):
    import socket

    check: Check
    (check,) = house.daemon(None, NoDaemonError("no daemon answers"), __version__)
    assert (check.verdict, check.hint) == (CheckStatus.FAILURE, "openbalance-hid service logs")
    one = patient(tmp_path)
    one.places.private_dir(one.places.runtime_dir)
    with closing(socket.socket(socket.AF_UNIX)) as left_behind:
        left_behind.bind(os.fspath(one.places.socket_file))
    assert only(one, "daemon").found == "none is running"
