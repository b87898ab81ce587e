"""The completions of accounts, pages, keys and decks, as click's `shell_complete` expects them.

Computed at every press of Tab: from the configuration or the running daemon, never from a keyring. Errors give no completions.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from openbalance_hid.errors import OpenBalanceError

DAEMON_LIMIT_S = 1.0
if TYPE_CHECKING:
    CompletionItems = list[CompletionItem[str]]  # generic only from click 8.5 on


def accounts(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> CompletionItems:
    """Complete the accounts of the configuration."""
    return _matching(dict.fromkeys(configured_accounts()), incomplete)


def accounts_with_a_key(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> CompletionItems:
    """Complete the accounts with a stored key."""
    from openbalance_hid.config.paths import paths
    from openbalance_hid.desktop.key_locations import known_names

    return _matching(dict.fromkeys(known_names(os.environ, paths(os.environ))), incomplete)


def pages(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> CompletionItems:
    """Complete the pages of the configured decks."""
    config = _config()
    names = (page.name for deck in config.decks for page in deck.pages) if config is not None else ()
    return _matching(dict.fromkeys(names), incomplete)


def keys(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> CompletionItems:
    """Complete the keys of the first deck of the running daemon, with their text."""
    from openbalance_hid.config.paths import paths
    from openbalance_hid.ipc.control_client import request

    try:
        decks = request(paths(os.environ).socket_file, "status", timeout_s=DAEMON_LIMIT_S)["decks"]
    except OpenBalanceError:
        return []
    return _matching({str(key["key"]): " ".join(key["text"].split()) for key in decks[0]["keys"]} if decks else {}, incomplete)


def decks(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> CompletionItems:
    """Complete `usb`, and a virtual deck of each model."""
    from openbalance_hid.simulator.device.models import OFFERED, model_named

    virtual = {f"virtual:{name}": model_named(name).title for name in OFFERED}
    return _matching({"usb": "the decks that are plugged in", **virtual}, incomplete)


def configured_accounts() -> tuple[str, ...]:
    """Return the names of the configured accounts; "default" alone if the configuration cannot be read."""
    config = _config()
    return tuple(config.accounts) if config is not None else ("default",)


def _config() -> Any:
    from openbalance_hid.config.load import load_config
    from openbalance_hid.config.paths import paths

    try:
        return load_config(paths(os.environ).config_file)
    except OpenBalanceError:
        return None


def _matching(values: dict[str, str] | dict[str, None], incomplete: str) -> CompletionItems:
    return [CompletionItem(value, help=about) for value, about in values.items() if value.startswith(incomplete)]
