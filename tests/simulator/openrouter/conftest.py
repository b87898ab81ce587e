"""Fixtures of the sample account tests."""

from collections.abc import Iterator

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.simulator.openrouter.account_client import Now


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def sample(now: Now) -> Iterator[SampleAccount]:
    with SampleAccount(clock=now) as sample:
        yield sample
