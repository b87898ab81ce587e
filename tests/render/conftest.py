"""`--update-goldens`: draw the golden pictures anew, instead of comparing with them."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="rewrite tests/render/goldens from what is drawn now")
