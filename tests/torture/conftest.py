"""What every test under faults has: a seed that makes it repeatable, and a place for its figures."""

import logging
import os
from collections.abc import Iterator

import pytest

from tests.torture.figures import FIGURES, Figures
from tests.torture.watched import Watched, watching

SEED = 20261122
SEED_NAME = "OPENBALANCE_TEST_SEED"


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> int:
    """Of `--seed`, else of the environment, else always the same one."""
    given = pytestconfig.getoption("--seed")
    return int(os.environ.get(SEED_NAME, SEED)) if given is None else given


@pytest.fixture
def figures(request: pytest.FixtureRequest, seed: int) -> Figures:
    """To be told what was tried and what came of it; printed under the results of the run."""
    made = Figures(request.node.nodeid.rpartition("/")[2], seed)
    request.config.stash.setdefault(FIGURES, []).append(made)
    return made


@pytest.fixture
def watched(caplog: pytest.LogCaptureFixture) -> Iterator[Watched]:
    """Insists afterwards that no turn met a bug."""
    caplog.set_level(logging.CRITICAL, logger="urllib3")  # as the daemon does; its records would hold connections here
    with watching() as made:
        yield made
    assert not [record for record in caplog.records if record.name.startswith("openbalance_hid") and record.exc_info]
    assert "internal error" not in caplog.text
