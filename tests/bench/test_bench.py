"""The performance table runs and shows what was measured. No test depends on the speed of this machine."""

import io
import math
import sys
from fractions import Fraction
from functools import cache

import pytest
from PIL import Image

from bench.__main__ import RESULTS
from bench.child import Child
from bench.readme_table import README, readme_table, table_in
from bench.rows import GROUPS
from bench.sample_sizes import ONCE
from bench.similarity import similarity
from bench.stock_library import library_deck
from bench.table import Centre, Goal, Row, markdown, spread
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

NO_GOAL = Goal()


@cache
def measured(group):
    """Return the rows of a group, measured once for all tests."""
    return GROUPS[group](ONCE)


def row(ours, against, goal=NO_GOAL, **more):
    return Row("a row", "ms", ours, "a peer", against, goal, **more)


@pytest.mark.parametrize("group", GROUPS)
def test_every_row_measures_something_and_is_in_the_results(group):
    if group == "slow-disk" and sys.platform != "linux":
        pytest.skip("a library is preloaded as on Linux")
    rows = measured(group)
    assert rows
    results = RESULTS.read_text(encoding="utf-8")
    for found in rows:
        assert found.ours and bool(found.against) is bool(found.peer), found.name
        assert all(math.isfinite(value) for value in (*found.ours, *found.against)), found.name
        assert f"| {found.name} |" in results, "python -m bench --write"


def test_the_readme_shows_what_was_measured():
    assert table_in(README.read_text(encoding="utf-8")) == readme_table(RESULTS.read_text(encoding="utf-8")), (
        "python -m bench --write"
    )


def test_a_snapshot_that_changes_nothing_costs_no_report_and_no_picture():
    unchanged = {found.name: found.ours for found in measured("virtual-time") if found.goal == Goal(at_most=0)}
    assert len(unchanged) == 2
    assert set(unchanged.values()) == {(0.0,)}, unchanged


def test_an_idle_hour_repaints_one_part_a_minute():
    (reports,) = next(found.ours for found in measured("virtual-time") if found.name.startswith("an hour in which nothing"))
    assert 120 <= reports <= 180, "60 times the brightness, and a key of one or two reports"


def test_similarity_is_1_for_the_same_picture_and_less_for_a_worse_one():
    picture = Image.radial_gradient("L").resize((96, 96)).convert("RGB")
    exact, fair, poor = (io.BytesIO() for _ in range(3))
    picture.save(exact, "PNG")
    picture.save(fair, "JPEG", quality=90)
    picture.save(poor, "JPEG", quality=5)
    assert similarity(picture, exact.getvalue()) == pytest.approx(1)
    assert 1 > similarity(picture, fair.getvalue()) > similarity(picture, poor.getvalue()) > 0


def test_a_tile_never_takes_more_reports_than_the_library_would_send():
    for found in measured("pictures"):
        if found.unit == "reports":
            assert all(ours <= theirs for ours, theirs in zip(found.ours, found.against, strict=True)), found.name


def test_the_library_reads_without_waiting_for_a_report():
    virtual = VirtualDeck(model_named("mk2"), "A00SA1234567")
    device = library_deck(VirtualBus([virtual])).device
    device.open()
    assert device.read(19) is None
    virtual.press(2)
    assert list(device.read(19)) == [1, 0, 15, 0, 0, 0, 1, *[0] * 12]
    device.close()


def test_the_error_of_a_measured_process_is_reported():
    with Child("bench.child_library", "no-such-deck") as child, pytest.raises(RuntimeError, match="no-such-deck"):
        child.reply()


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal(), None),
        (Goal(at_most=2), True),
        (Goal(at_most=1.9), False),
        (Goal(ratio=Fraction(1, 2)), True),
        (Goal(ratio=Fraction(1, 3)), False),
        (Goal(at_most=2, ratio=Fraction(1, 3)), False),
        (Goal(at_most=1, ratio=Fraction(1, 2)), False),
    ],
)
def test_a_goal_with_two_bounds_is_met_only_within_both(goal, met):
    assert row((1.0, 2.0, 9.0), (4.0,), goal).is_met is met


def test_a_mean_is_used_only_where_a_row_requests_it():
    assert row((1.0, 2.0, 9.0), (4.0,)).ratio == 0.5
    assert row((1.0, 2.0, 9.0), (4.0,), centre=Centre.MEAN).ratio == 1.0


def test_a_ratio_to_a_peer_of_zero_is_never_met():
    assert row((1.0,), (0.0,), Goal(ratio=Fraction(1, 2))).is_met is False


def test_a_row_without_a_peer_has_dashes():
    assert (
        markdown([Row("a row", "ms", (2.0,), "", ())]).splitlines()[2] == "| a row | 2.00 ms (2.00 to 2.00) | – | – | – | – |"
    )


def test_the_spread_drops_the_outermost_tenths_from_ten_values_on():
    assert spread([5, 1, 3]) == (1, 5)
    low, high = spread([*range(100), 10_000])
    assert (low, high) == (10, 90)


def test_a_missed_goal_is_bold_in_the_table():
    missed = row((30.0,), (40.0,), Goal(at_most=20, ratio=Fraction(1, 2)), note="on a slow day.")
    assert markdown([missed]).splitlines()[2:] == [
        "| a row | 30.0 ms (30.0 to 30.0) | 40.0 ms (40.0 to 40.0) – a peer | 0.75 | ≤ 20.0 ms and ≤ 1/2 | **no** |",
        "",
        "- **a row**: on a slow day.",
    ]
