"""The command that helps: one table of every trouble, the place that reports it, and the hint there.

A hint leads to a place that fixes the trouble, or to one that reports it with its own hint. A test follows each: none leads
in a circle, and all hints of one trouble end in the same command. `docs/troubleshooting.md` contains the table.
"""

from __future__ import annotations

import sys
from types import MappingProxyType

PROGRAM = "openbalance-hid"
RUN, STOP = f"{PROGRAM} run", f"{PROGRAM} stop"
SETUP, SETUP_FILE = f"{PROGRAM} setup", f"{PROGRAM} setup --store file"
CONFIG_CHECK, CONFIG_EDIT = f"{PROGRAM} config check", f"{PROGRAM} config edit"
UDEV_INSTALL, DOCTOR = f"{PROGRAM} udev install", f"{PROGRAM} doctor"
SERVICE_INSTALL, SERVICE_LOGS = f"{PROGRAM} service install", f"{PROGRAM} service logs"
WAIT = ""  # nothing to do: it is tried again by itself

_CLIENTS = ("status", "refresh", "press", "hold", "page", "reload", "identify", "stop", "bar", "guard")

# Trouble -> place that reports it -> hint. A place is a command, or "the key" of the deck.
HINTS = MappingProxyType(
    {
        "no daemon is running": {**dict.fromkeys((*_CLIENTS, "doctor"), RUN)},
        "another daemon is running": dict.fromkeys(("run", "service install"), STOP),
        "the service does not run": dict.fromkeys(("service status", "doctor"), SERVICE_INSTALL),
        "the service failed": dict.fromkeys(("service install", "service status", "doctor"), SERVICE_LOGS),
        "the configuration has problems": {
            **dict.fromkeys(("run", "reload", "status", "config show", "preview", "doctor", "the key"), CONFIG_CHECK),
            "config check": CONFIG_EDIT,
            "config edit": CONFIG_EDIT,
        },
        "no key is stored": dict.fromkeys(("status", "doctor", "accounts", "the key"), SETUP),
        "the key is not a Management key": dict.fromkeys(("status", "doctor", "setup", "the key"), SETUP),
        "the key is rejected": dict.fromkeys(("status", "doctor", "setup", "the key"), SETUP),
        "no keyring works": dict.fromkeys(("setup", "doctor"), SETUP_FILE),
        "OpenRouter cannot be reached": {"status": DOCTOR, "doctor": "curl -sSI https://openrouter.ai"},
        "OpenRouter limits requests or has an outage": dict.fromkeys(("status", "doctor", "the key"), WAIT),
        "the deck may not be opened": dict.fromkeys(("devices", "status", "doctor"), UDEV_INSTALL),
        "another program uses the deck": {"devices": DOCTOR, "status": DOCTOR, "doctor": "the program that doctor names"},
    }
)

_OF_HEALTH = {
    "no_key": "no key is stored",
    "not_management_key": "the key is not a Management key",
    "key_rejected": "the key is rejected",
    "offline": "OpenRouter cannot be reached",
    "rate_limited": "OpenRouter limits requests or has an outage",
    "server_error": "OpenRouter limits requests or has an outage",
}


def clock_hint() -> str:
    """Return the command that sets this machine's clock."""
    return "sudo sntp -sS time.apple.com" if sys.platform == "darwin" else "sudo timedatectl set-ntp true"


def hint(trouble: str, place: str) -> str:
    """Return the command that helps with `trouble` where `place` reports it; empty if waiting is enough."""
    return HINTS[trouble][place]


def health_hint(health: str, place: str, account: str = "default", has_key: bool = True) -> str:
    """Return the command that helps with the health of an account; empty if there is nothing to do.

    `has_key` False: it is published by another machine, which has its key.
    """
    command = hint(_OF_HEALTH[health], place) if health in _OF_HEALTH else WAIT
    if not has_key:
        return "" if command == SETUP else command
    return f"{command} --account {account}" if command == SETUP and account != "default" else command
