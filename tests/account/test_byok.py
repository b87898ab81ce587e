"""Own-key (BYOK) cost: from `/activity` and the analytics query, apart from every amount of credits, unknown never zero."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbalance_hid.account.amount import NOTHING, UNKNOWN, Amount
from openbalance_hid.account.byok import byok_parts, byok_usd, uses_own_keys
from openbalance_hid.account.endpoints import REQUESTED_WITHIN
from openbalance_hid.account.leaders import leaders
from openbalance_hid.account.snapshot import Activity, Health, Reading, Snapshot, Spend, Today
from openbalance_hid.account.spend import used_usd
from openbalance_hid.account.utc_days import PERIOD_DAYS
from tests.build import NOON, api_key, day_of_samples, snapshot, usd

DAY = NOON.date()
YESTERDAY = DAY - timedelta(days=1)
PERIODS = ("today", "7d", "30d", "month", "all")


def cost(credits_usd: Any, own_usd: Any, lower_bound: bool = False) -> Spend:
    return Spend(usd(credits_usd), 1, 10, UNKNOWN if own_usd is None else Amount(usd(own_usd), lower_bound))


def account(
    days: Mapping[date, Mapping[str, Spend]] | None, today: Mapping[str, Spend] | None = None, at: datetime = NOON, **more: Any
) -> Snapshot:
    """Return an account in which each provider has the name of a model."""
    seen = snapshot(at, taken=day_of_samples(1, now=at), **more)
    if days is not None:
        seen = replace(seen, activity=Reading(Activity(days, days), at, Health.OK))
    if today is not None:
        seen = replace(seen, today=Reading(Today(at.date(), today, by_provider=today), at, Health.OK))
    return seen


def shown(amount: Amount) -> tuple[str, Decimal | None]:
    return amount.sign, amount.usd


def test_completed_days_are_added_up_and_today_makes_the_sum_a_lower_bound() -> None:
    days = {YESTERDAY: {"a": cost(1, 2), "b": cost(0, "0.5")}, YESTERDAY - timedelta(days=6): {"a": cost(5, 1)}}
    seen = account({**days, YESTERDAY - timedelta(days=9): {"a": cost(5, 8)}}, {"a": cost(1, "0.25")})
    assert shown(byok_usd(seen, "yesterday", NOON)) == ("", Decimal("2.5"))
    assert shown(byok_usd(seen, "today", NOON)) == ("≥", Decimal("0.25"))
    assert shown(byok_usd(seen, "7d", NOON)) == ("≥", Decimal("3.75"))
    assert shown(byok_usd(seen, "30d", NOON)) == ("≥", Decimal("11.75"))
    assert uses_own_keys(seen, NOON)


@pytest.mark.parametrize("period", PERIODS)
def test_no_amount_of_credits_depends_on_own_key_cost(period: str) -> None:
    without, with_cost = (account({YESTERDAY: {"a": cost(1, own), "b": cost(2, own)}}, {"a": cost(1, own)}) for own in (0, 500))
    assert used_usd(without, period, NOON) == used_usd(with_cost, period, NOON)
    names = [
        [(each.name, each.spend.usd, each.share) for each in leaders(seen, "30d", "spend", NOON) or ()]
        for seen in (without, with_cost)
    ]
    assert names[0] == names[1]


def test_what_no_endpoint_has_is_unknown_and_never_zero() -> None:
    for seen in (account(None), snapshot(), account({YESTERDAY: {"a": cost(1, None)}}, {"a": cost(1, None)})):
        assert [byok_usd(seen, period, NOON).usd for period in (*PERIODS, "yesterday")] == [None] * 6
        assert not byok_parts(seen, "model", "30d", NOON).of("a").is_known
        assert not uses_own_keys(seen, NOON)


def test_a_day_stored_without_it_makes_a_lower_bound_of_the_sum_and_of_its_name() -> None:
    days = {YESTERDAY: {"a": cost(1, 2)}, YESTERDAY - timedelta(days=1): {"a": cost(1, None), "b": cost(1, None)}}
    seen = account(days, {})
    assert shown(byok_usd(seen, "7d", NOON)) == ("≥", Decimal(2))
    parts = byok_parts(seen, "model", "7d", NOON)
    assert (shown(parts.of("a")), shown(parts.of("b")), shown(parts.of("never used"))) == (
        ("≥", Decimal(2)),
        ("", None),
        ("≥", Decimal(0)),
    )


@pytest.mark.parametrize(("hours", "sign"), [(1, "≥"), (12, "")])
def test_a_day_that_is_still_being_published_is_a_lower_bound(hours: int, sign: str) -> None:
    at = datetime(2026, 11, 22, hours, tzinfo=NOON.tzinfo)
    assert shown(byok_usd(account({YESTERDAY: {"a": cost("0.5", 3)}}, at=at), "yesterday", at)) == (sign, Decimal(3))


def test_yesterday_before_it_is_published_is_what_the_analytics_query_had_of_it() -> None:
    at = datetime(2026, 11, 22, 0, 10, tzinfo=NOON.tzinfo)
    read_at = at - timedelta(minutes=40)
    before = Reading(Today(YESTERDAY, {"a": cost(1, "1.5")}), read_at, Health.OK)
    seen = replace(account({YESTERDAY - timedelta(days=1): {"a": cost(1, 4)}}, at=at), yesterday=before)
    assert shown(byok_usd(seen, "yesterday", at)) == ("≥", Decimal("1.5"))
    assert byok_usd(seen, "yesterday", at).measured_at == read_at
    assert shown(byok_usd(seen, "7d", at)) == ("≥", Decimal("5.5"))
    assert shown(byok_parts(seen, "model", "7d", at).of("a")) == ("≥", Decimal("5.5"))


def test_the_larger_of_analytics_and_the_counters_of_the_keys_is_todays() -> None:
    keys = [api_key("x", 1, byok_today_usd=usd(2), byok_usd=usd(30)), api_key("y", 1, byok_today_usd=usd("0.5"))]
    for today, expected in (({"a": cost(1, 1)}, "2.5"), ({"a": cost(1, 3)}, 3), (None, "2.5")):
        assert shown(byok_usd(account({}, today, keys=keys), "today", NOON)) == ("≥", usd(expected))
    assert shown(byok_usd(account({}, keys=keys), "all", NOON)) == ("≥", Decimal(30)), "deleted keys are not in the list"
    later = NOON + timedelta(days=1)
    assert not byok_usd(account({}, keys=keys), "today", later).is_known, "of another day"


def test_its_age_is_that_of_the_answer_although_no_counter_moves() -> None:
    read_at, (_, longest) = NOON - timedelta(hours=9), REQUESTED_WITHIN["today"]
    seen = replace(account({}), today=Reading(Today(DAY, {"a": cost(0, 1)}), read_at, Health.SERVER_ERROR))
    assert byok_usd(seen, "today", NOON).measured_at == read_at + longest


def test_a_query_without_providers_leaves_todays_part_of_a_provider_unknown() -> None:
    seen = account({YESTERDAY: {"a": cost(1, 2)}})
    seen = replace(seen, today=Reading(Today(DAY, {"a": cost(1, 1)}), NOON, Health.OK))
    assert shown(byok_parts(seen, "provider", "7d", NOON).of("a")) == ("≥", Decimal(2))
    assert shown(byok_parts(seen, "model", "7d", NOON).of("a")) == ("≥", Decimal(3))


def test_sums_of_spend_keep_unknown_and_known_parts_apart() -> None:
    known, unknown = cost(1, 2), cost(1, None)
    assert shown((known + unknown).byok) == ("≥", Decimal(2))
    assert not (unknown + unknown).byok.is_known
    assert (known + Spend(usd(1), byok=NOTHING)).byok == Amount(usd(2))
    assert len(PERIOD_DAYS) == 2
