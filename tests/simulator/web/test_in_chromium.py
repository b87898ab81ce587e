"""The page in a real headless Chromium: what it shows, its choices, and the state of its connection."""

import re

import pytest

from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.web.page_server import PageServer
from tests.chromium import chromium
from tests.simulator.web.chromium_visit import Open, colour_of, key, until, visit, wait_for_picture
from tests.simulator.web.page_rig import TOKEN, Host, PageRig

__all__ = ["chromium", "visit"]
pytestmark = pytest.mark.browser


# --- seeing --------------------------------------------------------------------------------------------------------------


def test_a_picture_drawn_by_the_host_is_on_the_page_at_once(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        rig.host.draw(6, "#c02040")
        wait_for_picture(page, 6, 0xC0, 0x20, 0x40)
        assert all(abs(seen - sent) <= 24 for seen, sent in zip(colour_of(page, 6), (0xC0, 0x20, 0x40), strict=True))  # gloss
        rig.host.draw(6, "#10c060")
        wait_for_picture(page, 6, 0x10, 0xC0, 0x60)


def test_the_one_time_address_opens_the_page_which_can_be_reloaded(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        page.goto(rig.server.one_time_url())
        page.get_by_text("ready", exact=True).wait_for()
        assert page.url == rig.url
        page.reload()
        page.get_by_text("ready", exact=True).wait_for()


def test_pictures_from_before_are_there_when_the_page_opens(visit: Open) -> None:
    with PageRig("mini") as rig:
        rig.host.draw(5, "#2060e0")
        with visit(rig) as page:
            wait_for_picture(page, 5, 0x20, 0x60, 0xE0)


def test_a_dark_panel_is_dark_and_a_dimmed_one_dimmed(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        rig.host.draw(0, "#ffffff")
        wait_for_picture(page, 0, 255, 255, 255)
        seen = {}
        for percent in (100, 20, 0):
            rig.host.surface.set_brightness(percent)
            wanted = {100: "1", 20: "0.466", 0: "0"}[percent]
            until(page, "wanted => deck.style.getPropertyValue('--panel') === wanted", wanted)
            seen[percent] = max(colour_of(page, 0))
        assert seen[100] > 240
        assert 90 < seen[20] < 160
        assert seen[0] < 30


def test_the_accessible_name_of_a_key_is_the_text_of_its_tile(visit: Open) -> None:
    with PageRig() as rig:
        rig.texts[0] = "Balance $74.25, ▼ $0.40 today"
        with visit(rig) as page:
            page.get_by_role("button", name="Balance $74.25, ▼ $0.40 today", exact=True).wait_for()
            rig.texts[0] = "Balance $73.00"
            rig.server.texts_changed()
            page.get_by_role("button", name="Balance $73.00", exact=True).wait_for()
            assert page.get_by_role("button", name="Key 15", exact=True).count() == 1  # one without a tile has a name too
            assert page.get_by_role("group", name="Stream Deck MK.2").count() == 1
            assert page.get_by_label("Scenario").count() == 1


@pytest.mark.parametrize(("model", "hint"), [("mini", "Tap a key to act"), ("pedal", "Press to refresh")])
def test_the_page_explains_tap_and_hold_of_this_model(visit: Open, model: str, hint: str) -> None:
    with PageRig(model) as rig, visit(rig) as page:
        page.get_by_text(hint).wait_for()


def test_a_tile_cannot_put_markup_on_the_page(visit: Open) -> None:
    with PageRig("pedal") as rig:
        rig.texts[1] = "<img src=x onerror=alert(1)>"
        with visit(rig) as page:
            rig.server.note("<b>note</b> https://evil.example/ https://openrouter.ai/activity")
            page.get_by_text("<b>note</b> https://evil.example/").wait_for()
            assert key(page, 1).inner_text() == "<img src=x onerror=alert(1)>"
            links = page.locator("a")
            assert [links.nth(index).get_attribute("href") for index in range(links.count())] == [
                "https://openrouter.ai/activity"
            ]


@pytest.mark.parametrize("model", ["mini", "mk2", "xl", "neo", "plus", "plus-xl", "studio", "pedal"])  # one of each shape
def test_every_shape_of_deck_fits_the_width_of_the_window(visit: Open, model: str) -> None:
    with PageRig(model) as rig, visit(rig, is_mobile=True, has_touch=True) as page:
        row = MODELS[model]
        assert page.locator(".key").count() == row.keys + row.touch_keys
        assert page.locator(".knob").count() == row.dials
        for width in (1280, 768, 375, 320):
            page.set_viewport_size({"width": width, "height": 667})
            until(page, "width => innerWidth === width", width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            edges = page.evaluate(
                """() => [...document.querySelectorAll("#deck, #deck button, select")].map((part) => {
                    const box = part.getBoundingClientRect();
                    return [box.left, box.right];
                })"""
            )
            assert min(left for left, _right in edges) >= 0
            assert max(right for _left, right in edges) <= width


def test_keys_of_an_xl_are_large_enough_for_a_finger_on_a_phone(visit: Open) -> None:
    with PageRig("xl") as rig, visit(rig, viewport={"width": 375, "height": 667}, device_scale_factor=3) as page:
        box = key(page, 31).bounding_box()
        assert box["width"] >= 24  # WCAG 2.2, target size (minimum): CSS pixels
        assert box["height"] >= 24


def test_keys_are_laid_out_as_on_the_device_row_by_row(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        boxes = [key(page, number).bounding_box() for number in range(15)]
        places = [(box["y"], box["x"]) for box in boxes]
        assert places == sorted(places)
        assert len({y for y, _x in places}) == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_on_the_page_has_enough_contrast(visit: Open, scheme: str) -> None:
    with PageRig() as rig, visit(rig, color_scheme=scheme) as page:
        colours = page.evaluate(
            """() => {
                const style = getComputedStyle(document.documentElement);
                return ["--ink", "--quiet", "--accent", "--desk", "--desk-light"].map((name) => style.getPropertyValue(name));
            }"""
        )
        ink, quiet, accent, desk, light = (luminance(colour) for colour in colours)
        for ground in (desk, light):
            for text, least in ((ink, 7.0), (quiet, 4.5), (accent, 4.5)):
                brighter, darker = max(text, ground), min(text, ground)
                assert (brighter + 0.05) / (darker + 0.05) >= least


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2, of `#rrggbb`."""
    channels = [int(colour.strip()[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_with_reduced_motion_nothing_moves(visit: Open) -> None:
    with PageRig() as rig, visit(rig, reduced_motion="reduce") as page:
        assert key(page, 0).evaluate("element => getComputedStyle(element).transitionDuration") == "0s"
        box = key(page, 0).bounding_box()
        key(page, 0).hover()
        page.mouse.down()
        assert rig.host.next_key() == (0, True)
        assert key(page, 0).bounding_box() == box
        page.mouse.up()


# --- choices, connection -------------------------------------------------------------------------------------------------


def test_choosing_a_scenario_calls_back_and_explains_it(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        page.get_by_label("Scenario").select_option("low-balance")
        page.get_by_text("Little money is left").wait_for()
        assert rig.chosen == ["low-balance"]


def test_choosing_a_model_puts_another_deck_on_the_page(visit: Open) -> None:
    hosts: list[Host] = []

    def plug(name: str) -> None:
        hosts.append(Host(VirtualDeck(MODELS[name], "B2")))
        hosts[0].draw(1, "#e0c000")
        rig.server.show_deck(hosts[0].deck)

    with (
        PageRig(models=[("mk2", "Stream Deck MK.2"), ("mini", "Stream Deck Mini")], set_model=plug) as rig,
        visit(rig) as page,
    ):
        assert page.get_by_label("Stream Deck", exact=True).input_value() == "mk2"
        page.get_by_label("Stream Deck", exact=True).select_option("mini")
        page.locator("#title", has_text="Stream Deck Mini").wait_for()
        assert page.locator(".key").count() == 6
        wait_for_picture(page, 1, 0xE0, 0xC0, 0x00)
        key(page, 5).click()
        assert [hosts[0].next_key(), hosts[0].next_key()] == [(5, True), (5, False)]
        rig.server.stop()
        hosts[0].close()


def test_without_choices_there_is_nothing_to_choose(visit: Open) -> None:
    with PageRig(set_scenario=None) as rig, visit(rig) as page:
        assert not page.get_by_label("Scenario").is_visible()
        assert not page.get_by_label("Stream Deck", exact=True).is_visible()


def test_the_page_reports_a_stopped_program_and_connects_again(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        key(page, 1).hover()
        page.mouse.down()
        assert rig.host.next_key() == (1, True)
        port = rig.server.port
        rig.server.stop()
        status = page.locator("#connection")
        status.get_by_text(re.compile("openbalance-hid has stopped")).wait_for()
        assert status.get_attribute("aria-live") == "polite"
        assert "lost" in page.locator("#deck").get_attribute("class").split()
        assert rig.host.next_key() == (1, False)
        page.mouse.up()
        again = PageServer(rig.deck, dict, port=port, token=TOKEN)
        again.start()
        try:
            status.get_by_text(re.compile("Connected again")).wait_for()
            rig.host.draw(1, "#a000a0")
            wait_for_picture(page, 1, 0xA0, 0x00, 0xA0)
            key(page, 1).click()
            assert [rig.host.next_key(), rig.host.next_key()] == [(1, True), (1, False)]
        finally:
            again.stop()


def test_the_page_reports_an_address_of_an_earlier_start(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        port = rig.server.port
        rig.server.stop()
        page.get_by_text(re.compile("openbalance-hid has stopped")).wait_for()
        again = PageServer(rig.deck, dict, port=port, token="another")
        again.start()
        try:
            page.get_by_text(re.compile("no longer valid")).wait_for()
        finally:
            again.stop()


def test_reports_that_are_not_supported_are_shown_on_the_page(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        line = page.locator("#invalid-reports")
        assert line.is_hidden()
        rig.deck.send_feature(b"\x03\x44" + bytes(30))
        line.get_by_text("1 report not supported. Last: unknown report: feature report 03 44 00").wait_for()
        rig.deck.send_feature(b"\x03\x45" + bytes(30))
        line.get_by_text("2 reports not supported. Last: unknown report: feature report 03 45 00").wait_for()
        rig.deck.faults.clear()
