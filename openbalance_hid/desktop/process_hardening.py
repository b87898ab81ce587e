"""Protection of keys inside this process: its memory, and the environment of the programs that it starts.

A file of its own, because commands run it before anything that may read a key is imported.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping, MutableMapping

from openbalance_hid.secret import PREFIX

VARIABLE = "OPENROUTER_MANAGEMENT_KEY"  # also as a prefix, followed by the name of an account
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"  # a service manager has put keys there
_PR_SET_DUMPABLE = 4  # linux/prctl.h
# What they lead to is not meant for another program (sd_notify(3), sd_listen_fds(3)).
_OF_THIS_PROCESS = frozenset(("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "INVOCATION_ID"))


def guard_memory() -> None:
    """Keep this process's memory, and the key in it, out of crash dumps and from other programs of this user. Idempotent.

    The limit alone is not enough: a program that receives dumps from the kernel through a pipe is started even so (core(5)).
    A process that is not dumpable leaves no dump, and only root may read its environment and memory in /proc
    (PR_SET_DUMPABLE of prctl(2)). Programs that this process starts are not guarded.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def remove_key_variables(env: MutableMapping[str, str]) -> dict[str, str]:
    """Remove every key from `env`, which libraries pass to the programs that they start. Return `env` as it was before."""
    whole = dict(env)
    for name in whole.keys() - without_key_variables(whole).keys():
        del env[name]
    return whole


def without_key_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for another program, without the variables that hold any key of OpenRouter or lead to one."""
    kept = {name: value for name, value in env.items() if not name.startswith(VARIABLE) and PREFIX not in value}
    kept.pop(CREDENTIALS_VARIABLE, None)
    return kept


def environment_of_child(env: Mapping[str, str]) -> dict[str, str]:
    """Return `env` without the variables of keys, and without those of this process alone."""
    return {name: value for name, value in without_key_variables(env).items() if name not in _OF_THIS_PROCESS}
