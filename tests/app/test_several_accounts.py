"""Several accounts under one roof: each has its own numbers, its own trouble, its own pace."""

from random import Random

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import FreeQuota, Health, Reading, Snapshot
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Refresh, SetPollInterval
from openbalance_hid.app.events import GestureRequested
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.app.tile_views import TileInputs, views_of
from openbalance_hid.config.schema import AccountConfig, Config, DeckConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.tiles import TILES
from tests.app.test_controller import DECK, Story
from tests.build import NOON, api_key, day_of_samples, days_back, snapshot
from tests.openrouter.virtual import VirtualClock

OURS = [name for name, kind in TILES.items() if kind.has_account]
OF_A_TILE = {"key-switch": FrozenMap({"key_name": "k"})}  # options; it must name a key
BOARD = {
    start + number: TileConfig(name, account=account, options=OF_A_TILE.get(name, FrozenMap()))
    for start, account in ((0, "default"), (len(OURS), "work"))
    for number, name in enumerate(OURS)
}


def known(account: str, **changes) -> Snapshot:
    seen = snapshot(days=days_back([3] * 6), today={"A": 1}, taken=day_of_samples(3), keys=[api_key("k", 1)], account=account)
    return replace(seen, **{"free_quota": Reading(FreeQuota(50, 13, 37), NOON, Health.OK), **changes})


def said(work: Snapshot) -> dict[str, list[str]]:
    views = views_of(BOARD, TileInputs({"default": known("default"), "work": work}), NOON, 0)
    return {
        account: [view.text for key, (view, _) in views.items() if BOARD[key].account == account]
        for account in ("default", "work")
    }


@pytest.mark.parametrize("health", [health for health in Health if health is not Health.OK])
@pytest.mark.parametrize("value", ["kept", "never known"])
def test_the_trouble_of_one_account_is_on_no_tile_of_another(health, value):
    usual = said(known("work"))
    troubled = known("work", health=health) if value == "kept" else snapshot(balance=None, health=health, account="work")
    after = said(troubled)
    assert after["default"] == usual["default"] == usual["work"]
    if value == "never known" or health is not Health.PREPARING:
        assert after["work"] != usual["work"]


def test_a_tile_that_fails_for_one_account_stands_for_the_other():
    after = said(known("work", interval_s=0.0))  # which no account has: every age divides by it
    assert set(after["work"]) == {"Tile error, see the log"}
    assert after["default"] == said(known("work"))["default"]


def two_accounts() -> Story:
    config = Config(
        accounts=FrozenMap({"default": AccountConfig(), "work": AccountConfig(5)}),
        decks=(DeckConfig(pages=(PageConfig("main", FrozenMap(BOARD)),)),),
    )
    story = Story(config, known("default"))
    story.controller = Controller(config, {name: known(name) for name in ("default", "work")}, story.now)
    story.tell(DeckArrived(DECK, "xl", 32))
    return story


@pytest.mark.parametrize("account", ["default", "work"])
def test_a_hold_asks_only_for_the_account_of_its_key(account):
    story = two_accounts()
    key = next(key for key, tile in BOARD.items() if tile.account == account)
    assert [effect.account for effect in story.tell(GestureRequested(key, Gesture.HOLD)) if isinstance(effect, Refresh)] == [
        account
    ]


def test_a_meter_counts_and_hurries_only_its_own_account():
    story = two_accounts()
    keys = {tile.account: key for key, tile in BOARD.items() if tile.tile == "meter"}
    effects = story.tell(GestureRequested(keys["work"], Gesture.TAP))
    assert [effect.account for effect in effects if isinstance(effect, SetPollInterval)] == ["work"]
    assert "running" in story.controller.faces[DECK, keys["work"]].view.text
    assert "a tap starts it" in story.controller.faces[DECK, keys["default"]].view.text


def test_one_account_waits_as_long_as_its_server_asks_and_the_other_goes_on():
    clock = VirtualClock()
    with SampleAccount("rate-limited", 1, clock.utc) as slow, SampleAccount("normal", 2, clock.utc) as well:
        snapshots: dict[str, Snapshot] = {}

        def poller(name: str, sample: SampleAccount, interval_s: float) -> Poller:
            def connect() -> Client:
                return Client(Secret(sample.key), sample.url, utc=clock.utc)

            return Poller(name, connect, interval_s, lambda seen: snapshots.__setitem__(name, seen), clock, Random(1))

        work, default = poller("work", slow, 300), poller("default", well, 900)
        waits = [work.run_cycle(), default.run_cycle()]
        assert waits[0] >= 120, "as Retry-After says"
        assert waits[1] == 900
        assert (snapshots["work"].health, snapshots["default"].health) == (Health.RATE_LIMITED, Health.OK)
        failing = []
        for _ in range(4):
            clock.pass_(300)
            failing.append(work.run_cycle())
        assert default.run_cycle() == 900, "however often the other has failed"
        assert snapshots["default"].health is Health.OK
        slow.set_scenario("normal")
        clock.pass_(max(failing))
        assert work.run_cycle() == 300
        assert snapshots["work"].health is Health.OK
        assert snapshots["work"].credits.value != snapshots["default"].credits.value
