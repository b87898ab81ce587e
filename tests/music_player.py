"""A player of the desktop, for playerctl: the part of MPRIS that it uses, with three songs. Also a program of its own.

https://specifications.freedesktop.org/mpris-spec/latest/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NAME = "org.mpris.MediaPlayer2.test"
SONGS = ("Blue in Green", "So What", "Flamenco Sketches")
_ROOT = "org.mpris.MediaPlayer2"
_PLAYER = "org.mpris.MediaPlayer2.Player"


class MusicPlayer:
    """The state, and an answer to each message of a connection, which it also sends the changes to."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._song = 0
        self.is_playing = True

    def answer(self, message: Any) -> None:
        from jeepney import DBusAddress, HeaderFields, MessageType, new_error, new_method_return, new_signal

        if message.header.message_type is not MessageType.method_call:
            return
        member, body = message.header.fields[HeaderFields.member], message.body
        act = {"PlayPause": self._play_or_pause, "Next": self._next}.get(member)
        if act is not None:
            act()
            self._connection.send(new_method_return(message))
            changed = (_PLAYER, self._properties(_PLAYER), [])
            properties = DBusAddress("/org/mpris/MediaPlayer2", interface="org.freedesktop.DBus.Properties")
            self._connection.send(new_signal(properties, "PropertiesChanged", "sa{sv}as", changed))
        elif member == "GetAll":
            self._connection.send(new_method_return(message, "a{sv}", (self._properties(body[0]),)))
        elif member == "Get" and body[1] in self._properties(body[0]):
            self._connection.send(new_method_return(message, "v", (self._properties(body[0])[body[1]],)))
        else:
            self._connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod"))

    def _play_or_pause(self) -> None:
        self.is_playing = not self.is_playing

    def _next(self) -> None:
        self._song = (self._song + 1) % len(SONGS)

    def _properties(self, interface: str) -> dict[str, tuple[str, Any]]:
        if interface == _ROOT:
            return {"Identity": ("s", "Test"), "CanQuit": ("b", False)}
        track = {
            "mpris:trackid": ("o", f"/track/{self._song}"),
            "xesam:title": ("s", SONGS[self._song]),
            "xesam:artist": ("as", ["Miles Davis"]),
        }
        can = dict.fromkeys(("CanControl", "CanPlay", "CanPause", "CanGoNext"), ("b", True))
        return {"PlaybackStatus": ("s", "Playing" if self.is_playing else "Paused"), "Metadata": ("a{sv}", track), **can}


def player(connection: Any) -> Callable[[Any], None]:
    """Return the function that answers the messages of a connection."""
    return MusicPlayer(connection).answer


def main() -> None:
    from jeepney import message_bus
    from jeepney.io.blocking import open_dbus_connection

    connection = open_dbus_connection("SESSION", auth_timeout=60.0)  # a guest under QEMU is slow
    connection.send_and_get_reply(message_bus.RequestName(NAME))
    answer = player(connection)
    while True:
        answer(connection.receive(timeout=None))


if __name__ == "__main__":
    main()
