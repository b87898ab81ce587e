"""`report`: what it writes and refuses; and how it looks, in Chromium: screen, phone, print, and to axe-core."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.chromium import chromium
from tests.cli.command_line import machine, process
from tests.report.histories import HOSTILE, write_days
from tests.waiting import PATIENCE_S

__all__ = ["chromium"]

SIZES = {"screen": (1280, 900), "tablet": (800, 1000), "phone": (390, 844), "small phone": (320, 640)}


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment with some months of history and a budget."""
    folder = tmp_path_factory.mktemp("report")
    write_days(folder, 130)
    found = machine(folder)
    Path(found["OPENBALANCE_CONFIG"]).write_text("[accounts.default]\nbudget_usd = 100\n")
    return found


@pytest.fixture(scope="module")
def pages(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for period in ("30d", "all"):
        done = process(env, "report", "--period", period, "-o", str(folder / f"{period}.html"))
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return {period: folder / f"{period}.html" for period in ("30d", "all")}


def test_the_page_has_each_part_and_goes_to_standard_output(env):
    done = process(env, "report", "-o", "-")
    assert done.stderr == "-: 31 days\n"
    assert re.findall(r"<h3[^>]*>(.*?)</h3>", done.stdout) == [
        *("Spend by day", "Models", "Providers", "API keys", "Weekdays", "Credits left", "Budget"),
        *("Spike alerts", "API keys disabled and enabled", "Runs of the meter"),
    ]
    assert HOSTILE not in done.stdout


def test_without_a_name_the_file_is_in_the_current_folder(env, tmp_path):
    command = [sys.executable, "-m", "openbalance_hid", "report", "--period", "month"]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"openbalance-report\.html: \d+ days?\n", done.stdout)
    assert (tmp_path / "openbalance-report.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("--period", "2026-13"), 2, "'2026-13' is not a period: use 30d, month, a month as 2026-11, or all"),
        (("--account", "defaul"), 2, "the history has no account 'defaul', only: default; did you mean 'default'?"),
        (("-o", "/no/such/folder/x.html"), 2, "cannot write /no/such/folder/x.html: no such file or directory"),
        (("-o", "-", "--open"), 2, "--open needs a file, not standard output"),
    ],
)
def test_what_it_cannot_do_is_said_in_two_lines(env, args, code, words):
    done = process(env, "report", *args)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (code, "", 2)
    assert words in done.stderr


def test_without_a_history_the_hint_starts_the_daemon(tmp_path):
    done = process(machine(tmp_path), "report", "-o", "-")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (78, "", 2)


@pytest.mark.parametrize("package", ["pygal", "jinja2"])
def test_without_the_extra_two_lines_name_the_command_that_installs_it(env, tmp_path, package):
    (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError('{package}')")
    done = process({**env, "PYTHONPATH": str(tmp_path)}, "report", "-o", "-")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (69, "", 2)
    assert "reports need" in done.stderr
    assert f"{sys.executable} -m pip install" in done.stderr


def test_a_configuration_with_errors_costs_only_the_budget(env, tmp_path):
    (tmp_path / "bad.toml").write_text("nonsense = 1")
    done = process({**env, "OPENBALANCE_CONFIG": str(tmp_path / "bad.toml")}, "report", "-o", "-")
    assert done.returncode == 0
    assert "without budgets" in done.stderr
    assert "<!doctype html>" in done.stdout


def test_a_terminal_shows_progress_and_a_pipe_does_not(env, tmp_path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "openbalance_hid", "report", "-o", str(tmp_path / "x.html")]
    done = subprocess.run(command, env={**env, "TERM": "xterm"}, stdout=theirs, stderr=theirs, timeout=PATIENCE_S)
    os.close(theirs)
    seen = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0
    assert re.search(r"report\s+\[#+", seen)
    assert "8/8" in seen


@pytest.mark.browser
@pytest.mark.parametrize("size", ["screen", "phone"])
def test_axe_finds_nothing(chromium: Any, pages: dict[str, Path], size: str) -> None:
    width, height = SIZES[size]
    page = chromium.new_page(viewport={"width": width, "height": height})
    page.goto(pages["30d"].as_uri())
    violations = Axe().run(page).response["violations"]
    page.close()
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations] == []


@pytest.mark.browser
@pytest.mark.parametrize("period", ["30d", "all"])
def test_the_page_fits_every_size_and_its_charts_can_be_read(chromium: Any, pages: dict[str, Path], period: str) -> None:
    errors: list[str] = []
    page = chromium.new_page()
    page.on("console", lambda line: errors.append(line.text))
    page.on("request", lambda request: errors.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(pages[period].as_uri())
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        # One of the two drawings of each chart is shown, and its text is large enough.
        shown = page.evaluate(
            "[...document.querySelectorAll('figure')].map(f => [...f.children].filter(s => s.getBoundingClientRect().height)"
            ".map(s => Math.min(...[...s.querySelectorAll('text')].map(t => t.getBoundingClientRect().height).filter(h => h))))"
        )
        assert shown
        assert all(len(heights) == 1 and heights[0] >= 9 for heights in shown), (width, shown)
    page.close()
    assert errors == []


@pytest.mark.browser
def test_a_print_is_a4_and_has_every_row(chromium: Any, pages: dict[str, Path]) -> None:
    page = chromium.new_page()
    page.goto(pages["30d"].as_uri())
    pdf = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert 2 <= len(boxes) <= 8
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 690, "height": 1000})
    cut = page.evaluate("[...document.querySelectorAll('.scroll')].filter(e => e.scrollHeight > e.clientHeight + 1).length")
    assert cut == 0
    page.close()
