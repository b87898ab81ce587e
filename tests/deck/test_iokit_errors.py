"""Why macOS does not open a deck, in the words of hidapi: hid_open_path in mac/hid.c, with mach_error_string(3)."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openbalance_hid.deck.products import find_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.errors import DeckBusyError, DeckError, DeckGoneError, DeckRefusedError
from openbalance_hid.runtime.deck_manager import DeckManager
from openbalance_hid.simulator.device.fake_hidapi import DeviceInfo, VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

EXCLUSIVE = (0xE00002C5, "exclusive access and device already open")
CODES = [
    (*EXCLUSIVE, DeckBusyError, "quit Elgato's Stream Deck app in the menu bar"),
    (0xE00002D5, "device busy", DeckBusyError, "Login Items"),
    (0xE00002C1, "privilege violation", DeckRefusedError, "Input Monitoring"),
    (0xE00002E2, "not permitted", DeckRefusedError, "Input Monitoring"),
    (0xE00002C0, "no such device", DeckGoneError, "no such device"),
    (0xE00002BC, "general error", DeckError, "0xE00002BC"),
]


class Refusing:
    """hidapi's module on macOS: one deck, which is listed and cannot be opened. `error()` is the last one without a handle."""

    def __init__(self, code: int, words: str) -> None:
        self._bus = VirtualBus([VirtualDeck(model_named("mk2"), "A1")])
        self._text = f"hid_open_path: failed to open IOHIDDevice from mach entry: (0x{code:08X}) (iokit/common) {words}"
        self._last = "Success"

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> list[DeviceInfo]:
        return self._bus.enumerate(vendor_id, product_id)

    def device(self) -> Any:
        return self

    def open_path(self, path: bytes) -> None:
        self._last = self._text
        raise OSError("open failed")

    def error(self) -> str:
        return self._last


@pytest.fixture(autouse=True)
def _on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")


@pytest.mark.parametrize(("code", "words", "kind", "said"), CODES)
def test_each_code_has_its_error_and_its_words(code: int, words: str, kind: type[DeckError], said: str) -> None:
    (found,) = find_decks(HidTransport(Refusing(code, words)))  # type: ignore[arg-type]
    with pytest.raises(DeckError, match=said) as error:
        found.deck.device.open()
    assert type(error.value) is kind
    assert error.value.hint == ("openbalance-hid doctor" if kind in (DeckBusyError, DeckRefusedError) else "")


def test_devices_names_elgatos_app_and_where_to_switch_it_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = importlib.import_module("openbalance_hid.cli.devices")
    monkeypatch.setattr(module, "HidTransport", lambda: HidTransport(Refusing(*EXCLUSIVE)))  # type: ignore[arg-type]
    monkeypatch.setattr(module, "prepare_hidapi", lambda: None)  # no macOS library here
    monkeypatch.setenv("OPENBALANCE_RUNTIME_DIR", str(tmp_path))
    (row,) = json.loads(CliRunner().invoke(module.devices, ["--json"]).stdout)
    assert "Elgato's Stream Deck app" in row["state"]
    assert "System Settings > General > Login Items" in row["state"]
    assert row["hint"] == "openbalance-hid doctor"


def test_the_status_has_the_same_words() -> None:
    decks = DeckManager(HidTransport(Refusing(*EXCLUSIVE)), lambda _: None)  # type: ignore[arg-type]
    decks.look()
    (count,) = decks.counts()
    assert "Elgato's Stream Deck app" in count.trouble
    decks.stop("keep")
