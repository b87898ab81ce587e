"""Runs of the user's programs as transient units of the user's systemd: outside of this service's sandbox.

A unit is started with `StartTransientUnit` over the session bus; what it prints comes back through a pipe that is passed along
(org.freedesktop.systemd1(5)). It is bound to the unit of this process: systemd ends it when this process ends. Used on one
thread only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from openbalance_hid.desktop.bus_connection import open_bus
from openbalance_hid.desktop.process_hardening import CREDENTIALS_VARIABLE, without_key_variables
from openbalance_hid.tiles.program_output import EndKind, ProgramEnd

NAME = "org.freedesktop.systemd1"
MANAGER_PATH = "/org/freedesktop/systemd1"
REPLY_LIMIT_S = 3.0
STOP_US = 1_000_000  # from SIGTERM to SIGKILL
SPARE_US = 5_000_000  # beyond the limit of a run, which this process watches itself
_ERROR_LEVEL = 3  # syslog's; systemd reports each start and end below it, and this program reports failures
_EXITED = 1  # CLD_EXITED of waitid(2)
_SETUP_FAILED = range(200, 246)  # exit codes of systemd itself before the program runs (systemd.exec(5))
_NO_REPLY = "org.freedesktop.DBus.Error.NoReply"  # from the bus: systemd has received the call, and left before it replied
_PROPERTIES = "org.freedesktop.DBus.Properties"


class NoUnitError(Exception):
    """The user's systemd does not answer, or has refused the unit."""


def is_user_service(env: Mapping[str, str], pid: int) -> bool:
    """Return whether this process is the main one of a service of the user's systemd, and so in its sandbox.

    `MANAGERPID` is set for these alone, and inherited by all that they start: a terminal's shells, for example. Only the
    process that systemd has executed has its own number in `SYSTEMD_EXEC_PID` (since version 248; systemd.exec(5)).
    """
    executed = env.get("SYSTEMD_EXEC_PID")
    return "MANAGERPID" in env and "INVOCATION_ID" in env and (executed == str(pid) if executed else "NOTIFY_SOCKET" in env)


class TransientUnit:
    """One run. The bus reports its end."""

    def __init__(self, units: TransientUnits, name: str, program: str) -> None:
        self.exit_descriptor: int | None = None
        self.is_reported = True
        self.name = name
        self.program = program
        self.end: ProgramEnd | None = None
        self._units = units

    def poll(self) -> ProgramEnd | None:
        """Return how it has ended; None while it runs."""
        return self.end

    def terminate(self) -> None:
        """Have it and what it has started end; after `STOP_US` systemd kills them."""
        self._units.stop(self)

    def kill(self) -> None:
        """End it and what it has started at once."""
        self._units.kill(self)

    def close(self) -> None:
        """Release what belongs to the run."""
        self._units.forget(self)


