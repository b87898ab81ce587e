"""`devices`: the connected decks, and whether each can be opened."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from openbalance_hid.cli.terminal import GREEN, RED, in_colour
from openbalance_hid.config.paths import paths
from openbalance_hid.deck.hid_module import prepare_hidapi
from openbalance_hid.deck.products import IN_USE_LIBUSB, FoundDeck, claimed_decks, find_decks, open_error, product_names
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.deck.usb_sysfs import VENDOR, UsbDevice
from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.control_client import request
from openbalance_hid.text import escape_unprintable


@click.command("devices", short_help="List the decks, and whether they can be opened.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def devices(as_json: bool) -> None:
    """List the connected decks, and whether they can be opened."""
    prepare_hidapi()
    in_use = _opened_by_daemon()
    rows = [_describe(found, in_use) for found in find_decks(HidTransport())]
    rows += map(_describe_libusb, claimed_decks())
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    if not rows:
        click.echo(f"no Stream Deck is plugged in; a virtual one: {hint('no deck is connected', 'devices')}")
    for deck in rows:
        click.echo("\n".join(_lines(deck)), color=True)


def _lines(deck: dict[str, Any]) -> list[str]:
    """Return the lines for one deck, escaped: the serial number is text from the device."""
    name, state = f"{deck['title']}  {deck['product_id']}  {deck['serial'] or '—'}  {deck['path']}", f"  {deck['state']}"
    lines = [escape_unprintable(line, keep_lines=False) for line in (name, state)]
    lines[1] = in_colour(lines[1], GREEN if deck["can_open"] else RED, sys.stdout, os.environ)
    return [*lines, f"  try: {deck['hint']}"] if deck["hint"] else lines


def _describe(found: FoundDeck, in_use: frozenset[str]) -> dict[str, Any]:
    error = None if found.path in in_use else open_error(found)
    state = "in use by the running daemon" if found.path in in_use else error.message if error else "can be opened"
    return {
        "model": found.model,
        "title": found.title,
        "product_id": f"{found.vendor_id:04x}:{found.product_id:04x}",
        "serial": found.serial,
        "path": found.path,
        "can_open": error is None,
        "state": state,
        "hint": error.hint if error else "",
    }


def _describe_libusb(device: UsbDevice) -> dict[str, Any]:
    """Return the row of a deck that hidapi does not list, because another program has claimed it."""
    model, title = product_names(int(VENDOR, 16), device.product_id) or ("", device.title)
    return {
        "model": model,
        "title": title,
        "product_id": f"{VENDOR}:{device.product_id:04x}",
        "serial": device.serial,
        "path": device.node,
        "can_open": False,
        "state": IN_USE_LIBUSB,
        "hint": hint("another program uses the deck", "devices"),
    }


def _opened_by_daemon() -> frozenset[str]:
    try:
        reply = request(paths(os.environ).socket_file, "status", timeout_s=2.0)
    except OpenBalanceError:
        return frozenset()
    return frozenset(deck["path"] for deck in reply["decks"] if deck["connected"])
