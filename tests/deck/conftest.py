"""Test rigs that are closed after the test."""

from collections.abc import Iterator

import pytest

from tests.deck.rig import MakeRig, Rig


@pytest.fixture
def make_rig() -> Iterator[MakeRig]:
    rigs: list[Rig] = []

    def make(*args: object, **kwargs: object) -> Rig:
        rigs.append(Rig(*args, **kwargs))  # type: ignore[arg-type]
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.end()


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    return make_rig()