class TransientUnits:
    """The units of this process. `bus`: address of the session bus."""

    def __init__(self, bus: str) -> None:
        self._bus = bus
        self._connection: Any = None
        self._own_unit: str | None = None
        self._units: dict[str, TransientUnit] = {}  # by object path
        self._lost: list[str] = []  # names of units that may run on since a connection was lost
        self._facts: dict[str, dict[str, Any]] = {}  # by object path: properties that were reported last

    @property
    def descriptor(self) -> int | None:
        """Readable when `dispatch` has something to do; None without a connection."""
        return None if self._connection is None else int(self._connection.sock.fileno())

    def start(self, words: tuple[str, ...], output: int | None, content: int | None, limit_s: float | None) -> TransientUnit:
        """Start a unit. Raises NoUnitError. The arguments are those of `PlainProgram`; `limit_s` None: no limit."""
        from jeepney import message_bus

        try:
            self._connect()
            name = f"openbalance-hid-command-{token_hex(6)}.service"
            path = f"{MANAGER_PATH}/unit/{_escaped(name)}"
            unit = self._units[path] = TransientUnit(self, name, words[0])
            self._send(message_bus.AddMatch(_changes_of(path)))
            try:
                properties = self._properties(words, output, content, limit_s)
                self._call("StartTransientUnit", "ssa(sv)a(sa(sv))", (name, "fail", properties, []))
            except NoUnitError:
                self.forget(unit)
                raise
        except (OSError, ValueError, RuntimeError) as error:  # the unit may have started: it is one of the lost
            self._lose(str(error) or type(error).__name__)
            raise NoUnitError(f"your systemd does not answer: {str(error) or type(error).__name__}") from error
        return unit

    def dispatch(self) -> None:
        """Take in what the bus has reported."""
        try:
            while self._connection is not None:
                self._note(self._connection.receive(timeout=0))
        except TimeoutError:
            return
        except (OSError, RuntimeError, ValueError) as error:
            self._lose(str(error) or type(error).__name__)

    def stop(self, unit: TransientUnit) -> None:
        """Have a unit end."""
        self._request("StopUnit", "ss", (unit.name, "replace"))

    def kill(self, unit: TransientUnit) -> None:
        """Kill all processes of a unit."""
        self._request("KillUnit", "ssi", (unit.name, "all", 9))

    def forget(self, unit: TransientUnit) -> None:
        """Release a unit: systemd may remove it from its memory."""
        from jeepney import message_bus

        path = f"{MANAGER_PATH}/unit/{_escaped(unit.name)}"
        self._facts.pop(path, None)
        if self._units.pop(path, None) is not None:
            self._request("UnrefUnit", "s", (unit.name,))
            if self._connection is not None:
                self._send_or_lose(message_bus.RemoveMatch(_changes_of(path)))

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> None:
        if self._connection is not None:
            return
        self._connection = open_bus(self._bus, enable_fds=True)
        for name in self._lost:
            self._send(_manager_call("StopUnit", "ss", (name, "replace")))
        self._lost = []
        (path,) = self._call("GetUnitByPID", "u", (os.getpid(),))
        ((_, self._own_unit),) = self._call("Get", "ss", (f"{NAME}.Unit", "Id"), path, _PROPERTIES)

    def _properties(
        self, words: tuple[str, ...], output: int | None, content: int | None, limit_s: float | None
    ) -> list[tuple[str, tuple[str, Any]]]:
        argv = [word.replace("$", "$$") for word in words]  # else systemd replaces variables in it
        properties: list[tuple[str, tuple[str, Any]]] = [
            ("Description", ("s", f"openbalance-hid: {words[0]}")),
            ("Type", ("s", "exec")),
            ("ExecStart", ("a(sasb)", [(words[0], argv, False)])),
            ("StandardError", ("s", "null")),
            ("CollectMode", ("s", "inactive-or-failed")),
            ("AddRef", ("b", True)),  # the unit stays until its end was reported here
            ("TimeoutStopUSec", ("t", STOP_US)),
            ("LogLevelMax", ("i", _ERROR_LEVEL)),
            ("UnsetEnvironment", ("as", self._key_variables())),
        ]
        if self._own_unit:
            properties += [("BindsTo", ("as", [self._own_unit])), ("After", ("as", [self._own_unit]))]
        if limit_s is not None:
            properties.append(("RuntimeMaxUSec", ("t", int(limit_s * 1_000_000) + SPARE_US)))
        if output is not None:
            properties.append(("StandardOutputFileDescriptor", ("h", output)))
        else:
            properties.append(("StandardOutput", ("s", "null")))
        if content is not None:
            properties.append(("StandardInputFileDescriptor", ("h", content)))
        return properties

    def _key_variables(self) -> list[str]:
        """Return the variables of systemd's own environment that hold a key or lead to one, sorted.

        systemd 252 drops a name from such a list when a later one is its beginning (`strv_env_merge` compares that far), so the
        shorter one has to be first.
        """
        ((_, pairs),) = self._call("Get", "ss", (f"{NAME}.Manager", "Environment"), interface=_PROPERTIES)
        env = dict(str(pair).partition("=")[::2] for pair in pairs)
        return sorted({*(env.keys() - without_key_variables(env).keys()), CREDENTIALS_VARIABLE})

    def _call(
        self, method: str, signature: str, body: tuple[Any, ...], path: str = MANAGER_PATH, interface: str = f"{NAME}.Manager"
    ) -> tuple[Any, ...]:
        """Return the reply to a call. What arrives before it is noted. Raises OSError, and NoUnitError for a refusal."""
        from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call

        serial = next(self._connection.outgoing_serial)
        message = new_method_call(DBusAddress(path, bus_name=NAME, interface=interface), method, signature, body)
        self._connection.send(message, serial=serial)
        while True:
            reply = self._connection.receive(timeout=REPLY_LIMIT_S)
            if reply.header.fields.get(HeaderFields.reply_serial) != serial:
                self._note(reply)
            elif reply.header.message_type is MessageType.error:
                words = " ".join(str(part) for part in reply.body)
                if reply.header.fields.get(HeaderFields.error_name) == _NO_REPLY:
                    raise ConnectionError(words or "no reply")
                raise NoUnitError(words or "systemd has refused the unit")
            else:
                return tuple(reply.body)

    def _request(self, method: str, signature: str, body: tuple[Any, ...]) -> None:
        """Call a method without waiting for its reply."""
        if self._connection is not None:
            self._send_or_lose(_manager_call(method, signature, body))

    def _send_or_lose(self, message: Any) -> None:
        try:
            self._send(message)
        except OSError as error:
            self._lose(str(error))

    def _send(self, message: Any) -> None:
        from jeepney import MessageFlag

        message.header.flags |= MessageFlag.no_reply_expected
        self._connection.send(message)

    def _note(self, message: Any) -> None:
        """Note a change of a unit: it has ended when it is not active any more and has no job."""
        from jeepney import HeaderFields, MessageType

        path = message.header.fields.get(HeaderFields.path)
        unit = self._units.get(path)
        if unit is None or message.header.message_type is not MessageType.signal or len(message.body) != 3:
            return
        facts = self._facts.setdefault(path, {})
        facts |= {name: value for name, (_, value) in message.body[1].items()}
        job = facts.get("Job", (1, ""))
        if facts.get("ActiveState") in ("inactive", "failed") and not job[0] and unit.end is None:
            unit.end = _end_of(unit.program, facts)

    def _lose(self, reason: str) -> None:
        """Note that the bus is gone: nothing more is reported of the units."""
        self.close()
        units, self._units, self._facts = list(self._units.values()), {}, {}
        for unit in units:
            if unit.end is None:
                self._lost.append(unit.name)
                unit.end = ProgramEnd(
                    EndKind.NOT_STARTED, detail=f"{unit.program}: the connection to your systemd was lost: {reason}"
                )


