"""How checks are run: one that hangs delays no other, one that fails stops no other, and every row leads to a function."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

import pytest

from openbalance_hid.errors import ConfigError
from openbalance_hid.service.doctor.check import Check, CheckStatus, ok
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.registry import PROBES, Probe
from openbalance_hid.service.doctor.runner import run_checks
from tests.service.doctor.doctor_context import doctor_context
from tests.waiting import until_no_thread

RELEASED = threading.Event()


def well(_: DoctorContext) -> list[Check]:
    return [ok("well", "fine")]


def hangs(_: DoctorContext) -> list[Check]:
    RELEASED.wait()
    return [ok("hangs", "too late")]


def has_a_bug(_: DoctorContext) -> list[Check]:
    raise ZeroDivisionError("of ours")


def is_refused(_: DoctorContext) -> list[Check]:
    raise ConfigError("not like this", "openbalance-hid config check")


@pytest.fixture
def released() -> Iterator[None]:
    RELEASED.clear()
    yield
    RELEASED.set()
    until_no_thread("probe ")


def row(name: str, limit_s: float = 30.0, module: str = __name__) -> Probe:
    return Probe(name, f"{module}:{name}", limit_s, exit_code=69)


def test_checks_that_hang_or_fail_are_reported_and_the_others_follow_in_order(tmp_path: Path, released: None):
    table = [
        row("hangs", 0.05),
        row("well"),
        row("has_a_bug"),
        row("is_refused"),
        row("gone", module="no_such_package"),
        row("well"),
    ]
    checks = tuple(run_checks(doctor_context(tmp_path), table))
    assert [(check.name, check.verdict, check.exit_code) for check in checks] == [
        ("hangs", CheckStatus.FAILURE, 69),
        ("well", CheckStatus.OK, 0),
        ("has_a_bug", CheckStatus.FAILURE, 1),
        ("is_refused", CheckStatus.FAILURE, 78),
        ("gone", CheckStatus.FAILURE, 1),
        ("well", CheckStatus.OK, 0),
    ]
    assert checks[0].found == "no answer within 0.05 s"
    assert "ZeroDivisionError: of ours" in checks[2].found
    assert checks[3].hint == "openbalance-hid config check"
    assert "no_such_package" in checks[4].found


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_every_row_of_the_table_leads_to_a_function_and_has_a_limit(probe: Probe):
    assert callable(resolve_name(probe.function))
    assert 0 < probe.limit_s <= 20
    assert re.fullmatch("[a-z-]+", probe.name)


def test_the_documentation_lists_each_name_and_no_other():
    text = (Path(__file__).parents[3] / "docs/troubleshooting.md").read_text(encoding="utf-8")
    (names,) = re.findall(r"The\s+names:\s(.*?);", text, re.DOTALL)
    assert re.findall("`([^`]+)`", names) == [
        *(probe.name for probe in PROBES[:-2]),
        "clock",
        *(probe.name for probe in PROBES[-2:]),
    ]


def test_a_system_without_a_free_thread_gets_every_check_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    found = list(run_checks(doctor_context(tmp_path), [row("well"), row("has_a_bug"), row("well")]))
    assert [check.name for check in found] == ["well", "has_a_bug", "well"]
