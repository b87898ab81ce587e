"""The programs of command tiles in virtual time: when they start and stop, what a press does, and that nothing is left over."""

from datetime import timedelta
from itertools import pairwise

import pytest

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.command_tiles import CommandTiles
from openbalance_hid.app.effects import LogWarning, ReportAction, StartProgram, StopProgram
from openbalance_hid.app.events import BrightnessRequested, ConfigReloaded, PageRequested, ProgramEnded, ProgramPrinted
from openbalance_hid.config.load import parse
from openbalance_hid.deck.device_events import DeckArrived, DeckLost
from openbalance_hid.tiles.command import command_of
from openbalance_hid.tiles.program_output import MOST_BYTES, EndKind, ProgramEnd
from tests.app.test_controller import DECK, Story
from tests.build import NOON

CLOCK = 'tile = "command"\nshow = ["/bin/date"]\n'
TOGGLE = 'tile = "command"\nshow = ["/opt/light"]\nrun = ["/opt/light", "toggle"]\nhold_run = ["/opt/light", "off"]\n'
FOLLOW = 'tile = "command"\nshow = ["/usr/bin/playerctl", "--follow"]\nwatch = true\nrun = ["/usr/bin/playerctl", "next"]\n'
NO_DIM = "[dim]\nafter_minutes = 0\noff_after_minutes = 0\n"


def config(*tiles: str, more: str = ""):
    keys = "".join(f"[[decks.keys]]\nkey = {key}\n{tile}" for key, tile in enumerate(tiles))
    return parse(f'{NO_DIM}[[decks]]\nrest = "blank"\n{keys}{more}', "config.toml")


class Programs(Story):
    """A story whose programs run until the test ends them."""

    def __init__(self, *tiles: str, more: str = "") -> None:
        super().__init__(config(*tiles, more=more))
        self.plugged()

    @property
    def running(self) -> dict[int, StartProgram]:
        """The programs that were started and have not ended."""
        started = {effect.run: effect for effect in self.seen(StartProgram)}
        return {run: effect for run, effect in started.items() if run not in self.ended}

    @property
    def ended(self) -> set[int]:
        return self.__dict__.setdefault("_ended", set())

    def starts(self) -> list[float]:
        return [at_s for at_s, effect in self.done if isinstance(effect, StartProgram)]

    def end(self, output: bytes = b"", code: int = 0, kind: EndKind = EndKind.EXITED) -> None:
        """End the program that runs."""
        (run,) = self.running
        self.end_run(run, ProgramEnd(kind, code, output, "" if kind is EndKind.EXITED else f"/x {kind.value}"))

    def end_run(self, run: int, end: ProgramEnd) -> None:
        self.ended.add(run)
        self.tell(ProgramEnded(run, end))

    def stopped(self) -> list[int]:
        """Stop what the controller wants to be stopped; return its numbers."""
        runs = [effect.run for effect in self.seen(StopProgram) if effect.run not in self.ended]
        for run in dict.fromkeys(runs):
            self.end_run(run, ProgramEnd(EndKind.STOPPED))
        return list(dict.fromkeys(runs))

    def tap(self, key: int = 0, seconds: float = 0.1) -> None:
        self.key(key, True)
        self.wait(seconds)
        self.key(key, False)
        self.wait(0.1)

    def text(self, key: int = 0) -> str:
        return self.face(key).view.text


def test_a_program_starts_at_once_and_again_at_each_interval():
    story = Programs(CLOCK + "every_seconds = 20\n")
    for hour in range(4):
        story.end(f"{hour}:00".encode())
        assert story.text() == f"date, {hour}:00"
        story.wait(20)
    assert story.starts() == [0, 20, 40, 60, 80]
    (start,) = story.running.values()
    assert (start.program, start.limit_s, start.prints) == (("/bin/date",), 10.0, True)


def test_a_slow_program_never_runs_twice_at_once():
    story = Programs(CLOCK + "every_seconds = 10\nlimit_seconds = 60\n")
    story.wait(35)
    assert story.starts() == [0]
    story.end(b"x")
    story.wait(10)
    assert story.starts() == [0, 40]


def test_tiles_with_one_interval_wake_the_program_once():
    story = Programs(*(f'{CLOCK[:-2]}, "+{key}"]\n' for key in range(10)))
    for run in list(story.running):
        story.wait(0.3)
        story.end_run(run, ProgramEnd(EndKind.EXITED, 0, b"x"))
    story.wait(120)
    assert story.starts() == [0.0] * 10 + [60.0] * 10
    deadlines = {at_s for at_s, _ in story.done if at_s > 10}
    assert deadlines == {60.0, 120.0}


def test_equal_tiles_share_one_run_and_both_show_it():
    story = Programs(CLOCK, CLOCK + 'label = "Clock"\n')
    story.end(b"14:05")
    assert [story.text(key) for key in (0, 1)] == ["date, 14:05", "Clock, 14:05"]