def _manager_call(method: str, signature: str, body: tuple[Any, ...]) -> Any:
    from jeepney import DBusAddress, new_method_call

    return new_method_call(DBusAddress(MANAGER_PATH, bus_name=NAME, interface=f"{NAME}.Manager"), method, signature, body)


def _changes_of(path: str) -> Any:
    from jeepney import MatchRule

    return MatchRule(type="signal", sender=NAME, path=path, interface=_PROPERTIES, member="PropertiesChanged")


def _end_of(program: str, facts: Mapping[str, Any]) -> ProgramEnd:
    """Return how a unit has ended, from the properties of its service (org.freedesktop.systemd1(5))."""
    code, status, result = (facts.get(name) for name in ("ExecMainCode", "ExecMainStatus", "Result"))
    if result == "timeout":
        return ProgramEnd(EndKind.TOO_SLOW, detail=f"{program} did not end in time")
    if not code or (code == _EXITED and status in _SETUP_FAILED):
        return ProgramEnd(
            EndKind.NOT_STARTED,
            detail=f"{program} cannot be started: systemd reports {result or 'nothing'} {status or ''}".rstrip(),
        )
    if code == _EXITED:
        return ProgramEnd(EndKind.EXITED, int(status or 0), detail=f"{program} ended with exit code {status}" if status else "")
    return ProgramEnd(EndKind.SIGNALLED, int(status or 0), detail=f"{program} was ended by signal {status}")


def _escaped(name: str) -> str:
    """Return a unit's name as part of an object path (`sd_bus_path_encode(3)`)."""
    return "".join(char if char.isascii() and char.isalnum() else f"_{ord(char):02x}" for char in name)
