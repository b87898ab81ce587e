"""The page about macOS names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/macos.md"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is in the repository only")


def test_every_test_that_the_page_names_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE.read_text())
    assert len(named) > 20
    for file, name in named:
        assert f"def {name or 'test_'}" in (ROOT / file).read_text(), f"{file}::{name}"