def test_a_failing_program_keeps_the_last_output_and_is_logged_once_each_way():
    story = Programs(CLOCK)
    story.end(b"14:05")
    for _ in range(3):
        story.wait(60)
        story.end(kind=EndKind.TOO_SLOW)
    assert "14:05" in story.text()
    assert "Too slow" in story.text()
    story.wait(60)
    story.end(b"14:09")
    assert story.text() == "date, 14:09"
    assert [effect.text for effect in story.seen(LogWarning)] == [
        "the program of a command tile failed: /x too slow",
        "the program of a command tile runs again: /bin/date",
    ]


@pytest.mark.parametrize(("kind", "code"), [(EndKind.EXITED, 2), (EndKind.SIGNALLED, 9), (EndKind.NOT_FOUND, 0)])
def test_a_lasting_failure_is_logged_once(kind, code):
    story = Programs(CLOCK)
    for _ in range(4):
        story.end(kind=kind, code=code)
        story.wait(60)
    assert len(story.seen(LogWarning)) == 1
    story.end(b"14:05")
    assert [effect.text for effect in story.seen(LogWarning)][1:] == ["the program of a command tile runs again: /bin/date"]


def test_a_program_that_works_and_prints_nothing_leaves_no_old_output():
    story = Programs(CLOCK)
    story.end(b"3 new")
    story.wait(60)
    story.end(b"\n")
    assert story.text() == "date, No output"
    story = Programs(FOLLOW)
    (run,) = story.running
    for line, text in ((b"One", "playerctl, One"), (b"", "playerctl, No output"), (b"Two", "playerctl, Two")):
        story.tell(ProgramPrinted(run, line))
        assert story.text() == text


def test_json_that_is_longer_than_what_is_read_is_too_long():
    cut = b'{"text": "x", "tooltip": "'.ljust(MOST_BYTES, b"y")
    story = Programs(CLOCK)
    story.end(cut, kind=EndKind.TOO_LONG)
    assert story.text().startswith("date, Too long")
    story = Programs(FOLLOW)
    (run,) = story.running
    story.tell(ProgramPrinted(run, cut))
    assert story.text() == f"playerctl, Too long, a line of more than {MOST_BYTES} bytes"
    story.tell(ProgramPrinted(run, b"One"))
    assert story.text() == "playerctl, One"


def test_a_program_that_fails_without_a_word_is_logged():
    story = Programs(CLOCK)
    story.end(code=127)
    assert [effect.text for effect in story.seen(LogWarning)] == [
        "the program of a command tile failed: /bin/date: exit 127",
    ]


def test_an_output_with_an_exit_code_is_shown_with_it():
    story = Programs(CLOCK)
    story.end(b"dirty", code=1)
    assert story.text() == "date, dirty, Exit 1"
    assert story.seen(LogWarning) == []


def test_a_tap_stops_the_program_that_prints_runs_another_and_shows_the_result():
    story = Programs(TOGGLE)
    story.tap()
    assert story.seen(ReportAction)[-1].text == "Runs light"
    assert len(story.running) == 1  # one at a time: it waits
    assert story.stopped() == [1]
    ((run, start),) = story.running.items()
    assert (start.program, start.prints) == (("/opt/light", "toggle"), False)
    assert "Running…" in story.text()
    story.tap()
    assert story.seen(ReportAction)[-1].text == "light still runs"
    story.end_run(run, ProgramEnd(EndKind.EXITED))
    assert [start.program for start in story.running.values()] == [("/opt/light",)]
    story.end(b"on")
    assert story.text() == "light, on"


def test_a_hold_runs_its_own_program_or_shows_the_output_anew():
    story = Programs(TOGGLE, CLOCK)
    for run in list(story.running):
        story.end_run(run, ProgramEnd(EndKind.EXITED, 0, b"x"))
    story.tap(0, 2.5)
    assert [start.program for start in story.running.values()] == [("/opt/light", "off")]
    story.end()
    story.end(b"off")
    story.tap(1, 2.5)
    assert [start.program for start in story.running.values()] == [("/bin/date",)]


def test_a_press_that_fails_is_on_the_key_until_one_works():
    story = Programs('tile = "command"\nrun = ["/opt/x"]\nlabel = "Go"\n')
    story.tap()
    story.end(kind=EndKind.NOT_FOUND)
    assert story.text() == "Go, Not found, /x not found"
    story.tap()
    assert story.text() == "Go, Running…"
    story.end()
    assert story.text() == "Go"


def test_a_configured_tap_is_in_place_of_the_program():
    story = Programs(CLOCK + 'tap = "none"\nhold = "refresh"\n')
    story.end(b"x")
    story.tap()
    assert not story.running
    story.tap(0, 2.5)
    assert len(story.running) == 1


def test_programs_run_only_while_their_key_is_visible():
    page = f'[[decks.pages]]\nname = "two"\n[[decks.pages.keys]]\nkey = 0\n{FOLLOW}'
    story = Programs(CLOCK, more=page)
    story.end(b"x")
    story.tell(PageRequested("two"))
    assert [start.program[0] for start in story.running.values()] == ["/usr/bin/playerctl"]
    story.wait(600)
    assert len(story.seen(StartProgram)) == 2
    story.tell(PageRequested("main"))
    assert story.stopped() == [2]
    assert [start.program for start in story.running.values()] == [("/bin/date",)]  # overdue
    story.end(b"y")
    story.tell(BrightnessRequested((DECK,), 0))
    story.wait(600)
    assert not story.running
    story.tell(BrightnessRequested((DECK,), None))
    assert len(story.running) == 1


