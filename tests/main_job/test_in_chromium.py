"""The main job in a real Chromium: `demo` as a process, its page, and presses of its keys."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from tests.chromium import chromium
from tests.main_job.daemon_process import DaemonProcess, environment, started
from tests.waiting import PATIENCE_S

__all__ = ["chromium"]
pytestmark = pytest.mark.browser

CREDITS = "https://openrouter.ai/settings/credits"


@pytest.fixture
def demo(tmp_path) -> Iterator[DaemonProcess]:
    env = environment(tmp_path, TMPDIR=str(tmp_path))  # one test kills it, which leaves its directory behind
    with started(env, "demo", "--no-browser", "--port", "0") as running:
        yield running


@pytest.fixture
def page(chromium: Any, demo: DaemonProcess) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(demo.url)
    named(page, "Balance $74.25").wait_for()
    yield page
    context.close()


def named(page: Any, words: str) -> Any:
    """Return the first key with these words in its accessible name: the usage tile has the balance, too."""
    return page.get_by_role("button", name=words).first


def seen(page: Any, words: str) -> Image.Image:
    """Return a screenshot of that key."""
    with Image.open(io.BytesIO(named(page, words).screenshot())) as shot:
        return shot.convert("RGB")


def colours(picture: Image.Image) -> set[tuple[int, ...]]:
    return {tuple(level // 32 for level in colour) for _, colour in picture.getcolors(1_000_000) or ()}


def until(page: Any, reached) -> None:
    for _ in range(int(PATIENCE_S * 20)):
        if reached():
            return
        page.wait_for_timeout(50)
    raise AssertionError("never came true")


def test_four_tiles_are_live_and_named(page):
    for words in ("Balance $74.25", "Models 30 d:", "Spent 30 d $", "Pace 24 h: Normal"):
        named(page, words).wait_for()
        assert len(colours(seen(page, words))) > 4, "numbers and not a dark key"


def test_a_tap_with_the_mouse_opens_the_page_of_the_tile(page):
    named(page, "Balance").click()
    page.get_by_text(CREDITS).wait_for()


def test_a_hold_of_two_seconds_refreshes_and_opens_nothing(page, demo):
    demo.until_polled()  # else the end of the first poll could be mistaken for the end of the refresh
    polls = demo.status()["counters"]["polls"]
    at_rest = seen(page, "Balance").tobytes()
    box = named(page, "Balance").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    until(page, lambda: seen(page, "Balance").tobytes() != at_rest)  # pressed
    until(page, lambda: demo.status()["counters"]["polls"] > polls)
    page.mouse.up()
    named(page, "Spent 30 d").click()
    page.get_by_text("https://openrouter.ai/activity").wait_for()
    assert page.get_by_text(CREDITS).count() == 0


def test_the_keyboard_taps_too(page):
    named(page, "Balance").focus()
    page.keyboard.press("Space")
    page.get_by_text(CREDITS).wait_for()


def test_another_scenario_changes_what_is_seen(page):
    calm = seen(page, "Pace 24 h: Normal")
    page.get_by_label("Scenario").select_option("critical")
    named(page, "Critical").wait_for()
    until(page, lambda: seen(page, "Critical").tobytes() != calm.tobytes())
    until(page, lambda: max(seen(page, "Critical").resize((1, 1)).getpixel((0, 0))) > 120)  # the alarm fills the key


def test_the_end_of_the_daemon_is_shown_with_the_command_that_starts_it(page, demo):
    demo.end()
    page.get_by_text("openbalance-hid has stopped. To see the deck again, start it again with make demo").wait_for()


def test_the_loss_of_the_daemon_is_shown(page, demo):
    demo.process.kill()
    page.get_by_text("Connection lost. Trying again…").wait_for()
