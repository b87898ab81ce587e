"""The page in a real headless Chromium: mouse, touch and keyboard."""

from typing import Any

import pytest

from openbalance_hid.deck.device_events import DialPushed, DialTurned, StripTouched, TouchKeyEvent, TouchKind
from tests.chromium import chromium
from tests.simulator.web.chromium_visit import Open, key, visit, wait_for_picture
from tests.simulator.web.page_rig import PageRig

__all__ = ["chromium", "visit"]
pytestmark = pytest.mark.browser

HOLD_S = 2.0


def test_a_click_is_a_press_and_a_release(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        key(page, 7).click()
        assert [rig.host.next_key(), rig.host.next_key()] == [(7, True), (7, False)]


def test_a_press_before_the_page_is_connected_waits_for_the_connection(chromium: Any) -> None:
    press_at_once = """
        const click = (type) => new PointerEvent(type, {pointerId: 1, button: 0, bubbles: true});
        Element.prototype.setPointerCapture = () => {};  // refuses a pointer that does not exist
        window.WebSocket = class extends WebSocket {
            constructor(url) {
                super(url);
                queueMicrotask(() => {
                    window.stateAtPress = this.readyState;
                    for (const type of ["pointerdown", "pointerup"])
                        document.querySelector('[data-key="4"]').dispatchEvent(click(type));
                });
            }
        };
    """
    with PageRig() as rig:
        page = chromium.new_page()
        page.add_init_script(press_at_once)
        page.goto(rig.url)
        assert [rig.host.next_key(), rig.host.next_key()] == [(4, True), (4, False)]
        assert page.evaluate("window.stateAtPress") == 0, "it was connecting"
        page.close()


def test_a_mouse_that_stays_down_holds_for_as_long(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        key(page, 3).hover()
        page.mouse.down()
        pressed = rig.host.next()
        assert "down" in key(page, 3).get_attribute("class").split()
        page.wait_for_timeout((HOLD_S + 0.1) * 1000)  # a person holds in real time, too
        assert rig.host.events.empty()
        page.mouse.up()
        released = rig.host.next()
        assert [(event.key, event.down) for event in (pressed, released)] == [(3, True), (3, False)]
        assert released.mono_s - pressed.mono_s >= HOLD_S
        assert "down" not in key(page, 3).get_attribute("class").split()


def test_a_mouse_that_leaves_the_key_still_releases_that_key(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        key(page, 0).hover()
        page.mouse.down()
        assert rig.host.next_key() == (0, True)
        page.mouse.move(1200, 780)
        page.mouse.up()
        assert rig.host.next_key() == (0, False)


def test_only_the_first_mouse_button_presses(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        key(page, 0).click(button="right")
        key(page, 0).click(button="middle")
        key(page, 1).click()
        assert rig.host.next_key() == (1, True)


def test_a_touch_screen_taps_and_holds(visit: Open) -> None:
    with PageRig("xl") as rig, visit(rig, viewport={"width": 375, "height": 667}, has_touch=True, is_mobile=True) as page:
        key(page, 31).tap()
        assert [rig.host.next_key(), rig.host.next_key()] == [(31, True), (31, False)]
        box = key(page, 9).bounding_box()
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        wire = page.context.new_cdp_session(page)
        wire.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        assert rig.host.next_key() == (9, True)
        moved = {"x": point["x"] + 30, "y": point["y"] + 90}  # touches move a little, and this does not scroll
        wire.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [moved]})
        assert page.evaluate("scrollY") == 0
        assert rig.host.events.empty()
        wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert rig.host.next_key() == (9, False)


def test_two_touches_are_two_presses(visit: Open) -> None:
    with PageRig() as rig, visit(rig, has_touch=True) as page:
        wire = page.context.new_cdp_session(page)
        points = []
        for number, name in ((0, 1), (8, 2)):
            box = key(page, number).bounding_box()
            points.append({"x": box["x"] + 20, "y": box["y"] + 20, "id": name})
            wire.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
            assert rig.host.next_key() == (number, True)
        wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": points[:1]})
        assert rig.host.next_key() == (0, False)
        wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert rig.host.next_key() == (8, False)


@pytest.mark.parametrize("pressed", ["Space", "Enter"])
def test_the_keyboard_reaches_moves_presses_and_holds(visit: Open, pressed: str) -> None:
    with PageRig() as rig, visit(rig) as page:
        page.keyboard.press("Tab")
        for arrow in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowLeft"):
            page.keyboard.press(arrow)
        assert page.evaluate("document.activeElement.dataset.key") == "5"
        page.keyboard.down(pressed)
        assert rig.host.next_key() == (5, True)
        for _ in range(5):
            page.keyboard.down(pressed)  # what a keyboard sends while the key stays down
        assert rig.host.events.empty()
        page.keyboard.up(pressed)
        assert rig.host.next_key() == (5, False)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.dataset.key") == "6"
        page.keyboard.press(pressed)
        assert [rig.host.next_key(), rig.host.next_key()] == [(6, True), (6, False)]


def test_a_key_that_loses_the_focus_is_released(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        key(page, 2).focus()
        page.keyboard.down("Space")
        assert rig.host.next_key() == (2, True)
        page.keyboard.press("Tab")
        assert rig.host.next_key() == (2, False)
        page.keyboard.up("Space")


def test_a_click_of_a_screen_reader_is_a_press_and_a_release(visit: Open) -> None:
    with PageRig() as rig, visit(rig) as page:
        key(page, 4).evaluate("button => button.click()")
        assert [rig.host.next_key(), rig.host.next_key()] == [(4, True), (4, False)]


def test_closing_the_page_releases_its_keys(visit: Open) -> None:
    with PageRig() as rig:
        with visit(rig) as page:
            key(page, 2).hover()
            page.mouse.down()
            assert rig.host.next_key() == (2, True)
        assert rig.host.next_key() == (2, False)


def test_dials_turn_and_push_and_the_strip_is_touched(visit: Open) -> None:
    with PageRig("plus") as rig, visit(rig) as page:
        page.get_by_role("button", name="Turn dial 2 right").click()
        page.get_by_role("button", name="Push dial 3").click()
        page.get_by_role("button", name="Push dial 1").focus()
        page.keyboard.press("ArrowLeft")
        turned, down, up, back = (rig.host.next() for _ in range(4))
        assert [type(event) for event in (turned, down, up, back)] == [DialTurned, DialPushed, DialPushed, DialTurned]
        assert (turned.dial, turned.steps, back.dial, back.steps) == (1, 1, 0, -1)
        assert [(event.dial, event.down) for event in (down, up)] == [(2, True), (2, False)]
        page.get_by_role("button", name="Touch strip, 4 of 4").click()
        touched = rig.host.next()
        assert isinstance(touched, StripTouched)
        assert touched.touch is TouchKind.TAP
        assert abs(touched.x_px - 700) <= 4
        assert abs(touched.y_px - 50) <= 4
        page.get_by_role("button", name="Push dial 4").hover()
        page.mouse.wheel(0, 100)
        assert rig.host.next().dial == 3


def test_the_touch_keys_of_a_neo_are_keys(visit: Open) -> None:
    with PageRig("neo") as rig, visit(rig) as page:
        rig.host.surface.light(0, (255, 0, 0))
        wait_for_picture(page, 8, 255, 0, 0)
        key(page, 9).click()
        events = [rig.host.next(), rig.host.next()]
        assert all(isinstance(event, TouchKeyEvent) for event in events)
