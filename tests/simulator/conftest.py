"""The stand that most tests of the browser deck begin with."""

from collections.abc import Iterator

import pytest

from tests.simulator.stand import Stand


@pytest.fixture
def stand() -> Iterator[Stand]:
    with Stand() as made:
        yield made
