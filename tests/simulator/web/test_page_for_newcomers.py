"""The page for somebody who sees it for the first time, in a real headless Chromium: words, install, access, motion, size."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from openbalance_hid.simulator.web.page_server import PageServer
from tests.chromium import chromium
from tests.simulator.web.chromium_visit import Open, colour_of, key, until, visit, wait_for_picture
from tests.simulator.web.page_rig import PageRig

__all__ = ["chromium", "visit"]
pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
TOP_OF_CHOICE = "() => document.querySelector('#scenario').getBoundingClientRect().top + scrollY"
MODELS = ("mini", "mk2", "xl", "neo", "plus", "plus-xl", "pedal")


def test_the_page_names_the_product_and_what_it_is_for(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        page.get_by_role("heading", name="openbalance-hid", level=1).wait_for()
        page.get_by_text("Your OpenRouter account on a Stream Deck").wait_for()


@pytest.mark.parametrize("way", ["hover", "focus", "tap"])
def test_a_key_is_explained_in_words(visit: Open, way: str) -> None:
    with PageRig() as rig:
        rig.texts[3] = "Runway ≈ 9 d, till 8 December"
        with visit(rig) as page:
            wanted = page.locator("#explain", has_text="Runway ≈ 9 d, till 8 December")
            assert not wanted.is_visible()
            {"hover": key(page, 3).hover, "focus": key(page, 3).focus, "tap": key(page, 3).click}[way]()
            wanted.wait_for()


def test_the_words_of_an_explained_key_follow_its_tile(visit: Open) -> None:
    with PageRig() as rig:
        rig.texts[0] = "Balance $74.25"
        with visit(rig) as page:
            key(page, 0).hover()
            page.locator("#explain", has_text="Balance $74.25").wait_for()
            rig.texts[0] = "Balance $73.00"
            rig.server.texts_changed()
            page.locator("#explain", has_text="Balance $73.00").wait_for()


def test_a_cell_of_the_strip_has_the_words_of_its_tile(visit: Open) -> None:
    with PageRig("plus") as rig:
        rig.texts["cell 1"] = "Today $1.20"  # type: ignore[index]
        with visit(rig) as page:
            page.get_by_role("button", name="Today $1.20", exact=True).hover()
            page.locator("#explain", has_text="Today $1.20").wait_for()


def test_a_note_replaces_the_one_before(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        rig.server.note("Alert acknowledged")
        page.locator("#note", has_text="Alert acknowledged").wait_for()
        rig.server.note("Meter started")
        page.locator("#note", has_text=re.compile("^Meter started$")).wait_for()


def test_a_demo_says_how_to_install_and_a_real_account_does_not(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        assert page.locator("#install pre").inner_text().split("\n") == ["pipx install .", "openbalance-hid setup"]
    with PageRig(set_scenario=None) as rig, visit(rig) as page:
        assert not page.locator("#install").is_visible()


def test_an_address_without_its_token_gets_a_page_that_says_so(chromium: Any) -> None:
    with PageRig() as rig:
        page = chromium.new_page()
        answer = page.goto(f"http://127.0.0.1:{rig.server.port}/")
        assert answer.status == 403
        assert "the whole address that openbalance-hid printed" in page.locator("main").inner_text()
        assert rig.server.url.partition("=")[2] not in page.content()
        page.close()


def test_a_stopped_program_says_how_to_start_it_again(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        rig.server.stop()
        page.get_by_text(re.compile("openbalance-hid has stopped.*make demo")).wait_for()


@pytest.mark.parametrize("width", [320, 390, 700, 1280])
@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("Balance $74.25, $2.42 today, 169 % more than yesterday by this time", "Opens https://openrouter.ai/settings/credits"),
        ("Spent 30 d $72.14, last 7 days $2.45, $2.74, $3.60, $2.61, $1.28, $1.08, $2.42", "The numbers are up to date"),
        ("Pace 24 h: Critical, ~9.0× the usual pace, API key laptop, mostly gpt-5 (40.1× its usual)", "Alert acknowledged"),
        ("Keys today (UTC): laptop $1.50, ci $0.65, 38 % of its limit of $50.00", "Opens https://openrouter.ai/settings/keys"),
    ],
)
def test_nothing_jumps_when_words_come_and_go(visit: Open, words: str, note: str, width: int) -> None:
    with PageRig() as rig:
        rig.texts[0] = words
        with visit(rig, viewport={"width": width, "height": 800}) as page:
            rig.server.note("")
            until(page, "() => document.querySelector('#note').textContent === ''")
            before = page.evaluate(TOP_OF_CHOICE)
            key(page, 0).hover()
            rig.server.note(note)
            page.locator("#note", has_text=note).wait_for()
            assert page.locator("#explain").inner_text() == words
            assert page.evaluate(TOP_OF_CHOICE) == before


def test_what_is_pointed_at_is_what_is_explained(visit: Open) -> None:
    with PageRig("plus") as rig:
        rig.texts[7] = "Keys today: laptop $1.50"
        with visit(rig) as page:
            key(page, 7).hover()
            page.locator("#explain", has_text="laptop").wait_for()
            page.get_by_role("button", name="Push dial 3").hover()
            page.locator("#explain", has_text=re.compile("^Push dial 3$")).wait_for()
    with PageRig("neo") as rig:
        rig.texts["screen"] = "OpenRouter balance $74.25"  # type: ignore[index]
        with visit(rig) as page:
            page.get_by_role("img", name="OpenRouter balance $74.25").hover()
            page.locator("#explain", has_text="OpenRouter balance $74.25").wait_for()


@pytest.mark.parametrize("amount", ["$74.25", "-$12,345", "≥ $0.004", "$999,999"])
def test_an_amount_on_a_pedal_is_never_broken(visit: Open, amount: str) -> None:
    height = "each => each.getBoundingClientRect().height / parseFloat(getComputedStyle(each).fontSize)"
    with PageRig("pedal") as rig:
        rig.texts[0] = f"Balance {amount}"
        with visit(rig) as page:
            for width in (320, 390, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                value = page.locator(".key b")
                assert value.inner_text() == amount
                assert value.evaluate("each => each.getClientRects().length === 1 && each.scrollWidth <= each.clientWidth")
                assert value.evaluate(height) < 1.5, f"one line at {width} pixels"


def test_a_stopped_deck_has_no_words_that_look_live(visit: Open) -> None:
    with PageRig() as rig:
        rig.texts[0] = "Balance $74.25"
        with visit(rig) as page:
            key(page, 0).hover()
            page.locator("#explain", has_text="$74.25").wait_for()
            rig.server.note("The numbers are up to date")
            page.locator("#note", has_text="up to date").wait_for()
            rig.server.stop()
            page.get_by_text(re.compile("openbalance-hid has stopped")).wait_for()
            assert page.locator("#note").inner_text() == ""
            assert "$" not in page.locator("main").inner_text().replace("$74 left", "")
            assert key(page, 0).get_attribute("aria-label") == "Key 1"


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_with_reduced_motion_a_pulsing_key_stays_in_its_first_look(visit: Open, motion: str) -> None:
    with PageRig() as rig:
        rig.texts[0] = "Spike: critical"
        with visit(rig, reduced_motion=motion) as page:
            bright, quiet = (0xE0, 0x20, 0x20), (0x40, 0x10, 0x10)
            rig.host.draw(0, "#e02020")
            wait_for_picture(page, 0, *bright)
            for step in range(1, 6):
                rig.host.draw(0, "#401010" if step % 2 else "#e02020")
                rig.host.draw(1, f"#{step * 0x20:02x}3456")
                wait_for_picture(page, 1, step * 0x20, 0x34, 0x56)  # so the picture of key 0 before it has arrived, too
            shown = colour_of(page, 0)
            wanted = bright if motion == "reduce" else quiet
            assert all(abs(seen - sent) <= 40 for seen, sent in zip(shown, wanted, strict=True)), shown


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_everything_is_within_the_window_and_no_text_is_clipped(visit: Open, model: str, size: str) -> None:
    with PageRig(model) as rig:
        for number in range(rig.deck.model.keys):
            rig.texts[number] = "30 days $269.74, last 7 days $2.45, $2.74, $3.60, $2.61, $1.28, $1.01, $0.02"
        with visit(rig, **(PHONE if size == "phone" else {})) as page:
            assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
            clipped = page.evaluate(
                "() => [...document.querySelectorAll('.key span')].filter(each => {"
                " const box = each.getBoundingClientRect(), key = each.closest('.key').getBoundingClientRect();"
                " return box.height > key.height || box.width > key.width }).length"
            )
            assert clipped == 0


def test_the_strip_of_a_plus_has_its_own_size_where_there_is_room(visit: Open) -> None:
    with PageRig("plus") as rig, visit(rig) as page:
        assert page.locator(".strip").bounding_box()["width"] == pytest.approx(800, abs=1)
        assert page.locator(".strip").bounding_box()["height"] == pytest.approx(100, abs=1)


def test_the_strip_wraps_on_a_phone_so_that_it_can_be_read(visit: Open) -> None:
    with PageRig("plus") as rig, visit(rig, **PHONE) as page:
        boxes = [page.locator(".cells button").nth(cell).bounding_box() for cell in range(4)]
        assert boxes[0]["width"] > 150  # of the 200 pixels that a cell has
        assert boxes[2]["y"] > boxes[0]["y"]


def test_the_screen_of_a_neo_has_its_own_size(visit: Open) -> None:
    with PageRig("neo") as rig, visit(rig) as page:
        assert page.locator(".strip").bounding_box()["width"] == pytest.approx(248, abs=1)


@pytest.mark.parametrize("model", ["mk2", "neo", "plus", "pedal"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Open, model: str, scheme: str) -> None:
    with PageRig(model) as rig, visit(rig, color_scheme=scheme) as page:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_at_twice_the_zoom_nothing_is_lost(visit: Open) -> None:
    with PageRig() as rig, visit(rig, viewport={"width": 640, "height": 400}, device_scale_factor=2) as page:
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        assert page.locator(".key").last.bounding_box()["width"] >= 36


def test_a_page_of_an_earlier_start_names_the_new_address(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        port = rig.server.port
        rig.server.stop()
        again = PageServer(rig.deck, dict, port=port, token="another")
        again.start()
        try:
            page.get_by_text(re.compile("Open the new address")).wait_for()
        finally:
            again.stop()
