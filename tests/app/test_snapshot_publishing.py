"""What is published, and when: each new snapshot of an account with a key, and all of them when privacy changes."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Origin, Reading
from openbalance_hid.account.spike import SpikeRule
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import AdoptPublish, Publish, SetAccounts
from openbalance_hid.app.events import ConfigReloaded, GestureRequested
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.app.snapshot_publishing import summary_of
from openbalance_hid.config.broker_options import PublishConfig, SourceConfig
from openbalance_hid.config.load import parse
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device_events import DeckArrived
from tests.account.test_burn import with_hours
from tests.build import NOON, day_of_samples, days_back, own_key, snapshot

PUBLISHING = '[publish]\nmqtt = "mqtts://broker.example"\n'
SOURCE = '[accounts.team]\nsource = "mqtts://broker.example/openbalance/team"\n'
NOW = Moment(NOON, 1000.0)


def config(text: str) -> Config:
    return parse(text, "c.toml")


def controller(text: str, *accounts: str) -> Controller:
    found = config(text)
    return Controller(found, {name: snapshot(account=name, polls=0) for name in ("default", *accounts)}, NOW)


def published(effects: list[object]) -> list[Publish]:
    return [effect for effect in effects if isinstance(effect, Publish)]


def test_each_finished_poll_is_published_once_and_nothing_without_publish():
    running = controller(PUBLISHING)
    running.step(snapshot(), NOW)
    (effect,) = published(running.step(snapshot(polls=2), NOW))
    assert (effect.snapshot.polls, effect.masks_names) == (2, False)
    assert published(running.step(replace(snapshot(polls=3), refreshing=True), NOW)) == []
    silent = controller("")
    assert published(silent.step(snapshot(), NOW)) == []


def test_an_account_without_a_key_or_without_any_value_is_not_published():
    running = controller(PUBLISHING + SOURCE, "team")
    running.step(snapshot(), NOW)
    team = replace(snapshot(account="team"), origin=Origin("alpha"))
    assert published(running.step(team, NOW)) == []
    nothing = snapshot(balance=None, health=Health.NO_KEY)
    assert published(running.step(nothing, NOW)) == []
    rejected = snapshot(balance=None, health=Health.KEY_REJECTED)
    assert [each.summary.problem for each in published(running.step(rejected, NOW))] == [True]


def test_the_summary_has_own_key_cost_apart_and_only_where_it_is_known():
    seen = snapshot(days=days_back([5] * 10), taken=day_of_samples(10), today={"A": 1})
    without, with_cost = (summary_of(each, (SpikeRule(),), {}, NOON) for each in (seen, own_key(seen, "0.25")))
    assert (without.byok_today_usd, with_cost.byok_today_usd) == (None, "0.25")
    assert (without.today_usd, without.month_usd) == (with_cost.today_usd, with_cost.month_usd)


def test_the_summary_names_the_amounts_that_are_not_exact():
    exact = snapshot(days=days_back([5] * 30), taken=day_of_samples(10, hours=48))
    assert summary_of(exact, (SpikeRule(),), {}, NOON).lower_bounds == ()
    lagging = own_key(snapshot(days=days_back([5] * 30), today={"A": 1}), "0.25")
    assert summary_of(lagging, (SpikeRule(),), {}, NOON).lower_bounds == ("today_usd", "month_usd", "byok_today_usd")
    rough = summary_of(with_hours(snapshot(taken=())), (SpikeRule(),), {}, NOON)
    assert (rough.burn_usd_per_hour, rough.approximate) == ("3", ("burn_usd_per_hour",))


def test_names_are_masked_from_the_moment_at_which_amounts_are_hidden():
    running = controller(PUBLISHING + '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "privacy"\n')
    running.step(DeckArrived("SIM1", "mk2", 15), NOW)
    running.step(snapshot(), NOW)
    hidden = published(running.step(GestureRequested(0, Gesture.TAP, "SIM1"), NOW))
    assert [each.masks_names for each in hidden] == [True]
    assert [each.masks_names for each in published(running.step(snapshot(polls=2), NOW))] == [True]
    shown = published(running.step(GestureRequested(0, Gesture.TAP, "SIM1"), NOW))
    assert [each.masks_names for each in shown] == [False]


def test_a_changed_configuration_changes_broker_and_sources_and_nothing_else_does():
    running = controller("")
    effects = running.step(ConfigReloaded(config(PUBLISHING + SOURCE)), NOW)
    assert AdoptPublish(PublishConfig("mqtts://broker.example:8883"), ("default",)) in effects
    (accounts,) = [effect for effect in effects if isinstance(effect, SetAccounts)]
    assert accounts.sources == {"team": SourceConfig("mqtts://broker.example:8883/openbalance/team")}
    again = running.step(ConfigReloaded(config(PUBLISHING + SOURCE + "[dim]\non_lock = true\n")), NOW)
    assert not [effect for effect in again if isinstance(effect, AdoptPublish | SetAccounts)]
    assert AdoptPublish(None, ("default",)) in running.step(ConfigReloaded(config("")), NOW)


def test_the_users_word_on_this_desk_comes_before_that_of_the_publisher():
    running = controller(SOURCE + "prepaid = true\n", "team")
    origin = Origin("alpha", prepaid=False, budget_usd=Decimal(50))
    running.step(replace(snapshot(account="team", budget=None), origin=origin), NOW)
    assert running.snapshots["team"].prepaid is True
    assert running.snapshots["team"].budget_usd == 50
    running.step(ConfigReloaded(config(SOURCE)), NOW)
    assert running.snapshots["team"].prepaid is False


def test_no_key_is_switched_and_no_key_trouble_notified_where_the_key_is_not():
    running = controller(SOURCE, "team")
    assert running.accounts.switches.permitted == frozenset()
    remote = replace(snapshot(account="team"), origin=Origin("alpha"))
    running.step(remote, NOW)
    for health in (Health.KEY_REJECTED, Health.NOT_MANAGEMENT_KEY, Health.NO_KEY):
        effects = running.step(replace(remote, health=health, polls=2), NOW)
        assert not [effect for effect in effects if type(effect).__name__ in ("SendAlert", "SendToSink")]


@pytest.mark.parametrize(("health", "words"), [(Health.OFFLINE, "OpenRouter cannot be reached: timed out"), (Health.OK, None)])
def test_the_summary_has_the_numbers_of_the_tiles_and_the_problem_in_words(health: Health, words: str | None):
    known = replace(snapshot(days=days_back([5, 6, 7]), today={"v/model-a": "1.5"}, taken=day_of_samples(24)), health=health)
    known = replace(known, message="timed out" if words else None)
    summary = summary_of(known, (SpikeRule(),), {}, NOON)
    assert (summary.balance_usd, summary.burn_usd_per_hour, summary.problem_text) == ("74.25", "1.00", words)
    assert summary.problem is (words is not None)
    nothing = summary_of(replace(snapshot(balance=None), credits=Reading()), (SpikeRule(),), {}, NOON)
    assert (nothing.balance_usd, nothing.burn_usd_per_hour) == (None, None)
