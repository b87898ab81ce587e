"""`devices`: each deck, whether it can be opened, and if not the command that fixes it."""

import importlib
import json

import pytest
from click.testing import CliRunner

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
