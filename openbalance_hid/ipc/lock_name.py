"""A name for each lock that no program can remove: a Unix socket in Linux's abstract namespace, which has no file (unix(7)).

The kernel releases it with its process. It holds in one network namespace: in a container, only the locks on files do. Every
user may bind any name, so one of another user counts for nothing.
"""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import sys
from pathlib import Path

_PEER = struct.Struct("3i")  # struct ucred: process, user, group


def bind_lock_name(file: Path) -> socket.socket | None:
    """Return a socket that holds the name of the lock on `file` until it is closed. None where that is not possible.

    The directory of `file` exists.
    """
    if sys.platform != "linux":
        return None
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        holder.bind(lock_name(file))
        holder.listen()  # only a listening process can be looked up
        holder.setblocking(False)
    except OSError:
        holder.close()
        return None
    return holder


def holder_of_lock_name(file: Path) -> int | None:
    """Return the process of this user that holds the name of the lock on `file`. None: no process does, or it is not known."""
    if sys.platform != "linux":
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(lock_name(file))
            process, user, _ = _PEER.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        except OSError:
            return None
    return int(process) if user == os.geteuid() else None


def close_lookups(holder: socket.socket) -> None:
    """Close the connections of processes that have looked up the holder: of more than 128, one gets no result."""
    try:
        while True:
            holder.accept()[0].close()
    except OSError:
        pass


def lock_name(file: Path) -> str:
    """Return a name of this user's file, the same after its directory was removed.

    Containers may share the name of a directory, but not its device.
    """
    directory = Path(os.path.realpath(file.parent))  # unlike Path.resolve, also for a loop of links
    existing = next(each for each in (directory, *directory.parents) if os.path.exists(each))  # noqa: PTH110 - Path.exists raises
    place = f"{os.geteuid()} {existing.stat().st_dev} {directory / file.name}"
    return f"\0openbalance-hid-{hashlib.sha256(os.fsencode(place)).hexdigest()[:32]}"
