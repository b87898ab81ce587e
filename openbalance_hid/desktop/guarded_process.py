"""What this process keeps from others: its memory from core dumps, and its keys from the programs that it starts."""

from __future__ import annotations

import resource
from collections.abc import Mapping

VARIABLE = "OPENROUTER_MANAGEMENT_KEY"  # and with the name of an account behind it
_KEYS_DIRECTORY = "CREDENTIALS_DIRECTORY"  # where a service manager has put keys


def forbid_core_dumps() -> None:
    """From now on a crash writes no image of the memory, where the key is, to the disk. May be called twice.

    systemd-coredump, which takes dumps from the kernel, keeps to this limit as well (systemd-coredump(8)).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def without_key_variables(env: Mapping[str, str]) -> dict[str, str]:
    """The environment for another program: all but what holds a key or leads to one."""
    return {name: value for name, value in env.items() if not name.startswith(VARIABLE) and name != _KEYS_DIRECTORY}
