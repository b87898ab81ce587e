"""Models by their part of a period, and the two spellings of their names."""

from datetime import timedelta

from openbalance_hid.account.leaders import leaders, providers
from tests.build import NOON, day_of_samples, days_back, samples, snapshot


def test_leaders_add_today_to_the_past_days():
    seen = snapshot(
        days={NOON.date() - timedelta(days=1): {"anthropic/claude-sonnet-4.5": 3, "openai/gpt-5": 2}},
        today={"anthropic/claude-sonnet-4.5": 4, "New One": 1},
    )
    ranked = leaders(seen, "30d", "spend", NOON)
    assert ranked is not None
    assert [(leader.name, leader.spend.usd, leader.share) for leader in ranked] == [
        ("anthropic/claude-sonnet-4.5", 7, 0.7),
        ("openai/gpt-5", 2, 0.2),
        ("New One", 1, 0.1),
    ]


def test_a_refund_beyond_the_spend_takes_nothing_from_the_others():
    seen = snapshot(days={NOON.date() - timedelta(days=1): {"v/refunded": -5, "v/a": 3, "v/b": 1}})
    ranked = leaders(seen, "30d", "spend", NOON)
    assert ranked is not None
    assert [(leader.name, leader.share) for leader in ranked] == [("v/a", 0.75), ("v/b", 0.25), ("v/refunded", 0)]


def test_no_leaders_without_spend_and_none_while_unknown():
    assert leaders(snapshot(days={}), "30d", "spend", NOON) == ()
    assert leaders(snapshot(), "30d", "spend", NOON) is None


def test_leaders_of_today_are_none_while_unknown_and_empty_without_spend():
    assert leaders(snapshot(days=days_back([1])), "today", "spend", NOON) is None
    idle = snapshot(days=days_back([1]), today={}, taken=day_of_samples(0))
    assert leaders(idle, "today", "spend", NOON) == ()
    spent = snapshot(days=days_back([1]), today={}, taken=day_of_samples(28))
    assert leaders(spent, "today", "spend", NOON) is None, "spent, but on what is not reported yet"


def test_what_is_not_reported_by_name_makes_lower_bounds_and_may_change_the_leader():
    taken = day_of_samples(20)  # ten of it today
    far = leaders(snapshot(days={}, today={"v/a": 7, "v/b": 1}, taken=taken), "today", "spend", NOON)
    near = leaders(snapshot(days={}, today={"v/a": 3, "v/b": 2}, taken=taken), "today", "spend", NOON)
    whole = leaders(snapshot(days={}, today={"v/a": 8, "v/b": 2}, taken=taken), "today", "spend", NOON)
    assert [[(each.lower_bound, each.is_certain) for each in found or ()] for found in (far, near, whole)] == [
        [(True, True), (True, False)],
        [(True, False), (True, False)],
        [(False, True), (False, True)],
    ]


def test_parts_of_an_approximate_amount_are_lower_bounds_even_if_they_add_up_to_it():
    midnight = NOON - timedelta(hours=12)
    taken = samples([(midnight - timedelta(minutes=10), 50), (midnight + timedelta(minutes=10), "50.5"), (NOON, 60)])
    far = leaders(snapshot(days={}, today={"v/a": "9.55", "v/b": "0.2"}, taken=taken), "today", "spend", NOON)
    near = leaders(snapshot(days={}, today={"v/a": "5", "v/b": "4.75"}, taken=taken), "today", "spend", NOON)
    assert [[(each.lower_bound, each.is_certain) for each in found or ()] for found in (far, near)] == [
        [(True, True), (True, False)],
        [(True, False), (True, True)],
    ]


def test_providers_include_today():
    days = {NOON.date() - timedelta(days=1): {"p/m": 3}}
    seen = snapshot(days=days, today={"p/m": 2}, taken=day_of_samples(4))
    ranked = providers(seen, "7d", "spend", NOON)
    assert ranked is not None
    assert [(each.name, each.spend.usd, each.lower_bound) for each in ranked] == [("p", 3, True)]
    assert providers(snapshot(), "7d", "spend", NOON) is None
    assert providers(snapshot(days={}), "7d", "spend", NOON) == ()