def test_a_tile_that_is_gone_stops_its_programs_and_another_look_does_not():
    story = Programs(TOGGLE)
    story.tell(ConfigReloaded(config(TOGGLE + 'label = "Light"\n')))
    assert story.stopped() == []
    story.tell(ConfigReloaded(config(CLOCK)))
    assert [effect.run for effect in story.seen(StopProgram)] == [1]
    story.tell(DeckLost(DECK))
    assert [effect.run for effect in story.seen(StopProgram)] == [1, 2]
    assert story.controller.commands.running == 0
    story.tell(ProgramEnded(2, ProgramEnd(EndKind.EXITED, 0, b"late")))
    story.tell(DeckArrived(DECK, "mk2", 15))
    assert story.text() == "date, Starting…"


def test_a_program_that_keeps_printing_shows_each_line_and_needs_no_deadline():
    story = Programs(FOLLOW)
    ((run, start),) = story.running.items()
    assert start.limit_s is None
    for song in (b"One", b"Two", b'{"text": "Three", "class": "playing"}'):
        story.tell(ProgramPrinted(run, song))
    assert story.text() == "playerctl, Three"
    story.tap()
    assert [start.program[-1] for start in story.running.values()] == ["--follow", "next"]
    story.tell(ProgramPrinted(99, b"of no tile"))
    assert "Three" in story.text()


def test_a_program_that_should_keep_printing_starts_again_later_and_later():
    quick = Programs(FOLLOW)
    starts = []
    for _ in range(9):
        quick.end(code=1)
        assert "Exit 1" in quick.text()
        before = len(quick.starts())
        while len(quick.starts()) == before:
            quick.wait(0.5)
        starts.append(quick.starts()[-1])
    assert [round(later - earlier) for earlier, later in pairwise([0.0, *starts])] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize("kind", [EndKind.NOT_FOUND, EndKind.REFUSED, EndKind.NOT_STARTED])
def test_a_program_that_cannot_start_is_tried_again_at_its_interval(kind):
    story = Programs(CLOCK)
    story.end(kind=kind)
    story.wait(60)
    story.end(b"now")
    assert story.text() == "date, now"


def test_a_press_on_a_pedal_runs_the_program():
    story = Story(config(TOGGLE))
    story.tell(DeckArrived(DECK, "pedal", 3, visual=False))
    story.key(0, True)
    story.wait(0.1)
    story.key(0, False)
    story.wait(0.1)
    assert [effect.program for effect in story.seen(StartProgram)] == [("/opt/light", "toggle")]


def test_a_deck_full_of_command_tiles_leaves_nothing_behind():
    story = Story(config(*(f'{CLOCK[:-2]}, "+{key}"]\nevery_seconds = 1800\n' for key in range(32))))
    story.tell(DeckArrived(DECK, "xl", 32))
    runs = 0
    for _ in range(4):
        for effect in [effect for _, effect in story.done if isinstance(effect, StartProgram)]:
            runs += 1
            story.tell(ProgramEnded(effect.run, ProgramEnd(EndKind.EXITED, runs % 3, b"%d" % runs)))
        story.done.clear()
        story.wait(1800)
    commands = story.controller.commands
    assert runs == 4 * 32
    assert (commands.running, len(commands.states)) == (32, 32)
    story.tell(DeckLost(DECK))
    assert (commands.running, len(commands.states)) == (0, 0)


def test_a_virtual_day_of_runs_each_minute_leaves_nothing_behind():
    tiles = {command_of({"show": ("/bin/date", f"+{number}"), "every_seconds": 60}) for number in range(32)}
    commands, running = CommandTiles(0.0), set()
    for minute in range(24 * 60):
        now = Moment(NOON + timedelta(minutes=minute), minute * 60.0)
        running |= {effect.run for effect in commands.follow(tiles, tiles, now)}
        assert len(running) == commands.running == 32
        for run in running:
            assert commands.ended(ProgramEnded(run, ProgramEnd(EndKind.EXITED, 0, b"%d" % run)), now) == []
        running.clear()
        assert commands.running == 0
    assert max(commands.deadlines()) == 24 * 60 * 60.0
    assert {state.exit_code for state in commands.states.values()} == {0}
    assert commands.follow(set(), set(), now) == []
    assert len(commands.states) == 0


def test_the_number_of_a_run_is_never_used_twice():
    commands = CommandTiles(0.0)
    assert commands.running == 0
    story = Programs(CLOCK)
    for _ in range(20):
        story.end(b"x")
        story.wait(60)
    numbers = [effect.run for effect in story.seen(StartProgram)]
    assert numbers == sorted(set(numbers))
