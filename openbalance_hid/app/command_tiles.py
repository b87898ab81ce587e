"""The programs of the `command` tiles: when each starts, what it has printed, how it has ended. Pure.

The program that prints runs while its key is visible: on the page that a lit deck shows. One program of a tile runs at a time:
a press first stops it, and it runs again after the program of the press. One that keeps printing runs beside that of a press.
Running is in `desktop.program_runner`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count
from math import floor

from msgspec.structs import replace

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import Effect, LogWarning, StartProgram, StopProgram
from openbalance_hid.app.events import ProgramEnded, ProgramPrinted
from openbalance_hid.tiles.command import Program, TileCommand, end_words
from openbalance_hid.tiles.program_output import MOST_BYTES, CommandState, EndKind, ProgramEnd, shown_output

FIRST_RESTART_S = 1.0  # of a program that should keep printing and has ended; doubles each time
NOTHING_PRINTED = ProgramEnd(EndKind.EXITED)
CUT = ProgramEnd(EndKind.TOO_LONG, detail=f"a line of more than {MOST_BYTES} bytes")
LONGEST_RESTART_S = 60.0  # one that ran for so long is started again after the first pause


class _Runs:
    """The runs of one tile. Ids are those of the effects; None: not running."""

    def __init__(self) -> None:
        self.state = CommandState()
        self.show_id: int | None = None
        self.press_id: int | None = None
        self.due_s = float("-inf")  # monotonic, of the program that prints
        self.started_s = 0.0
        self.restarts = 0
        self.pressed: Program | None = None  # starts when the program that prints has ended
        self.failing: set[Program] = set()  # their failure is in the log


class CommandTiles:
    """All `command` tiles of the connected decks. `started_s`: runs are aligned to it, so that several start at once."""

    def __init__(self, started_s: float) -> None:
        self._started_s = started_s
        self._tiles: dict[TileCommand, _Runs] = {}
        self._visible: Collection[TileCommand] = ()
        self._running: dict[int, tuple[TileCommand, Program]] = {}
        self._ids = count(1)

    @property
    def states(self) -> Mapping[TileCommand, CommandState]:
        """What is known of each tile's programs."""
        return {command: runs.state for command, runs in self._tiles.items()}

    @property
    def running(self) -> int:
        """How many programs run."""
        return len(self._running)

    def follow(self, present: Collection[TileCommand], visible: Collection[TileCommand], now: Moment) -> list[Effect]:
        """Return the programs to start and to stop. `present`: on any page of a connected deck; `visible`: lit and shown."""
        effects: list[Effect] = []
        self._visible = visible
        for command in [command for command in self._tiles if command not in present]:
            effects += self._remove(command)
        for command in present:
            runs = self._tiles.setdefault(command, _Runs())
            if runs.pressed is not None and self._is_free(command, runs):
                effects.append(self._start_press(command, runs, runs.pressed))
            if command.show is not None and command in visible:
                effects += self._start_show(command, command.show, runs, now)
            elif command.watch and runs.show_id is not None:
                effects.append(StopProgram(runs.show_id))
                runs.due_s = float("-inf")
        return effects

    def press(self, command: TileCommand, program: Program) -> list[Effect] | None:
        """Return the effects of a press that runs a program of the tile; None while one of a press runs."""
        runs = self._tiles.setdefault(command, _Runs())
        if runs.press_id is not None or runs.pressed is not None:
            return None
        runs.pressed = program
        runs.state = replace(runs.state, is_pressed=True, press_problem=None)
        if self._is_free(command, runs):
            return [self._start_press(command, runs, program)]
        return [StopProgram(runs.show_id)] if runs.show_id is not None else []

    def refresh(self, command: TileCommand) -> bool:
        """Have the program that prints run now. Return False for a tile without one."""
        if command.show is None or command not in self._tiles:
            return False
        self._tiles[command].due_s = float("-inf")
        return True

    def take(self, event: ProgramPrinted | ProgramEnded, now: Moment) -> list[Effect] | None:
        """Note what a program has printed, or how it has ended. Return what to log; None where no tile shows anything else."""
        if isinstance(event, ProgramEnded):
            return self.ended(event, now)
        return [] if self.printed(event, now) else None

    def printed(self, event: ProgramPrinted, now: Moment) -> bool:
        """Note a line of a program that keeps printing. Return whether a tile shows something else."""
        command, _ = self._running.get(event.run, (None, None))
        if command is None:
            return False
        runs = self._tiles[command]
        before, output = runs.state, shown_output(event.line)
        problem = None if output is not None else CUT if len(event.line) >= MOST_BYTES else NOTHING_PRINTED
        runs.state = replace(before, output=output, exit_code=0, printed_at=now.utc, problem=problem)
        return (before.output, before.problem) != (output, problem)

    def ended(self, event: ProgramEnded, now: Moment) -> list[Effect] | None:
        """Note the end of a run. Return what to log; None for a run of a tile that is gone."""
        command, program = self._running.pop(event.run, (None, None))
        if command is None or program is None:
            return None
        runs = self._tiles[command]
        if event.run == runs.press_id:
            self._press_ended(runs, event.end, now)
        else:
            self._show_ended(command, runs, event.end, now)
        return self._log(runs, program, event.end)

    def deadlines(self) -> list[float]:
        """Return the monotonic seconds at which a program is due."""
        tiles = (runs for command, runs in self._tiles.items() if command.show is not None and command in self._visible)
        return [runs.due_s for runs in tiles if runs.show_id is None and runs.press_id is None and runs.pressed is None]

    def _remove(self, command: TileCommand) -> list[Effect]:
        runs = self._tiles.pop(command)
        ids = [each for each in (runs.show_id, runs.press_id) if each is not None]
        for each in ids:
            self._running.pop(each, None)
        return [StopProgram(each) for each in ids]

    def _is_free(self, command: TileCommand, runs: _Runs) -> bool:
        return runs.press_id is None and (runs.show_id is None or command.watch)

    def _start_show(self, command: TileCommand, program: Program, runs: _Runs, now: Moment) -> list[Effect]:
        is_pressed = runs.press_id is not None or runs.pressed is not None
        if runs.show_id is not None or now.mono_s < runs.due_s or (is_pressed and not command.watch):
            return []
        runs.show_id, runs.started_s = next(self._ids), now.mono_s
        self._running[runs.show_id] = (command, program)
        runs.state = replace(runs.state, is_running=True)
        return [StartProgram(runs.show_id, program, None if command.watch else float(command.limit_s), prints=True)]

    def _start_press(self, command: TileCommand, runs: _Runs, program: Program) -> Effect:
        runs.pressed, runs.press_id = None, next(self._ids)
        self._running[runs.press_id] = (command, program)
        return StartProgram(runs.press_id, program, float(command.limit_s), prints=False)

    def _press_ended(self, runs: _Runs, end: ProgramEnd, now: Moment) -> None:
        runs.press_id = None
        problem = None if end.is_good else end
        runs.state = replace(runs.state, is_pressed=False, press_problem=problem, press_ended_at=now.utc)
        if runs.show_id is None:
            runs.due_s = float("-inf")  # what the press has changed is shown at once

    def _show_ended(self, command: TileCommand, runs: _Runs, end: ProgramEnd, now: Moment) -> None:
        runs.show_id = None
        runs.state = replace(_after(runs.state, command, end, now), is_running=False)
        if command.watch:
            runs.restarts = 0 if now.mono_s - runs.started_s >= LONGEST_RESTART_S else runs.restarts + 1
            pause_s = min(LONGEST_RESTART_S, FIRST_RESTART_S * 2 ** min(max(0, runs.restarts - 1), 10))
            runs.due_s = now.mono_s + pause_s if end.kind is not EndKind.STOPPED else float("-inf")
        elif end.kind is not EndKind.STOPPED:
            whole = floor((now.mono_s - self._started_s) / command.every_s + 1e-6)
            runs.due_s = self._started_s + (whole + 1) * command.every_s

    def _log(self, runs: _Runs, program: Program, end: ProgramEnd) -> list[Effect]:
        """Return a warning when a program starts to fail, and when it works again."""
        fails = end.kind not in (EndKind.EXITED, EndKind.STOPPED, EndKind.TOO_LONG) or (end.code > 0 and not end.output.strip())
        if fails and program in runs.failing:
            return []
        if fails:
            runs.failing.add(program)
            return [
                LogWarning(f"the program of a command tile failed: {end.detail or f'{program[0]}: {end_words(end).lower()}'}")
            ]
        if end.kind is EndKind.EXITED and program in runs.failing:
            runs.failing.discard(program)
            return [LogWarning(f"the program of a command tile runs again: {program[0]}")]
        return []


def _after(state: CommandState, command: TileCommand, end: ProgramEnd, now: Moment) -> CommandState:
    """Return the state after a run of the program that prints.

    After a failure the last output stays. Of a program that works and prints nothing, an old output would mislead.
    """
    if end.kind is EndKind.STOPPED:
        return state
    if end.kind in (EndKind.EXITED, EndKind.TOO_LONG) and not (command.watch and not end.is_good):
        output = shown_output(end.output)
        if output is not None:
            problem = replace(end, output=b"") if command.watch else None
            return replace(state, output=output, exit_code=end.code, printed_at=now.utc, problem=problem)
        if end.is_good and not command.watch:
            return replace(state, output=None, problem=NOTHING_PRINTED)
    return replace(state, problem=replace(end, output=b""))
