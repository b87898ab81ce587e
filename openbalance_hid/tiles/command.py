"""`command`: what a program prints, or an icon and a label; a tap and a hold run programs.

    show           a program and its arguments: what it prints is on the key
    every_seconds  60    how often `show` runs while the key is visible
    watch          false  true: `show` keeps printing, and each line replaces the one before
    run            a program that a tap runs; then `show` runs again
    hold_run       a program that a hold runs
    limit_seconds  10    how long each run may last; `watch` has no limit
    icon           one of ours, or the absolute path of a PNG file
    tone           auto  the colour: by the `class` that was printed, else by the exit code; class, exit, none: by that alone

A program is a list: its absolute path and its arguments, never a shell. The first line that it prints is the large one, the
second is below; or it prints one JSON object as for waybar: `text`, `tooltip`, `class`, and `percentage` as a gauge. The exit
code 1 is amber, others but 0 are red. One program of a tile runs at a time; what it has started ends with it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import RunCommand
from openbalance_hid.tiles.kind import CASE_TIME, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.program_output import CommandState, EndKind, ProgramEnd, ShownOutput, cut
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import TileState
from openbalance_hid.tiles.view import Age, Block, Gauge, Hero, Icon, IconPicture, Line, Notice, TileView, Tone

NAME = "command"
SHOWN_FOR = timedelta(minutes=10)  # how long the key shows that a program of a press has failed
USUAL_S = 60
SHORTEST_AGE_S = 30.0  # an output is not old before, however often its program runs
OLD_RUNS, STALE_RUNS = 2, 4  # intervals after which an output is old, and no longer to be trusted
ICONS = tuple(icon.value for icon in Icon)
LONGEST_NAME = 24  # characters of a program's name

STARTING = TileState("Starting…", Icon.HOURGLASS, Tone.MUTED)
NOT_RUN = TileState("Not run yet", Icon.TERMINAL, Tone.MUTED)
NO_OUTPUT = TileState("No output", Icon.TERMINAL, Tone.MUTED)
NOT_FOUND = TileState("Not found", Icon.WARNING, Tone.WARN)
REFUSED = TileState("Refused", Icon.WARNING, Tone.WARN)
NOT_STARTED = TileState("Cannot start", Icon.WARNING, Tone.WARN)
TOO_SLOW = TileState("Too slow", Icon.WARNING, Tone.WARN)
TOO_LONG = TileState("Too long", Icon.WARNING, Tone.WARN)
ENDED = TileState("Ended", Icon.WARNING, Tone.WARN)
EXIT = TileState("Exit", Icon.WARNING, Tone.WARN)  # and the exit code
SIGNAL = TileState("Signal", Icon.WARNING, Tone.WARN)  # and its number
_ENDS = {
    EndKind.TOO_SLOW: TOO_SLOW,
    EndKind.TOO_LONG: TOO_LONG,
    EndKind.NOT_FOUND: NOT_FOUND,
    EndKind.REFUSED: REFUSED,
    EndKind.STOPPED: ENDED,
}

Program = tuple[str, ...]  # absolute path and arguments


class TileCommand(Struct, frozen=True):
    """The programs of a tile. Tiles that have all of this in common share their runs."""

    show: Program | None
    every_s: int
    watch: bool
    run: Program | None
    hold_run: Program | None
    limit_s: int


def command_of(options: Mapping[str, object]) -> TileCommand:
    """Return the programs that a tile's options name."""
    return TileCommand(
        _program(options.get("show")),
        int(str(options.get("every_seconds") or USUAL_S)),
        options.get("watch") is True,
        _program(options.get("run")),
        _program(options.get("hold_run")),
        int(str(options.get("limit_seconds", 10))),
    )


def view(scene: Scene) -> TileView:
    """Return what the program has printed, or why there is nothing; without a program that prints, icon and label."""
    command, state = command_of(scene.options), scene.command or CommandState()
    pressed = _press_line(state, scene.now)
    if command.show is None:
        return _button(scene, command, state, pressed)
    title = program_name(command.show) if scene.label is None else single_line(scene.label)
    if state.output is None:
        return _without_output(scene, title, state, pressed)
    age = _age(command, state, scene.now)
    return _with_output(scene, title, state, state.output, age, pressed)


def program_name(program: Program) -> str:
    """Return the name of a program's file, for a key or a message: its arguments may hold secrets."""
    return cut(single_line(program[0].rpartition("/")[2]), LONGEST_NAME)


