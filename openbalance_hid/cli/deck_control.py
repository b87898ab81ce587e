"""The commands for whole decks: `brightness`, `release` and `take`."""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import CompletionItem

from openbalance_hid.config.paths import paths
from openbalance_hid.hints import hint
from openbalance_hid.ipc.control_client import request
from openbalance_hid.text import escape_unprintable

deck_option = click.option("--deck", metavar="SERIAL", help="Serial number of the deck, or its end; without it, all decks.")


class LevelParam(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4 on
    """0 to 100, `off` or `on`."""

    name = "level"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        text = str(value).removesuffix("%")
        if text in ("on", "off"):
            return text
        if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100):
            self.fail(f"{value!r} is not a brightness: use 0 to 100, off or on", param, ctx)
        return int(text)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem[str]]:
        return [CompletionItem(each) for each in ("on", "off", "100", "70", "40") if each.startswith(incomplete)]


@click.command("brightness", short_help="Light the decks, or switch them off.")
@click.argument("level", metavar="PERCENT|off|on", type=LevelParam())
@deck_option
def brightness(level: int | str, deck: str | None) -> None:
    """Light the decks with PERCENT, or switch them off and on.

    A deck that is off stays off until `on` or a press. PERCENT holds until the daemon ends or the configuration changes it.
    """
    for row in _request("brightness", level=level, deck=deck):
        words = f"{row['level']} %" if isinstance(row["level"], int) else row["level"]
        _echo(f"{row['serial']}: {words}")


@click.command("release", short_help="Hand a deck over to other software.")
@deck_option
def release(deck: str | None) -> None:
    """Hand a deck over to other software, until `take` or the end of the daemon."""
    for row in _request("release", deck=deck):
        _echo(f"{row['serial']} ({row['model']}) is released; take it back: {hint('the deck was released')}")


@click.command("take", short_help="Take a released deck back.")
@deck_option
def take(deck: str | None) -> None:
    """Take a released deck back, as soon as other software has left it."""
    for row in _request("take", deck=deck):
        _echo(f"{row['serial']} is taken back")


def _echo(line: str) -> None:
    click.echo(escape_unprintable(line, keep_lines=False))


def _request(command: str, **arguments: object) -> Any:
    return request(paths(os.environ).socket_file, command, arguments)
