"""What a shell may offer where a command wants a name: accounts, pages, keys, decks. As click's `shell_complete` wants it.

Asked at every press of Tab: it reads the configuration or asks the running daemon, never a keyring, and what cannot be known
is not offered.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from openbalance_hid.errors import OpenBalanceError

DAEMON_LIMIT_S = 1.0
if TYPE_CHECKING:
    Items = list[CompletionItem[str]]  # generic only from click 8.5 on


def accounts(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """The accounts of the configuration."""
    return _offered(dict.fromkeys(configured_accounts()), incomplete)


def accounts_with_a_key(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """The accounts for which a key was stored."""
    from openbalance_hid.config.paths import paths
    from openbalance_hid.desktop.key_locations import known_names

    return _offered(dict.fromkeys(known_names(os.environ, paths(os.environ))), incomplete)


def pages(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """The pages of the configuration's decks."""
    config = _config()
    names = (page.name for deck in config.decks for page in deck.pages) if config is not None else ()
    return _offered(dict.fromkeys(names), incomplete)


def keys(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """The keys of the first deck of the running daemon, with what stands on them."""
    from openbalance_hid.config.paths import paths
    from openbalance_hid.ipc.control_client import request

    try:
        decks = request(paths(os.environ).socket_file, "status", timeout_s=DAEMON_LIMIT_S)["decks"]
    except OpenBalanceError:
        return []
    return _offered({str(key["key"]): " ".join(key["text"].split()) for key in decks[0]["keys"]} if decks else {}, incomplete)


def decks(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """`usb`, and a virtual deck of each model."""
    from openbalance_hid.simulator.device.models import OFFERED, model_named

    virtual = {f"virtual:{name}": model_named(name).title for name in OFFERED}
    return _offered({"usb": "the decks that are plugged in", **virtual}, incomplete)


def configured_accounts() -> tuple[str, ...]:
    """By name; "default" alone where the configuration cannot be read."""
    config = _config()
    return tuple(config.accounts) if config is not None else ("default",)


def _config() -> Any:
    from openbalance_hid.config.load import load_config
    from openbalance_hid.config.paths import paths

    try:
        return load_config(paths(os.environ).config_file)
    except OpenBalanceError:
        return None


def _offered(values: dict[str, str] | dict[str, None], incomplete: str) -> Items:
    return [CompletionItem(value, help=about) for value, about in values.items() if value.startswith(incomplete)]