def end_words(end: ProgramEnd) -> str:
    """Return the words on the key for a run that failed."""
    if end.kind is EndKind.EXITED:
        return f"{EXIT.words} {end.code}" if end.code else ENDED.words
    return f"{SIGNAL.words} {end.code}" if end.kind is EndKind.SIGNALLED else _ENDS.get(end.kind, NOT_STARTED).words


def _button(scene: Scene, command: TileCommand, state: CommandState, pressed: Line | None) -> TileView:
    """Return the view of a tile that only runs programs."""
    program = command.run or command.hold_run
    name = scene.label if scene.label is not None else program_name(program) if program is not None else "Command"
    name = single_line(name)
    icon = _icon(scene) or (Icon.PLAY if program is not None else Icon.TERMINAL)
    tone = pressed.tone if pressed is not None else Tone.INK
    notice = Notice(icon, name, tone, pressed.text if pressed is not None else "")
    text = ", ".join(part for part in (name or "Command", *_spoken(state, pressed)) if part)
    return TileView(scene.tile, "", (notice,), text, scene.theme)


def _without_output(scene: Scene, title: str, state: CommandState, pressed: Line | None) -> TileView:
    icon = _icon(scene)
    if state.problem is not None and not state.problem.is_good:
        notice = Notice(NOT_STARTED.icon, end_words(state.problem), NOT_STARTED.tone)
    else:
        shown = NO_OUTPUT if state.problem is not None else STARTING if state.is_running else NOT_RUN
        notice = Notice(icon or shown.icon, shown.words, shown.tone)
    parts = (title or "Command", notice.words, *_spoken(state, pressed))
    return TileView(scene.tile, title, (notice,), ", ".join(part for part in parts if part), scene.theme, trouble=pressed)


def _with_output(
    scene: Scene, title: str, state: CommandState, output: ShownOutput, age: Age, pressed: Line | None
) -> TileView:
    failed = _failure_line(scene, state)
    tone = _tone(scene, state, output)
    blocks: list[Block] = [Hero(output.hero, tone, _icon(scene) or _sign(scene, state))]
    if output.share is not None:
        blocks.append(Gauge(output.share, Tone.ACCENT if tone is Tone.INK else tone))
    if output.caption:
        blocks.append(Line(output.caption, Tone.MUTED))
    trouble = pressed or failed
    share = words.percent(Decimal(f"{output.share * 100:.1f}")) if output.share is not None else ""
    aged = f"{words.age(_seconds_old(state, scene.now))} old" if age is not Age.FRESH else ""
    tooltip = output.tooltip if output.tooltip != output.caption else ""
    parts = (title, output.hero, share if share != output.hero else "", output.caption, tooltip, *_spoken(state, trouble), aged)
    text = ", ".join(part for part in parts if part)
    return TileView(scene.tile, title, tuple(blocks), text, scene.theme, age, trouble=trouble)


def _tone(scene: Scene, state: CommandState, output: ShownOutput) -> Tone:
    by = scene.choice("tone")
    if by in ("auto", "class") and output.tone is not None:
        return output.tone
    if by in ("auto", "exit") and state.exit_code:
        return Tone.WARN if state.exit_code == 1 else Tone.ALARM
    return Tone.GOOD if by == "exit" else Tone.INK


def _sign(scene: Scene, state: CommandState) -> Icon | None:
    """Return the sign of an exit code, so that it is not shown by a colour alone."""
    if scene.choice("tone") != "exit":
        return None
    return Icon.WARNING if state.exit_code else Icon.CHECK


def _failure_line(scene: Scene, state: CommandState) -> Line | None:
    """Return why the last run is not as it should be."""
    if state.problem is not None:
        return Line(end_words(state.problem), Tone.WARN, Icon.WARNING)
    if state.exit_code and scene.choice("tone") != "none":
        return Line(f"Exit {state.exit_code}", Tone.WARN if state.exit_code == 1 else Tone.ALARM, Icon.WARNING)
    return None


def _press_line(state: CommandState, now: datetime) -> Line | None:
    """Return what became of the last press, while it runs and for a while after a failure."""
    if state.is_pressed:
        return Line("Running…", Tone.ACCENT, Icon.PLAY)
    end, at = state.press_problem, state.press_ended_at
    if end is None or at is None or now - at > SHOWN_FOR:
        return None
    return Line(end_words(end), Tone.WARN, Icon.WARNING)


