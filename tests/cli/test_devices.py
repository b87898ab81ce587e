"""`devices`: each deck, whether it can be opened, and if not the command that fixes it."""

import importlib
import json

import pytest
from click.testing import CliRunner

from openbalance_hid.deck.products import claimed_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from tests.torture.faulty_deck import FaultyDeck, made

REFUSED = ("cannot open deck at virtual:A1: permission denied", "openbalance-hid udev install")
BUSY = ("cannot open deck at virtual:A1: another program is using it", "openbalance-hid doctor")
PROBLEMS = [(FaultyDeck.refuse, *REFUSED), (FaultyDeck.own, *BUSY)]


@pytest.fixture
def deck() -> FaultyDeck:
    return made("A1")


@pytest.fixture
def devices(deck: FaultyDeck, monkeypatch: pytest.MonkeyPatch, tmp_path):
    """Return a function that runs `devices` with that deck and without a daemon, and returns its output."""
    module = importlib.import_module("openbalance_hid.cli.devices")
    monkeypatch.setattr(module, "HidTransport", lambda: HidTransport(VirtualBus([deck])))
    monkeypatch.setattr(module, "claimed_decks", lambda: claimed_decks(tmp_path / "sys"))
    monkeypatch.setenv("OPENBALANCE_RUNTIME_DIR", str(tmp_path))
    return lambda *words: CliRunner().invoke(module.devices, words).stdout


def test_a_free_deck_is_listed_as_one_that_can_be_opened(devices):
    assert devices() == "Stream Deck MK.2  0fd9:0080  A1  virtual:A1\n  can be opened\n"


@pytest.mark.parametrize(("problem", "why", "hint"), PROBLEMS)
def test_a_deck_that_cannot_be_opened_is_listed_with_a_command(devices, deck: FaultyDeck, problem, why: str, hint: str):
    problem(deck)
    assert devices().splitlines()[1:] == [f"  {why}", f"  try: {hint}"]
    (row,) = json.loads(devices("--json"))
    assert (row["can_open"], row["state"], row["hint"]) == (False, why, hint)


@pytest.mark.parametrize(
    ("driver", "states"), [("usbfs", ["can be opened", "in use by another program (libusb)"]), ("usbhid", ["can be opened"])]
)
def test_a_deck_that_a_libusb_program_has_claimed_is_listed(devices, tmp_path, driver: str, states: list[str]):
    device = tmp_path / "sys/bus/usb/devices/1-1"
    (device / "1-1:1.0").mkdir(parents=True)
    for file, text in {"idVendor": "0fd9", "idProduct": "0084", "busnum": "1", "devnum": "5", "serial": "B2"}.items():
        (device / file).write_text(f"{text}\n")
    (tmp_path / driver).mkdir()
    (device / "1-1:1.0/driver").symlink_to(tmp_path / driver)
    rows = json.loads(devices("--json"))
    assert [row["state"] for row in rows] == states
    assert [(row["model"], row["serial"], row["path"]) for row in rows[1:]] == [("plus", "B2", "/dev/bus/usb/001/005")] * len(
        rows[1:]
    )
