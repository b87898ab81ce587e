"""A real gnome-keyring on a private bus, and its password prompt."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.private_bus import ended
from tests.waiting import until

LIMIT_S = 120.0  # for a slow machine; a keyring that answers needs hundredths of a second


@contextmanager
def gnome_keyring(address: str, home: Path, has_keyring: bool = True) -> Iterator[None]:
    """Run the daemon, with its login keyring unlocked, or without any keyring."""
    env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": address, "HOME": str(home)}
    env |= {"XDG_DATA_HOME": str(home / "data"), "XDG_RUNTIME_DIR": str(home)}
    process = subprocess.Popen(
        ["gnome-keyring-daemon", "--foreground", "--components=secrets", *(["--unlock"] if has_keyring else [])],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write("a user's password")
        process.stdin.close()
        until(lambda: has_owner(address, "org.freedesktop.secrets"))
        yield
    finally:
        ended(process)


@contextmanager
def silent_prompter(address: str) -> Iterator[None]:
    """A password prompt that the user does not see."""
    from jeepney import message_bus
    from jeepney.io import blocking

    with closing(blocking.open_dbus_connection(address)) as connection:
        connection.send_and_get_reply(message_bus.RequestName("org.gnome.keyring.SystemPrompter"))
        yield


def has_owner(address: str, name: str) -> bool:
    from jeepney import MessageType, message_bus
    from jeepney.io import blocking

    with closing(blocking.open_dbus_connection(address)) as connection:
        reply = connection.send_and_get_reply(message_bus.NameHasOwner(name))
        assert reply.header.message_type is MessageType.method_return
        return bool(reply.body[0])


def lock() -> None:
    """Lock the keyring, as the screen lock does."""
    import secretstorage

    with closing(secretstorage.dbus_init()) as connection:
        secretstorage.get_default_collection(connection).lock()
