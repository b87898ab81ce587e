"""Two sizes of the same test: a short one in `make test`, the long one in `make torture`."""

import pytest


def amounts(name: str, short: object, long: object) -> pytest.MarkDecorator:
    """The argument `name` of a test, once `short`, and once `long` under the marker `torture`."""
    return pytest.mark.parametrize(
        name, [pytest.param(short, id="short"), pytest.param(long, id="long", marks=pytest.mark.torture)]
    )
