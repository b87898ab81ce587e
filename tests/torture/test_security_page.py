"""SECURITY.md names tests for what it promises: they exist, and each promise has one."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / ".github" / "SECURITY.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"## {title}")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the table in a section, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def existing_tests() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for file in files for name in re.findall(r"^ *def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)}


def test_each_promise_of_the_security_page_names_tests_that_exist() -> None:
    promises = rows("What is promised, and the tests that hold it")
    assert len(promises) >= 10
    assert [promise for promise, tests in promises if not re.findall(r"`(test_\w+)`", tests)] == []
    assert set(re.findall(r"`(test_\w+)`", PAGE)) - existing_tests() == set()


def test_the_figures_of_the_security_page_come_from_long_tests_without_a_loss() -> None:
    figures = rows("Figures of `make torture`")
    assert len(figures) >= 5
    long = {
        name
        for file in (ROOT / "tests" / "torture").glob("test_*.py")
        for name in re.findall(
            r"@amounts(?:_in_parts)?\([^\n]*\n(?:@[^\n]*\n)*def (test_\w+)", file.read_text(encoding="utf-8")
        )
    }
    assert {re.findall(r"`(\w+)`", row[0])[0] for row in figures} <= long
    assert {row[-1] for row in figures} == {"0"}


def test_the_security_page_says_where_to_report_and_is_found_from_the_readme() -> None:
    assert "private vulnerability reporting" in section("Report a problem")
    assert ".github/SECURITY.md" in (ROOT / "README.md").read_text(encoding="utf-8")
