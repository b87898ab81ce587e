"""Fixtures: a local OpenRouter that follows a virtual clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.openrouter.stage import Stage
from tests.openrouter.virtual import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def sample(clock: VirtualClock) -> Iterator[SampleAccount]:
    with SampleAccount(clock=clock.utc) as account:
        yield account


@pytest.fixture
def stage(sample: SampleAccount, clock: VirtualClock) -> Stage:
    return Stage(sample, clock)
