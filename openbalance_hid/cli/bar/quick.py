"""The usual calls of `bar`, without click: a status bar starts it every few seconds.

A call that this module does not carry out whole (`--watch`, `--help`, an unknown option, no daemon, no such account) prints
nothing here; the command itself then does it, with its messages.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from openbalance_hid.cli.bar.formats import FORMATS
from openbalance_hid.cli.bar.line import DISPLAYS, PERIODS, line_of
from openbalance_hid.config.paths import control_socket
from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.ipc.control_client import request

_DEFAULTS = {"--format": "plain", "--show": "both", "--period": "today", "--account": "default"}
_VALUES = {"--format": FORMATS, "--show": DISPLAYS, "--period": PERIODS}


def print_quickly(arguments: Sequence[str], env: Mapping[str, str]) -> bool:
    """Print the line for the arguments of `bar`. Return False, with nothing printed, where the command has to do it."""
    options = options_of(arguments)
    if options is None or sys.stdout is None or "_OPENBALANCE_HID_COMPLETE" in env:
        return False
    try:
        accounts = request(control_socket(env), "accounts")
    except OpenBalanceError:
        return False
    account = options["--account"]
    if account not in accounts:
        return False
    line = line_of(accounts[account], account, options["--show"], options["--period"], datetime.now(UTC))
    text = FORMATS[options["--format"]](line, program())
    try:  # unlike the command, without a buffer: what cannot be written leaves nothing behind
        os.write(sys.stdout.fileno(), f"{text}\n".encode(sys.stdout.encoding, "backslashreplace"))
    except (OSError, ValueError):
        return False
    return True


def options_of(arguments: Sequence[str]) -> dict[str, str] | None:
    """Return the value of each option; None for arguments that are not plain options with a known value."""
    options, waiting = dict(_DEFAULTS), list(arguments)
    while waiting:
        name, equals, value = waiting.pop(0).partition("=")
        if name not in options or not (equals or waiting):
            return None
        options[name] = value if equals else waiting.pop(0)
    known = all(options[name] in values for name, values in _VALUES.items())
    return options if known else None


def program() -> tuple[str, ...]:
    """Return the command that starts this program from any directory and without PATH; -P: no import from there."""
    return (sys.executable, "-P", "-m", "openbalance_hid")
