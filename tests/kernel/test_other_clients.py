"""Clients of others drive the simulator through the guest's kernel: what they draw is shown, what they are sent they report.

The npm package @elgato-stream-deck/node over hidraw, and the examples of python-elgato-streamdeck over its libusb transport.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from openbalance_hid.simulator.device.virtual_deck import FIRMWARE, VirtualDeck
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.kernel.attached_decks import AttachedDecks, expected, until_shown
from tests.kernel.guest import PATIENCE_S, Guest
from tests.kernel.recipe import CLIENTS, OWNER
from tests.kernel.states import Machine

pytestmark = pytest.mark.kernel

SCRIPT = Path(__file__).with_name("node_client.js")
PYTHON = f"cd {CLIENTS}/python && sudo /home/{OWNER}/app/bin/python -u"
LOG = "/tmp/client.log"  # in the guest


def start(guest: Guest, command: str) -> None:
    """Start a client that goes on while decks are pressed."""
    guest.run(f"rm -f {LOG}; ({command}) > {LOG} 2>&1 < /dev/null & true")


def until_printed(guest: Guest, words: str) -> None:
    guest.until(f"grep -F '{words}' {LOG} || (cat {LOG} >&2; false)")


def is_near(image: Image.Image, colour: tuple[int, int, int]) -> bool:
    """Return whether the middle has this colour, which JPEG changes by a few steps."""
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return all(abs(one - other) <= 8 for one, other in zip(pixel, colour, strict=True))


def colour(key: int) -> tuple[int, int, int]:
    return 40 + 5 * key, 200 - 5 * key, 90


def press(deck: VirtualDeck, key: int) -> None:
    deck.press(key)
    deck.release(key)


def test_the_node_client_draws_on_every_model_and_reports_its_presses(fresh: Machine, report: Callable[[str], None]) -> None:
    guest = fresh.guest
    guest.put([SCRIPT], "/tmp/client")
    models = ("mini", "original", "mk2", "xl", "neo", "plus", "plus-xl", "pedal")
    with AttachedDecks(guest, *models) as attached:
        decks = [attached.plug(number) for number in range(len(models))]
        guest.until(f"test -e /dev/hidraw{len(models) - 1}")
        start(guest, "sudo node /tmp/client/node_client.js 1")
        waiting = {deck.serial: deck for deck in decks}
        for _ in models:
            found = guest.until(
                f"grep -o 'drawn .*' {LOG} | tail -n +{len(models) - len(waiting) + 1} | grep . || (cat {LOG} >&2; false)"
            )
            deck = waiting.pop(found.split()[1])
            model = deck.model
            if model.key_width:
                wrong = [key for key in range(model.keys + model.touch_keys) if not is_near(deck.glass(key), colour(key))]
                assert wrong == [], (model.name, [deck.glass(key).getpixel((5, 5)) for key in wrong])
                assert deck.brightness == 41
            if (beside := deck.strip() or deck.screen()) is not None:
                assert is_near(beside, (200, 40, 90)), model.name
                if model.strip is not None:
                    assert is_near(beside.crop((20, 10, 120, 60)), (40, 90, 200)), model.name
            press(deck, 1)
        until_printed(guest, "[{")
        seen = json.loads(guest.run(f"tail -n 1 {LOG}"))
        assert {each["serial"]: (each["firmware"], each["events"], each["errors"]) for each in seen} == {
            deck.serial: (FIRMWARE, [["down", 1], ["up", 1]], []) for deck in decks
        }
        for deck in decks:
            assert deck.faults == [], deck.model.name
        report("products by the node client: " + ", ".join(each["product"] for each in seen))


def test_the_examples_of_the_python_library_draw_and_are_pressed(fresh: Machine) -> None:
    guest = fresh.guest
    models = ("mini", "mk2", "neo")
    with AttachedDecks(guest, *models) as attached:
        decks = [attached.plug(number) for number in range(len(models))]
        guest.until(f"test -e /dev/hidraw{len(models) - 1}")
        described = guest.run(f"{PYTHON} example_deckinfo.py")
        for deck in decks:
            assert f"Serial: '{deck.serial}'" in described
            assert described.count(f"Firmware Version: '{FIRMWARE}'") == len(decks)
        start(guest, f"{PYTHON} example_basic.py")
        waiting = {deck.serial: deck for deck in decks}
        for done in range(len(models)):
            opened = guest.until(
                f"grep -o \"serial number: '.*',\" {LOG} | tail -n +{done + 1} | grep . || (cat {LOG} >&2; false)"
            )
            deck = waiting.pop(opened.split("'")[1])
            last = deck.model.keys - 1
            assert deck.wait_until(lambda deck=deck, last=last: deck.glass(last).getbbox() is not None, PATIENCE_S)
            assert deck.brightness == 30
            rows = [row for row in json.loads(fresh.command("devices --json")) if row["serial"] == deck.serial]
            assert [(row["state"], row["can_open"]) for row in rows] == [("in use by another program (libusb)", False)]
            before = deck.glass(0)
            deck.press(0)
            assert deck.wait_until(lambda deck=deck, before=before: deck.glass(0) != before, PATIENCE_S)
            deck.release(0)
            assert deck.wait_until(lambda deck=deck, before=before: deck.glass(0) == before, PATIENCE_S)
            press(deck, last)  # the example's "Exit": it resets the deck and goes on to the next
            assert deck.wait_until(lambda deck=deck: deck.showing_logo, PATIENCE_S)
        for deck in decks:
            assert deck.faults == [], deck.model.name


def test_what_another_client_has_drawn_is_replaced_by_a_refresh(serving: Machine, account: SampleAccount) -> None:
    guest = serving.guest
    guest.put([SCRIPT], "/tmp/client")
    with AttachedDecks(guest, "mk2-scissor") as attached:
        deck = attached.plug()
        tiles = expected(account, deck)
        until_shown(deck, tiles)
        assert guest.run("sudo node /tmp/client/node_client.js 0").startswith(f"drawn {deck.serial}")
        assert deck.brightness == 41
        assert is_near(deck.glass(14), colour(14))
        serving.command("refresh")
        until_shown(deck, tiles)
        assert deck.wait_until(lambda: deck.brightness == 70, PATIENCE_S)
        assert "lost deck" not in serving.log()
