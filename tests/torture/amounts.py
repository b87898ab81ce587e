"""Two sizes of the same test: a short one in `make test`, the long one in `make torture`."""

import pytest


def amounts(name: str, short: object, long: object) -> pytest.MarkDecorator:
    """The argument `name` of a test, once `short`, and once `long` under the marker `torture`."""
    return pytest.mark.parametrize(
        name, [pytest.param(short, id="short"), pytest.param(long, id="long", marks=pytest.mark.torture)]
    )


def amounts_in_parts(name: str, short: int, long: int, parts: int) -> pytest.MarkDecorator:
    """Like `amounts`, with the long version in equal parts that run side by side; the argument `part` is their number.

    The short version is part 0. Each part must derive its own dice from the seed and its number.
    """
    each, rest = divmod(long, parts)
    assert rest == 0
    values = [pytest.param(each, part, id=f"long, part {part}", marks=pytest.mark.torture) for part in range(1, parts + 1)]
    return pytest.mark.parametrize((name, "part"), [pytest.param(short, 0, id="short"), *values])
