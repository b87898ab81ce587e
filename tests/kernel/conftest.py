"""Saved machines to start from, each made once in a run, and an account with fixed amounts."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.kernel import states
from tests.kernel.image import Image, cached_image, missing_programs
from tests.kernel.states import Machine, Saved
from tests.kernel.wheels import make_wheel


@pytest.fixture(scope="session")
def opened_at() -> datetime:
    """The time of every account of this run, so that each has the same amounts."""
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print a line while the tests run."""
    plugins = pytestconfig.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")

    def say(words: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"\n[{datetime.now():%H:%M:%S}] {words}")

    return say


@pytest.fixture(scope="session")
def image(report: Callable[[str], None]) -> Iterator[Image]:
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)}; see apt's packages in .ci/run")
    with cached_image(report, states.boot) as found:
        yield found


@pytest.fixture(scope="session")
def folder(image: Image) -> Iterator[Path]:
    """For disks, which are large: not kept after the run."""
    place = Path(tempfile.mkdtemp(prefix="run-", dir=image.folder.parent))
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def installed(image: Image, folder: Path, opened_at: datetime, report: Callable[[str], None]) -> Saved:
    report("installing the wheel")
    with account_of(opened_at) as account:
        booted = Saved(image, image.disk, image.state)
        return states.install(booted, folder / "installed", make_wheel(folder / "dist"), account)


@pytest.fixture(scope="session")
def in_service(installed: Saved, folder: Path, opened_at: datetime, report: Callable[[str], None]) -> Saved:
    report("installing rule and service")
    with account_of(opened_at) as account:
        return states.put_in_service(installed, folder / "service", account)


@pytest.fixture
def account(opened_at: datetime) -> Iterator[SampleAccount]:
    with account_of(opened_at) as account:
        yield account


@pytest.fixture
def bare(image: Image, account: SampleAccount, tmp_path: Path) -> Iterator[Machine]:
    """Nothing of the program is there."""
    booted = Saved(image, image.disk, image.state)
    with states.started(booted, tmp_path, account, states.SYSTEM_PROGRAM) as machine:
        yield machine


@pytest.fixture
def fresh(installed: Saved, account: SampleAccount, tmp_path: Path) -> Iterator[Machine]:
    """The program is installed and has a key; there is neither rule nor service."""
    with states.started(installed, tmp_path, account) as machine:
        yield machine


@pytest.fixture
def serving(in_service: Saved, account: SampleAccount, tmp_path: Path) -> Iterator[Machine]:
    """Rule and service are installed, the daemon runs, no deck is there."""
    with states.started(in_service, tmp_path, account) as machine:
        yield machine


class SteadyAccount(SampleAccount):
    """An account with the amounts of one moment, so that a picture can be computed in advance; its Date header is right.

    With a wrong Date the daemon follows the server's clock after two minutes, which a run on a busy machine takes.
    """

    def __init__(self, opened_at: datetime) -> None:
        self._opened_at = opened_at
        super().__init__(clock=lambda: opened_at)

    @property
    def date_skew_s(self) -> float:
        return (datetime.now(UTC) - self._opened_at).total_seconds()

    @date_skew_s.setter
    def date_skew_s(self, _: float) -> None:
        """Ignore the value that the base class starts with."""


def account_of(opened_at: datetime) -> SampleAccount:
    """The same key and numbers each time."""
    return SteadyAccount(opened_at)
