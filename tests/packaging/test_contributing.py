"""CONTRIBUTING.md compared with the code: every path, name, package and make target in it exists, and the hops are counted."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "CONTRIBUTING.md"
PACKAGE = ROOT / "openbalance_hid"
HOP_LIMIT = 30

pytestmark = pytest.mark.skipif(not PACKAGE.is_dir(), reason="the source is not beside the tests")


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def walks() -> list[list[tuple[str, str]]]:
    """Return the hops of each walk: path and name."""
    section = text().partition("## Two walks\n")[2].partition("\n## ")[0]
    parts = re.split(r"\n\n(?=1\. )", section)[1:]
    return [re.findall(r"^\d+\. `([\w/]+\.py)` `([\w.]+)`", part, re.MULTILINE) for part in parts]


def names_of(path: Path) -> set[str]:
    """Return the functions, classes and methods that a module defines."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return found


def test_each_hop_of_the_walks_exists():
    hops = [hop for walk in walks() for hop in walk]
    assert len(hops) > 20
    assert [(path, name) for path, name in hops if name not in names_of(PACKAGE / path)] == []


def test_the_walks_are_shorter_than_thirty_hops_and_counted_right():
    lengths = [len(walk) for walk in walks()]
    assert [int(count) for count in re.findall(r", (\d+) hops:", text())] == lengths
    assert int(re.findall(r"; (\d+) for both walks", text())[0]) == sum(lengths) < HOP_LIMIT


def test_each_path_exists():
    paths = re.findall(r"`((?:\.?[\w-]+/)*[\w-]+\.(?:py|toml|md)|(?:[\w-]+/)+)`", text())
    assert len(paths) > 40
    missing = [path for path in paths if not ((PACKAGE / path).exists() or (ROOT / path).exists())]
    parts = {"device/", "web/", "usbip/", "openrouter/", "main.py"}  # of a package that the same row names
    assert [path for path in missing if path not in parts] == []


def test_each_package_has_a_row_and_each_row_a_package():
    rows = re.findall(r"^\| `(\w+)/` \|", text(), re.MULTILINE)
    packages = {file.parent.name for file in PACKAGE.glob("*/__init__.py")}
    assert set(rows) == packages | {"tools"}


def test_each_make_target_exists():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][\w-]+)", text()))
    assert named >= {"test", "check", "demo"}
    assert named - targets == set()
