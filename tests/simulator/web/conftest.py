"""The rig that most tests of the page use."""

from collections.abc import Iterator

import pytest

from tests.simulator.web.page_rig import PageRig


@pytest.fixture
def rig() -> Iterator[PageRig]:
    with PageRig() as made:
        yield made
