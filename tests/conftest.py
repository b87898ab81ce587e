"""Rules for all tests: hardware and long versions only on request, and no skip where everything is installed."""

import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.torture.figures import PROPERTY, Figures, totals

settings.register_profile("no deadline", deadline=None)  # no test asserts on wall-clock time, nor does hypothesis
settings.load_profile("no deadline")

ALL_INSTALLED = "OPENBALANCE_TEST_ALL"
LONGEST_TEMPORARY = 20  # macOS: /var/folders/…/T, 49 bytes; a Unix socket below a test's directory has room for 103
LINGER_S = 0.12  # enough to separate threads that end together, and short compared with the limits of the tests


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--deck", metavar="SERIAL", help="also run the hardware tests, on the deck with this serial (its end will do)"
    )
    parser.addoption("--deb", metavar="FILE", help="test this Debian package in a fresh system, and run nothing else")
    parser.addoption("--torture", action="store_true", help="run the long versions of the tests under faults, and only those")
    parser.addoption("--kernel", action="store_true", help="run the tests with a Linux guest under QEMU, and only those")
    parser.addoption("--seed", type=int, help="seed of the tests under faults; without it, all runs are equal")
    parser.addoption("--linger", action="store_true", help="delay the end of threads, to find tests that do not wait for it")


def pytest_configure(config: pytest.Config) -> None:
    if len(tempfile.gettempdir()) > LONGEST_TEMPORARY:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/tmp")
    _let_signals_end_programs()
    if config.getoption("--linger"):
        _let_threads_linger()


def _let_signals_end_programs() -> None:
    """Undo what `nohup` and a shell's `&` have set: each program that a test starts would ignore the signals, too."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _let_threads_linger() -> None:
    """Delay the end of every thread of this process by up to `LINGER_S`, as on a busy machine."""
    run = threading.Thread.run

    def run_and_linger(thread: threading.Thread) -> None:
        try:
            run(thread)
        finally:
            time.sleep(random.uniform(0, LINGER_S))

    threading.Thread.run = run_and_linger  # type: ignore[method-assign]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select tests by the options alone: `-m torture` and the like are not enough for tests that are long or need a deck."""
    wanted: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        is_hardware = item.get_closest_marker("hardware") is not None
        alone = all(
            (item.get_closest_marker(kind) is not None) == bool(config.getoption(f"--{kind}"))
            for kind in ("torture", "deb", "kernel")
        )
        requested = alone and (not is_hardware or config.getoption("--deck"))
        (wanted if requested else others).append(item)
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = wanted


@pytest.fixture
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what macOS has otherwise: the code under test takes its way on Linux, whatever this system is."""
    monkeypatch.setattr("sys.platform", "linux")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in terminalreporter.stats.values() for report in kind if isinstance(report, pytest.TestReport)]
    ended = [report for report in reports if report.when == "teardown"]
    recorded = [Figures(**value) for report in ended for name, value in report.user_properties if name == PROPERTY]
    if recorded:
        terminalreporter.section("figures of the tests under faults")
        for figures in (*sorted(recorded, key=lambda each: each.test), *totals(recorded)):
            terminalreporter.write_line(figures.line())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skip(report)
    return report


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get(ALL_INSTALLED) == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which {ALL_INSTALLED}=1 does not allow: {reason}"
