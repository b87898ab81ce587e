"""Alerts about the budget of a UTC month, and about old data: which month and which data they are about."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.account.alert import BudgetLevel
from openbalance_hid.account.snapshot import Health, Reading, Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import SendAlert, SendToSink
from openbalance_hid.app.events import AlertDelivered
from openbalance_hid.ipc.alert_commands import alerts_status
from tests.app.test_alert_outbox import Desk
from tests.build import NOON, day_of_samples, snapshot

BUDGET = '[accounts.default]\nbudget_usd = 100\n[[alerts]]\nurl = "https://a.example/"\non = ["budget", "stale"]\n'
LATE_NOVEMBER = datetime(2026, 11, 28, 12, tzinfo=UTC)


def spending(usd_a_day: int, now: datetime) -> Snapshot:
    days = {now.date() - timedelta(days=age): {"v/a": usd_a_day} for age in range(1, 31)}
    taken = day_of_samples(usd_a_day * 2, now=now, hours=48)
    return snapshot(now, balance=(5000, 100), days=days, taken=taken, started=NOON - timedelta(days=9))


def desk_in_november() -> Desk:
    """Return a desk after the notification that November is over the budget."""
    desk = Desk(BUDGET)
    desk.now = Moment(LATE_NOVEMBER, 1000.0)
    see(desk, spending(5, LATE_NOVEMBER))
    assert desk.seen_by("a.example") == [("began", BudgetLevel.OVER)]
    return desk


def see(desk: Desk, seen: Snapshot) -> list[SendAlert]:
    """Return the notifications on the desktop, all of which are delivered."""
    sent = [each for each in desk.tell(seen) if isinstance(each, SendAlert)]
    for each in sent:
        desk.tell(AlertDelivered(each.alert.key, each.level, True))
    return sent


def later(desk: Desk, now: datetime) -> None:
    desk.now = Moment(now, desk.now.mono_s + (now - desk.now.utc).total_seconds())


def test_a_budget_alert_ends_with_its_month_and_does_not_claim_less_spend():
    desk = desk_in_november()
    december = datetime(2026, 12, 1, 12, tzinfo=UTC)
    later(desk, december)
    (ended,) = see(desk, spending(5, december))
    assert (ended.title, ended.level) == ("OpenRouter: a new month of the budget", 2)
    assert desk.seen_by("a.example") == [("began", BudgetLevel.OVER), ("ended", 2)]


@pytest.mark.parametrize(("usd_a_day", "level"), [(4, BudgetLevel.NEAR), (6, BudgetLevel.OVER)])
def test_the_budget_of_the_next_month_is_an_alert_of_its_own_after_a_long_sleep(usd_a_day: int, level: BudgetLevel):
    desk = desk_in_november()
    december = datetime(2026, 12, 22, 12, tzinfo=UTC)
    later(desk, december)
    (began,) = see(desk, spending(usd_a_day, december))
    assert began.level == level
    assert desk.seen_by("a.example")[1:] == [("began", level)]


def test_a_budget_alert_ends_with_its_month_while_the_new_one_is_not_known():
    desk = desk_in_november()
    december = datetime(2026, 12, 3, 12, tzinfo=UTC)
    later(desk, december)
    unknown = replace(spending(5, december), activity=Reading(health=Health.SERVER_ERROR), samples=())
    assert [each.title for each in see(desk, unknown)] == ["OpenRouter: a new month of the budget"]
    assert desk.open_alerts() == ()


def test_amounts_of_an_alert_have_cents():
    desk = Desk(BUDGET)
    (sent,) = see(desk, spending(5, NOON))
    assert sent.text == "$107.50 of $100.00 of this month (UTC)"


def test_an_alert_over_the_budget_says_that_it_was_more_where_it_is_less_now():
    desk = desk_in_november()
    for usd_a_day, words in ((5, "of $100.00 of this month (UTC)"), (3, "of $100.00 of this month (UTC); it was more before")):
        see(desk, spending(usd_a_day, LATE_NOVEMBER))
        (alert,) = alerts_status(desk.controller, desk.now)["active"]
        assert alert["text"].endswith(words)


def old_days(desk: Desk) -> list[str]:
    """Return the texts of the alert about completed days that are three days old, while the balance is new."""
    seen = spending(5, desk.now.utc)
    reading = Reading(seen.activity.value, desk.now.utc - timedelta(days=3), Health.SERVER_ERROR, "/activity answered 502")
    effects = []
    for _ in range(2):
        effects += desk.tell(replace(seen, activity=reading, credits=replace(seen.credits, measured_at=desk.now.utc)))
        desk.wait(901)
    return [each.notice.text for each in effects if isinstance(each, SendToSink) and each.notice.kind.value == "stale"]


def test_old_data_is_named_by_what_is_old_and_why():
    (text,) = old_days(Desk(BUDGET.replace("100", "100000")))
    assert text.startswith("No new completed days since 2026-11-19 12:00 UTC. /activity answered 502.")


@pytest.mark.parametrize("skew_days", [-2, 2])
def test_a_clock_that_is_days_off_makes_no_data_old(skew_days: int):
    """The instants of answers are by the server's clock."""
    desk = Desk('[[alerts]]\nurl = "https://a.example/"\non = ["stale"]\n')
    served = NOON + timedelta(days=skew_days)
    for _ in range(3):
        seen = spending(5, served)
        desk.tell(replace(seen, server_skew_s=skew_days * 86400.0))
        desk.wait(901)
        served += timedelta(seconds=901)
    assert desk.received == []
