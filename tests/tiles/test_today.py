"""The today tile: amount, comparison and leading model."""

from datetime import timedelta

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Reading
from openbalance_hid.tiles.masked import masked
from openbalance_hid.tiles.view import Age, Line, Tone
from tests.build import NOON, day_of_samples, days_back, own_key, snapshot
from tests.tiles.views import hero, lines, view_of


def test_it_shows_amount_comparison_and_leading_model():
    seen = snapshot(days=days_back([24, 24]), today={"Claude Sonnet 4.5": 9, "GPT-5": 6}, taken=day_of_samples(48, hours=48))
    view = view_of("today", seen)
    assert (hero(view).text, lines(view)) == ("$15.00", ["25 % more", "mostly Sonnet 4.5"])
    assert view.text.startswith("Today (UTC) $15.00, 25 % more than yesterday by this time")


def test_a_leader_that_unreported_spend_could_change_is_not_named():
    taken = day_of_samples(40)  # 20 of it today
    near = view_of("today", snapshot(days=days_back([24]), today={"v/one": 9, "v/two": 6}, taken=taken))
    far = view_of("today", snapshot(days=days_back([24]), today={"v/one": 14, "v/two": 1}, taken=taken))
    assert ("one" in near.text, "mostly one" in far.text) == (False, True)


def test_spend_not_known_from_midnight_shows_since_when_it_is_counted():
    view = view_of("today", snapshot(taken=day_of_samples("1.50", hours=3)))
    assert (hero(view).text, lines(view), view.title) == ("$1.50", ["since 09:00"], "Today")
    assert "since 09:00 UTC" in view.text
    one = view_of("today", snapshot(taken=day_of_samples(1)[-1:]))
    assert (hero(one).text, lines(one)) == ("—", []), "one sample has counted nothing"
    whole = view_of("today", snapshot(taken=day_of_samples(13, hours=13)))
    assert (hero(whole).text, lines(whole)) == ("$12.00", [])


def test_an_unknown_today_is_a_dash_without_a_trouble():
    view = view_of("today", snapshot(days=days_back([2] * 5)))
    assert (hero(view).text, lines(view)) == ("—", [])


def test_a_refused_activity_leaves_a_dash():
    assert hero(view_of("today", snapshot(activity_health=Health.SERVER_ERROR))).text == "—"


def test_own_key_cost_apart_is_a_second_amount_and_changes_no_other_one():
    seen = own_key(snapshot(days=days_back([24, 24]), today={"A": 9}, taken=day_of_samples(48, hours=48)), "0.125")
    off, apart = view_of("today", seen), view_of("today", seen, byok="apart")
    assert "own key" not in off.text
    assert (hero(off).text, hero(apart).text) == ("$12.00", "$12.00")
    assert lines(apart) == ["own key ≥ $0.12", "same"]
    assert "$12.00, own key ≥ $0.12, the same" in apart.text
    assert "$" not in masked(apart).text.replace("$•••", "")


def test_own_key_cost_that_is_not_known_is_a_dash_with_the_trouble_of_its_endpoint():
    seen = snapshot(days=days_back([24]), taken=day_of_samples(48))
    assert lines(view_of("today", seen, byok="apart"))[0] == "own key —"
    view = view_of("today", replace(seen, today=Reading(health=Health.SERVER_ERROR)), byok="apart")
    assert (lines(view)[0], view.trouble and view.trouble.text) == ("own key —", "API error")
    assert view_of("today", replace(seen, today=Reading(health=Health.SERVER_ERROR))).trouble is None


def test_old_own_key_cost_fades_alone_and_its_age_is_read_out():
    seen = own_key(snapshot(days=days_back([24]), today={"A": 9}, taken=day_of_samples(48)), "0.5", NOON - timedelta(hours=8))
    view = view_of("today", seen, byok="apart")
    assert "own key ≥ $0.50, 2 h old" in view.text
    assert (view.age, next(block.tone for block in view.blocks if isinstance(block, Line))) == (Age.FRESH, Tone.MUTED)
