"""What this process keeps from others: its memory, and its keys from the programs that it starts."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping, MutableMapping

VARIABLE = "OPENROUTER_MANAGEMENT_KEY"  # and with the name of an account behind it
_KEYS_DIRECTORY = "CREDENTIALS_DIRECTORY"  # where a service manager has put keys
_PR_SET_DUMPABLE = 4  # linux/prctl.h


def guard_memory() -> None:
    """From now on the memory, where the key is, is neither dumped by a crash nor read by another program of this user.

    The limit alone would not do: a program that takes dumps from the kernel through a pipe is called all the same (core(5)). Of
    a process that is not dumpable there is no dump, and its environment and memory in /proc are root's (PR_SET_DUMPABLE of
    prctl(2)). May be called twice; a program that is started later is its own master again.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def remove_key_variables(env: MutableMapping[str, str]) -> dict[str, str]:
    """`env` as it was. It no longer holds a key itself then, for the programs that libraries start with it."""
    whole = dict(env)
    for name in whole.keys() - without_key_variables(whole).keys():
        del env[name]
    return whole


def without_key_variables(env: Mapping[str, str]) -> dict[str, str]:
    """The environment for another program: all but what holds a key or leads to one."""
    return {name: value for name, value in env.items() if not name.startswith(VARIABLE) and name != _KEYS_DIRECTORY}
