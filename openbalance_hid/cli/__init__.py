"""The command line. Importing the package imports no command: a status bar, which starts often, needs no click."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openbalance_hid.cli.command_group import COMMANDS as COMMANDS
    from openbalance_hid.cli.command_group import main as main

_OF_THE_GROUP = ("COMMANDS", "main")


def __getattr__(name: str) -> object:
    """Return what is in `command_group`, which is imported at its first use."""
    if name not in _OF_THE_GROUP:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, getattr(import_module(f"{__name__}.command_group"), name))
