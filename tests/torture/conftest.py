"""What every test under faults has: a seed that makes it repeatable, and a place for its figures."""

import os

import pytest

from tests.torture.figures import FIGURES, Figures

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
