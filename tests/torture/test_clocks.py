"""Wrong clocks, clocks that are set, and special days: the tiles show the right amounts, and the deck is dark at night.

Ordinary days are in `tests/app/test_a_day.py`, which computes the expected amounts from the raw events.
"""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from openbalance_hid.account.spike import Level, SpikeRule, judge
from openbalance_hid.config.schema import Config, DimConfig
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.app.test_a_day import Life
from tests.app.test_controller import DECK, Story
from tests.openrouter.virtual import VirtualClock
from tests.torture.amounts import amounts
from tests.torture.figures import Figures

DAY_S = 86_400.0
NIGHTS = {"long": (time(22, 30), time(3, 10)), "in the hour that is twice or never": (time(2, 15), time(2, 45))}
FADED = timedelta(seconds=62)  # a fade takes 2 s; ages are looked at every minute, whatever becomes of the clock


@amounts("polls", short=8, long=110)
@pytest.mark.parametrize("begin", ["2026-12-31", "2028-02-28", "2028-02-29", "2027-03-27", "2026-10-24"])
def test_amounts_are_right_over_a_year_end_a_leap_day_and_a_change_of_the_hour(
    tmp_path: Path, figures: Figures, begin: str, polls: int
) -> None:
    truth, ours = VirtualClock(), VirtualClock()
    truth.now = ours.now = datetime.fromisoformat(f"{begin}T22:45").replace(tzinfo=UTC)
    with SampleAccount(clock=truth.utc) as sample:
        life = Life(sample, truth, ours, tmp_path)
        for _ in range(polls):
            life.poll()
            assert judge(life.daemon.snapshot, ours.now, SpikeRule()).level <= Level.NORMAL
            figures.tell(tried=1, survived=1)
        life.daemon.end()


@amounts("polls", short=4, long=40)
@pytest.mark.parametrize("step_s", [DAY_S, -DAY_S, 3600.0, -3600.0, 45.0])
def test_a_clock_that_is_set_wrong_and_right_again_changes_no_amount(
    tmp_path: Path, figures: Figures, step_s: float, polls: int
) -> None:
    truth, ours = VirtualClock(), VirtualClock()
    with SampleAccount(clock=truth.utc) as sample:
        life = Life(sample, truth, ours, tmp_path)
        for step in (0.0, step_s, -step_s):
            ours.step(step)
            for _ in range(polls):
                life.poll()
                assert judge(life.daemon.snapshot, ours.now, SpikeRule()).level <= Level.NORMAL
                figures.tell(tried=1, survived=1)
        life.daemon.end()


@pytest.mark.parametrize("night", NIGHTS.values(), ids=NIGHTS)
@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", "2027-03-28T01:00"),
        ("Europe/Berlin", "2026-10-25T01:00"),
        ("America/New_York", "2027-03-14T07:00"),
        ("America/New_York", "2026-11-01T06:00"),
        ("Australia/Lord_Howe", "2027-04-03T15:00"),  # by half an hour
    ],
)
def test_when_the_hour_changes_the_deck_is_dark_by_local_time(zone: str, change: str, night) -> None:
    where = ZoneInfo(zone)
    begin, end = night

    def is_night(at: datetime) -> bool:
        local = at.astimezone(where).time()
        return begin <= local < end if begin < end else local >= begin or local < end

    run = Story(Config(dim=DimConfig(0, 10, 0, night)), zone=where)
    at = datetime.fromisoformat(change).replace(tzinfo=UTC) - timedelta(hours=6)
    run.now = run.now.__class__(at, run.now.mono_s)
    run.tell(DeckArrived(DECK, "mk2", 1))
    seen = set()
    for _ in range(12 * 60):
        run.wait(60)
        run.done.clear()
        panel = run.controller.decks[DECK]
        assert panel.light is not None
        states = {is_night(run.now.utc), is_night(run.now.utc - FADED)}
        seen |= states
        if len(states) == 1:
            assert (panel.light.percent == 0) in states, run.now.utc.astimezone(where)
    never = begin == time(2, 15) and change.startswith("2027-03")  # the clock jumps from 02:00 to 03:00
    assert seen == ({False} if never else {True, False})
