"""A day in virtual time of an XL with 32 command tiles; their programs are run for real. What they use.

Controller, decks, pictures and the thread of the programs are those of the daemon. Virtual time waits for the programs.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from openbalance_hid.app.effects import Effect, StartProgram, StopProgram
from openbalance_hid.app.events import Event, ProgramEnded
from openbalance_hid.config.load import parse
from openbalance_hid.desktop.program_runner import ProgramRunner
from openbalance_hid.runtime.effect_runner import program_request
from openbalance_hid.tiles.program_output import EndKind
from tests.torture.amounts import amounts
from tests.torture.app_harness import AppHarness
from tests.torture.faulty_deck import FaultyDeck, made
from tests.torture.figures import Figures
from tests.torture.resource_usage import ResourceUsage, has_proc, needs_proc

MINUTE_S, SELDOM_S = 60.0, 300
TILES = 32
HOURS_TO_SETTLE = 4  # pictures that are kept, the allocator
ROOM_MIB = 6.0  # a kilobyte left behind by each of 46,000 runs would be 45 MiB
LEFT_BEHIND_S = f"98{os.getpid()}"  # of a child that would not end by itself; no other test has this number
OTHERS = (  # the first keys; the rest print a line that never changes
    '["/bin/sh", "-c", "date +%N"]',  # another picture each time
    '["/bin/sh", "-c", "echo amber; exit 1"]',
    '["/bin/sh", "-c", "kill -9 $$"]',
    '["/nowhere/program"]',
    '["/usr/bin/yes"]',
    '["/bin/sh", "-c", "sleep ' + LEFT_BEHIND_S + ' & echo left behind"]',
    """["/bin/echo", '{"text": "on", "class": "playing", "percentage": 42}']""",
)
WATCHED = '["/bin/sh", "-c", "echo ended at once"]'


class CommandApp(AppHarness):
    """The harness, with the programs of its command tiles. `ends`: how many runs ended in which way."""

    def __init__(self, deck: FaultyDeck, config: str) -> None:
        self.programs = ProgramRunner(os.environ)
        self.ends: Counter[EndKind] = Counter()
        self._open_runs = 0
        super().__init__(deck, config=parse(config, "config.toml"))

    def tell(self, event: Event) -> list[Effect]:
        if isinstance(event, ProgramEnded):
            self._open_runs -= 1
            self.ends[event.end.kind] += 1
        effects = super().tell(event)
        for effect in effects:
            if isinstance(effect, StartProgram):
                self._open_runs += 1
                self.programs.start(effect.run, program_request(effect, self.inbox.put))
            elif isinstance(effect, StopProgram):
                self.programs.stop(effect.run)
        return effects

    def _rests(self) -> bool:
        return not self._open_runs and super()._rests()


def config_of(tiles: int) -> str:
    same = [f'["/bin/echo", "{number}"]\nevery_seconds = {SELDOM_S}' for number in range(tiles - len(OTHERS) - 1)]
    shown = [*OTHERS, *same]
    keys = [f"show = {show}\nrun = ['/bin/echo', 'pressed']" for show in shown] + [f"show = {WATCHED}\nwatch = true"]
    return "[[decks]]\n" + "".join(f'[[decks.keys]]\nkey = {key}\ntile = "command"\n{text}\n' for key, text in enumerate(keys))


@contextmanager
def started() -> Iterator[tuple[CommandApp, FaultyDeck]]:
    deck = made("A1", "xl")
    whole = CommandApp(deck, "[dim]\nafter_minutes = 0\noff_after_minutes = 0\n" + config_of(TILES))
    try:
        yield whole, deck
    finally:
        whole.programs.close()
        whole.end()


def children() -> list[str]:
    """Return the processes that this one has started and not yet waited for."""
    return [pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()]


def left_behind() -> list[str]:
    """Return the processes that a program has started, and that have not ended with it."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            found += [file.parent.name] if file.read_bytes() == b"sleep\x00%s\x00" % LEFT_BEHIND_S.encode() else []
    return found


@pytest.mark.skipif(not has_proc, reason=needs_proc)
@amounts("minutes", 3, 24 * 60)
def test_a_day_of_32_command_tiles_leaves_no_thread_child_or_handle_behind(minutes: int, figures: Figures) -> None:
    usage: list[ResourceUsage] = []
    before = set(children())
    with started() as (whole, deck):
        for minute in range(1, minutes + 1):
            whole.wait(MINUTE_S)
            if minute % 60 == 1:
                key = (minute // 60) % TILES
                for act in (deck.press, deck.release):
                    act(key)
                    whole.settle()
            if minute % 60 == 0 or minute == minutes:
                whole.heard.clear()
                whole.done.clear()
                whole.until_open(1)
                usage.append(ResourceUsage.of())
                assert set(children()) <= before
                assert left_behind() == []
        commands = whole.controller.commands
        assert (commands.running, len(commands.states)) == (0, TILES)
        assert whole.is_right(deck)
        figures.tell(tried=whole.ends.total(), survived=whole.ends.total(), first=usage[0], last=usage[-1])
        ends = whole.ends
    for kind in (EndKind.NOT_FOUND, EndKind.TOO_LONG, EndKind.SIGNALLED):
        assert minutes <= ends[kind] <= minutes + 1 + minutes // 60, ends
    seldom = minutes * MINUTE_S // SELDOM_S
    assert ends[EndKind.EXITED] >= minutes * (len(OTHERS) - 3 + 1) + seldom * (TILES - len(OTHERS) - 1), ends
    settled = usage[min(HOURS_TO_SETTLE, len(usage)) - 1]
    assert max(each.threads for each in usage) <= usage[0].threads
    assert max(each.handles for each in usage) <= settled.handles
    assert usage[-1].private_mib <= settled.private_mib + ROOM_MIB, [f"{each.private_mib:.1f}" for each in usage]
    assert set(children()) <= before
