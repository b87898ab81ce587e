"""`devices`: the decks that are plugged in, and whether they can be used."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from openbalance_hid.config.paths import paths
from openbalance_hid.deck.products import FoundDeck, find_decks, open_error
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.ipc.control_client import request
from openbalance_hid.text import escape_unprintable


@click.command("devices", short_help="List the decks, and whether they can be opened.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def devices(as_json: bool) -> None:
    """List the decks that are plugged in, and whether they can be opened."""
    ours = _of_the_daemon()
    seen = [_describe(found, ours) for found in find_decks(HidTransport())]
    if as_json:
        click.echo(json.dumps(seen, indent=1))
        return
    if not seen:
        click.echo("no Stream Deck is plugged in")
    for deck in seen:
        click.echo("\n".join(_lines(deck)))


def _lines(deck: dict[str, Any]) -> list[str]:
    """For people; a serial number is what the device says."""
    lines = [f"{deck['title']}  {deck['product_id']}  {deck['serial'] or '—'}  {deck['path']}", f"  {deck['state']}"]
    lines += [f"  try: {deck['hint']}"] if deck["hint"] else []
    return [escape_unprintable(line, keep_lines=False) for line in lines]


def _describe(found: FoundDeck, ours: frozenset[str]) -> dict[str, Any]:
    error = None if found.path in ours else open_error(found)
    state = "in use by the running daemon" if found.path in ours else error.message if error else "can be opened"
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


def _of_the_daemon() -> frozenset[str]:
    try:
        told = request(paths(os.environ).socket_file, "status", timeout_s=2.0)
    except OpenBalanceError:
        return frozenset()
    return frozenset(deck["path"] for deck in told["decks"] if deck["connected"])
