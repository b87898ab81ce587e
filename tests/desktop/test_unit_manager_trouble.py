"""A user's systemd that refuses, says nothing, or goes away: each run has its end in words, and none is left running."""

import os
import queue
from pathlib import Path

import pytest

from openbalance_hid.desktop.program_run import ProgramRequest
from openbalance_hid.desktop.program_runner import ProgramRunner
from openbalance_hid.tiles.program_output import EndKind, ProgramEnd
from tests.private_bus import needs_dbus, private_bus, serving
from tests.waiting import PATIENCE_S, until

SYSTEMD = "org.freedesktop.systemd1"
SERVICE = {"MANAGERPID": "1", "INVOCATION_ID": "a", "SYSTEMD_EXEC_PID": str(os.getpid()), "PATH": os.environ["PATH"]}
KEYS = [f"OPENROUTER_MANAGEMENT_KEY{end}" for end in ("", "_A", "_AB", "_B", "_WORK")]
pytestmark = needs_dbus


class Manager:
    """Answers as systemd does, and starts nothing. `refusal`: its answer to each unit; `units`: names of those started.

    `confirms` False: it starts a unit and does not answer.
    """

    def __init__(self, refusal: str | None = None, confirms: bool = True) -> None:
        self.refusal = refusal
        self.confirms = confirms
        self.units: list[str] = []
        self.stopped: list[str] = []

    @staticmethod
    def _close(body) -> bool:
        """Close the descriptors of a message."""
        for _, (kind, value) in body[2]:
            if kind == "h":
                value.close()
        return True

    def serve(self, connection):
        from jeepney import HeaderFields, MessageType, new_error, new_method_return

        def answer(message) -> None:
            if message.header.message_type is not MessageType.method_call:
                return
            member, body = message.header.fields[HeaderFields.member], message.body
            if member == "GetUnitByPID":
                connection.send(new_method_return(message, "o", ("/org/freedesktop/systemd1/unit/ours",)))
            elif member == "Get":
                found = (
                    ("s", "ours.service")
                    if body[1] == "Id"
                    else ("as", ["PATH=/bin", *(f"{name}=x" for name in reversed(KEYS))])
                )
                connection.send(new_method_return(message, "v", (found,)))
            elif member == "StartTransientUnit" and self._close(body) and self.refusal is not None:
                connection.send(new_error(message, f"{SYSTEMD}.Refused", "s", (self.refusal,)))
            elif member == "StartTransientUnit":
                self.units.append(body[0])
                self.properties = dict(body[2])
                if self.confirms:
                    connection.send(new_method_return(message, "o", ("/org/freedesktop/systemd1/job/1",)))
            elif member == "StopUnit":
                self.stopped.append(body[0])

        return answer


@pytest.fixture
def runner_on():
    made = []

    def start(bus: str) -> ProgramRunner:
        made.append(ProgramRunner({**SERVICE, "DBUS_SESSION_BUS_ADDRESS": bus}))
        return made[-1]

    yield start
    for each in made:
        each.close()


def started(runner: ProgramRunner) -> queue.SimpleQueue:
    ends: queue.SimpleQueue[ProgramEnd] = queue.SimpleQueue()
    runner.start(ends, ProgramRequest(("/bin/sleep", "60"), ends.put, None, True))
    return ends


def test_a_refused_unit_ends_with_the_reason(tmp_path, runner_on):
    with private_bus(tmp_path) as bus, serving(bus, [SYSTEMD], Manager("Too many units").serve, True):
        runner = runner_on(bus)
        for _ in range(2):
            end = runner.call(("/bin/true",), b"")
            assert (end.kind, end.detail) == (EndKind.NOT_STARTED, "/bin/true cannot be started: Too many units")


@pytest.mark.parametrize("bus", ["unix:path=/nowhere/bus", "", "nonsense"])
def test_without_a_bus_nothing_runs_inside_of_the_sandbox(bus, tmp_path, runner_on):
    end = runner_on(bus).call(("/usr/bin/touch", str(tmp_path / "ran")), b"")
    assert end.kind is EndKind.NOT_STARTED
    assert "your systemd does not answer" in end.detail
    assert not (tmp_path / "ran").exists()


def test_a_unit_is_bound_to_the_service_and_gets_no_key(tmp_path, runner_on):
    manager = Manager()
    with private_bus(tmp_path) as bus, serving(bus, [SYSTEMD], manager.serve, True):
        started(runner_on(bus))
        until(lambda: manager.units)
        properties = manager.properties
        assert properties["BindsTo"] == ("as", ["ours.service"])
        assert properties["UnsetEnvironment"] == ("as", ["CREDENTIALS_DIRECTORY", *KEYS])  # a name before its longer ones
        assert properties["StandardError"] == ("s", "null")


@pytest.mark.parametrize("confirms", [True, False])
def test_a_bus_that_ends_ends_the_runs_and_the_next_connection_stops_them(tmp_path, runner_on, confirms):
    manager, later = Manager(confirms=confirms), Manager()
    folder = Path(tmp_path, "bus")
    folder.mkdir()
    with private_bus(folder) as bus, serving(bus, [SYSTEMD], manager.serve, True):
        runner = runner_on(f"unix:path={tmp_path}/now")
        Path(tmp_path, "now").symlink_to(bus.partition("path=")[2].partition(",")[0])
        ends = started(runner)
        until(lambda: manager.units)
    end = ends.get(timeout=PATIENCE_S)
    # The answer may be lost with the bus, too.
    words = "connection to your systemd was lost" if "connection" in end.detail else "your systemd does not answer"
    assert (end.kind, words in end.detail) == (EndKind.NOT_STARTED, True)
    Path(tmp_path, "now").unlink()
    with private_bus(folder) as bus, serving(bus, [SYSTEMD], later.serve, True):
        Path(tmp_path, "now").symlink_to(bus.partition("path=")[2].partition(",")[0])
        started(runner)
        until(lambda: later.units)
        until(lambda: later.stopped == manager.units)
