"""`devices` and `status` about a deck that cannot be had: why, and the one command that mends it."""

import importlib
import json

import pytest
from click.testing import CliRunner

from openbalance_hid.cli.control import _lines
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.ipc.status import ProcessInfo, status
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from tests.build import NOON
from tests.torture.tricky import Tricky, made
from tests.torture.whole import Whole

REFUSED = ("cannot open deck at virtual:A1: permission denied", "openbalance-hid udev install")
BUSY = ("cannot open deck at virtual:A1: another program is using it", "openbalance-hid doctor")
TROUBLES = [(Tricky.refuse, *REFUSED), (Tricky.own, *BUSY)]


@pytest.fixture
def deck() -> Tricky:
    return made("A1")


@pytest.fixture
def asked(deck: Tricky, monkeypatch: pytest.MonkeyPatch, tmp_path):
    """The command `devices`, of a machine with that deck and without a daemon."""
    module = importlib.import_module("openbalance_hid.cli.devices")
    monkeypatch.setattr(module, "HidTransport", lambda: HidTransport(VirtualBus([deck])))
    monkeypatch.setenv("OPENBALANCE_RUNTIME_DIR", str(tmp_path))
    return lambda *words: CliRunner().invoke(module.devices, words).stdout


def test_a_deck_that_is_free_is_listed_without_a_word_more(asked):
    assert asked() == "Stream Deck MK.2  0fd9:0080  A1  virtual:A1\n  can be opened\n"


@pytest.mark.parametrize(("trouble", "why", "hint"), TROUBLES)
def test_a_deck_that_cannot_be_had_is_listed_with_the_command_that_helps(asked, deck: Tricky, trouble, why: str, hint: str):
    trouble(deck)
    assert asked().splitlines()[1:] == [f"  {why}", f"  try: {hint}"]
    (told,) = json.loads(asked("--json"))
    assert (told["can_open"], told["state"], told["hint"]) == (False, why, hint)


@pytest.mark.parametrize(
    ("health", "command"),
    [
        ("no_key", "openbalance-hid setup --account work"),
        ("key_rejected", "openbalance-hid setup --account work"),
        ("offline", "openbalance-hid doctor"),
        ("rate_limited", None),
        ("ok", None),
    ],
)
def test_the_status_says_what_helps_an_account_that_its_owner_must_look_after(health: str, command: str | None):
    account = {"health": health, "message": None, "balance_usd": None, "spend_usd": {"today": None}}
    account |= {"measured_at": None, "next_poll_at": None}
    told = {"version": "1", "pid": 1, "uptime_s": 1.0, "config": {"error": None}, "accounts": {"work": account}, "decks": []}
    assert [line.strip() for line in _lines(told) if "try:" in line] == ([f"try: {command}"] if command else [])


@pytest.mark.parametrize(("trouble", "why", "hint"), TROUBLES)
def test_the_daemon_says_so_in_its_status_and_once_in_its_log(deck: Tricky, caplog, trouble, why: str, hint: str):
    trouble(deck)
    whole = Whole(deck)
    whole.wait(60.0)
    told = status(whole.house, whole.decks.counts(), ProcessInfo(1, 1.0, "config.toml", NOON, None), whole.now)
    assert [(each["trouble"], each["hint"], each["connected"]) for each in told["decks"]] == [(why, hint, False)]
    assert _lines(told)[-2:] == [f"A1  mk2: {why}", f"  try: {hint}"]
    assert [record.message for record in caplog.records] == [f"{why} – try: {hint}"]
    trouble(deck, False)
    whole.wait(2.0)
    assert whole.is_right(deck), "taken when it is free"
    assert [each.trouble for each in whole.decks.counts()] == [None]
    whole.end()