def _spoken(state: CommandState, line: Line | None) -> tuple[str, ...]:
    """Return the trouble in words, with its reason."""
    if line is None and state.problem is None:
        return ()
    end = state.press_problem if line is not None and state.press_problem is not None else state.problem
    return (line.text if line is not None else "", single_line(end.detail) if end is not None and not state.is_pressed else "")


def _seconds_old(state: CommandState, now: datetime) -> float:
    return (now - state.printed_at).total_seconds() if state.printed_at is not None else 0.0


def _age(command: TileCommand, state: CommandState, now: datetime) -> Age:
    """Return how old the output is; what a running program has printed last is still true."""
    if command.watch and state.is_running:
        return Age.FRESH
    runs = _seconds_old(state, now) / max(SHORTEST_AGE_S, command.every_s if not command.watch else 0.0)
    return Age.STALE if runs >= STALE_RUNS else Age.OLD if runs >= OLD_RUNS else Age.FRESH


def _icon(scene: Scene) -> Icon | IconPicture | None:
    icon = scene.options.get("icon")
    if isinstance(icon, IconPicture):
        return icon
    return Icon(icon) if icon in ICONS else None


def _program(value: object) -> Program | None:
    return tuple(map(str, value)) if isinstance(value, tuple) and value else None


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    shows = {"show": ("/usr/bin/example",)}
    at = CASE_TIME - timedelta(seconds=20)

    def printed(
        hero: str, caption: str = "", exit_code: int = 0, tone: Tone | None = None, share: float | None = None
    ) -> CommandState:
        return CommandState(ShownOutput(hero, caption, "", tone, share), exit_code, at)

    def failed(kind: EndKind, code: int = 0) -> CommandState:
        return CommandState(problem=ProgramEnd(kind, code))

    slow = ProgramEnd(EndKind.TOO_SLOW)
    button = {"run": ("/usr/bin/playerctl", "play-pause"), "icon": "music"}
    return (
        TileCase("text", options=shows, command=printed("14:05", "Sun 22 Nov"), label="Clock"),
        TileCase("class and gauge", options=shows, command=printed("42 %", "2 h left", tone=Tone.WARN, share=0.42)),
        TileCase("with icon", options={**shows, "icon": "mail"}, command=printed("3", "2 new"), label="Mail"),
        TileCase("long", options=shows, command=printed("A song with a rather long name", "by a band with another one")),
        TileCase("exit 1", options=shows, command=printed("dirty", "3 files", 1), label="git"),
        TileCase("exit as tone", options={**shows, "tone": "exit"}, command=printed("clean"), label="git"),
        TileCase("too slow, last output", options=shows, command=CommandState(ShownOutput("21.5 °C", "outside"), 0, at, slow)),
        TileCase("old", options=shows, command=printed("21.5 °C", "outside"), later=timedelta(minutes=5)),
        TileCase("starting", options=shows, command=CommandState(is_running=True)),
        TileCase("not found", options=shows, command=failed(EndKind.NOT_FOUND)),
        TileCase("refused", options=shows, command=failed(EndKind.REFUSED)),
        TileCase("failed", options=shows, command=failed(EndKind.EXITED, 127)),
        TileCase("no output", options=shows, command=failed(EndKind.EXITED)),
        TileCase("not run", options=shows),
        TileCase("button", options=button, label="Play"),
        TileCase("button, running", options=button, label="Play", command=CommandState(is_pressed=True)),
        TileCase("button, failed", options=button, command=CommandState(press_problem=slow, press_ended_at=at), label="Play"),
    )


KIND = TileKind(
    NAME,
    "what a program prints; a tap runs a program",
    view,
    RunCommand(),
    (
        Option("show", "command", None, help="its first lines are shown"),
        Option("every_seconds", "int", None, minimum=1, maximum=86400, help="how often it runs; without: 60"),
        Option("watch", "bool", False, help="true: it keeps printing lines, and each replaces the one before"),
        Option("run", "command", None, help="what a tap runs"),
        Option("hold_run", "command", None, help="what a hold runs"),
        Option("limit_seconds", "int", 10, minimum=1, maximum=3600, help="how long each run may last; not of a watch"),
        Option("icon", "text", None, minimum=1, maximum=4096, help="one of ours, or the absolute path of a PNG file"),
        Option("tone", "choice", "auto", ("auto", "class", "exit", "none"), help="what gives it its colour"),
    ),
    cases=cases,
    has_account=False,
)
