"""Fixtures of every test under faults: a seed that makes it repeatable, its figures, and a polled account."""

import logging
import os
from collections.abc import Iterator

import pytest

from tests.torture.figures import PROPERTY, Figures
from tests.torture.polled_account import PolledAccount, polled_account

SEED = 20261122
SEED_NAME = "OPENBALANCE_TEST_SEED"


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> int:
    """Return the seed of `--seed`, else of the environment, else a fixed one."""
    given = pytestconfig.getoption("--seed")
    return int(os.environ.get(SEED_NAME, SEED)) if given is None else given


@pytest.fixture
def figures(request: pytest.FixtureRequest, seed: int) -> Iterator[Figures]:
    """Yield the record of what was tried and with what result, which is printed after the run."""
    made = Figures(request.node.nodeid.rpartition("/")[2], seed)
    yield made
    request.node.user_properties.append((PROPERTY, made.record()))


@pytest.fixture
def polled(caplog: pytest.LogCaptureFixture) -> Iterator[PolledAccount]:
    """Yield a polled account, and check afterwards that no poll had an internal error."""
    caplog.set_level(logging.CRITICAL, logger="urllib3")  # as the daemon does; its records would hold connections here
    with polled_account() as made:
        yield made
    assert not [record for record in caplog.records if record.name.startswith("openbalance_hid") and record.exc_info]
    assert "internal error" not in caplog.text
