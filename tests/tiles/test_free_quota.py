"""The free-quota tile: what is left today, and unknown once the day has ended."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import FreeQuota, Health, Reading, Snapshot
from openbalance_hid.tiles.view import Tone
from tests.build import NOON, snapshot
from tests.tiles.views import gauge, hero, lines, notice, view_of


def with_quota(*numbers: int | None) -> Snapshot:
    return replace(snapshot(health=Health.OK), free_quota=Reading(FreeQuota(*numbers), NOON, Health.OK))


@pytest.mark.parametrize(
    ("numbers", "left", "tone", "share", "line"),
    [
        ((50, 13, 37), "37", Tone.INK, 0.26, "of 50 today"),
        ((1000, 800, 200), "200", Tone.WARN, 0.8, "of 1,000 today"),
        ((50, 50, 0), "0", Tone.ALARM, 1.0, "none left"),
        ((50, 60, -10), "0", Tone.ALARM, 1.0, "none left"),
        ((0, 0, 0), "0", Tone.ALARM, 1.0, "none left"),
        ((50, 13, None), "37", Tone.INK, 0.26, "of 50 today"),
    ],
)
def test_what_is_left_is_the_number_and_the_used_part_the_gauge(numbers, left, tone, share, line):
    view = view_of("free-quota", with_quota(*numbers))
    assert (hero(view).text, hero(view).tone) == (left, tone)
    assert gauge(view).share == pytest.approx(share)
    assert lines(view) == [line]


def test_an_answer_without_the_quota_says_so():
    view = view_of("free-quota", with_quota())
    assert (hero(view).text, lines(view)) == ("—", ["not reported"])


def test_after_midnight_utc_yesterdays_number_is_not_shown():
    view = view_of("free-quota", with_quota(50, 50, 0), NOON + timedelta(hours=12))
    assert (hero(view).text, lines(view)) == ("—", ["of 50 today"])
    assert hero(view).tone is Tone.INK


def test_before_the_first_answer_the_trouble_is_shown():
    view = view_of("free-quota", replace(snapshot(health=Health.OFFLINE), started_at=NOON - timedelta(hours=1)))
    assert notice(view).words == "Offline"
