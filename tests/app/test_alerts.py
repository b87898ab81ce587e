"""When the desktop shows a low balance, or a key that no longer works: once each time, over restarts, never unasked."""

from __future__ import annotations

from msgspec.structs import replace

from openbalance_hid.account.alert import Alert, AlertKind, BalanceLevel
from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.app.effects import SendAlert, Store
from openbalance_hid.app.events import AlertDelivered, ConfigReloaded, GestureRequested, HistoryLoaded
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.config.load import parse
from openbalance_hid.tiles.actions import WebPage
from tests.app.test_controller import Story
from tests.build import NOON, days_back, snapshot

TILE = '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "balance"\nlow_usd = 10\n'


KNOWN = Alert(AlertKind.BALANCE, "default", BalanceLevel.LOW, NOON, notified=BalanceLevel.LOW)  # from before a restart


def left(usd: float, **changes) -> Snapshot:
    return replace(snapshot(balance=(100, 100 - usd)), **changes)


def begun(text: str = TILE) -> Story:
    return Story(parse(text, "config.toml"), left(50)).plugged()


def warnings(effects: list) -> list[SendAlert]:
    return [effect for effect in effects if isinstance(effect, SendAlert)]


def said(warning: SendAlert, delivered: bool = True) -> AlertDelivered:
    return AlertDelivered(warning.alert.key, warning.level, delivered)


def hear(story: Story, seen: Snapshot) -> list[str]:
    """The titles of the notifications on the desktop."""
    found = warnings(story.tell(seen))
    for warning in found:
        story.tell(said(warning))
    return [warning.title for warning in found]


def test_a_balance_is_told_once_at_each_step_down_and_anew_after_it_was_filled():
    story = begun()
    assert hear(story, left(10)) == []
    assert hear(story, left(9)) == ["OpenRouter: balance low"]
    assert hear(story, left(8)) == hear(story, left(9)) == []
    assert hear(story, left(1)) == ["OpenRouter: balance very low"]
    assert hear(story, left(5)) == [], "a refund is not the end of it"
    assert hear(story, left(-1)) == ["OpenRouter: balance below zero"]
    assert hear(story, left(60)) == ["OpenRouter: balance is no longer low"]
    assert hear(story, left(60)) == []
    assert hear(story, left(9)) == ["OpenRouter: balance low"]


def test_it_says_how_much_is_left_and_its_button_opens_the_credits():
    (warning,) = warnings(begun().tell(left(4)))
    assert (warning.text, warning.page, warning.urgent) == ("$4.00 left; your limit is $10.00", WebPage.CREDITS, False)
    assert warnings(begun().tell(left(1)))[0].urgent


def test_no_amount_is_told_while_amounts_are_masked():
    story = begun(TILE + '[[decks.keys]]\nkey = 1\ntile = "privacy"\n')
    story.tell(GestureRequested(1, Gesture.TAP))
    (warning,) = warnings(story.tell(left(4)))
    assert "$" not in warning.title + warning.text


def test_what_the_desktop_did_not_show_is_tried_again_and_not_while_it_is_being_told():
    story = begun()
    (warning,) = warnings(story.tell(left(4)))
    assert warnings(story.tell(left(3))) == []
    story.tell(said(warning, delivered=False))
    assert [each.record.notified for each in story.seen(Store)] == [BalanceLevel.NORMAL]
    (again,) = warnings(story.tell(left(3)))
    story.tell(said(again))
    last = story.seen(Store)[-1].record
    assert (last.kind, last.level, last.notified) == (AlertKind.BALANCE, BalanceLevel.LOW, BalanceLevel.LOW)


def test_an_outage_neither_ends_a_concern_nor_tells_one():
    story = begun()
    assert hear(story, left(4)) == ["OpenRouter: balance low"]
    assert hear(story, left(4, health=Health.OFFLINE)) == []
    assert hear(story, left(4)) == []


def test_a_key_that_no_longer_works_is_told_with_what_mends_it():
    story = begun()
    refused = left(50, health=Health.KEY_REJECTED, message="/credits answered 401: User not found.")
    (warning,) = warnings(story.tell(refused))
    assert (warning.title, warning.page) == ("OpenRouter: Key rejected", WebPage.MANAGEMENT_KEYS)
    assert warning.text == "/credits answered 401: User not found. To fix it: openbalance-hid setup"
    story.tell(said(warning))
    assert hear(story, refused) == []
    assert hear(story, left(50, health=Health.OFFLINE)) == hear(story, refused) == []
    assert hear(story, left(50, health=Health.NO_KEY)) == ["OpenRouter: Set up"]
    assert hear(story, left(50)) == ["OpenRouter: the key works again"]
    assert hear(story, refused) == ["OpenRouter: Key rejected"]


def test_another_account_is_named_in_words_and_in_the_command():
    story = Story(parse("[accounts.work]\n", "c"), left(50)).plugged()
    story.controller.snapshots["work"] = left(50, account="work")
    (warning,) = warnings(story.tell(left(50, account="work", health=Health.KEY_REJECTED)))
    assert warning.title == "OpenRouter: Key rejected (work)"
    assert warning.text.endswith("openbalance-hid setup --account work")


def test_a_restart_is_silent_about_what_was_told_and_tells_what_got_worse_meanwhile():
    for usd, titles in ((4, []), (1, ["OpenRouter: balance very low"])):
        story = begun()
        before = story.controller.snapshots["default"]
        story.tell(HistoryLoaded("default", before.started_at, (KNOWN,)))
        assert hear(story, left(usd)) == titles
    story = begun()
    story.tell(HistoryLoaded("default", NOON, (KNOWN,)))  # of other snapshots
    assert hear(story, left(4)) == ["OpenRouter: balance low"]


def test_another_account_under_the_name_begins_without_concerns():
    story = begun()
    hear(story, left(4))
    assert hear(story, left(4, started_at=NOON)) == ["OpenRouter: balance low"]


def test_an_owner_who_wants_no_notification_gets_none_by_tile_account_or_house():
    for text in (TILE + "notify = false\n", "[accounts.default]\nnotify = false\n" + TILE, "notify = false\n" + TILE):
        assert hear(begun(text), left(4)) == []
    refused = left(50, health=Health.KEY_REJECTED)
    assert hear(begun(TILE + "notify = false\n"), refused) == ["OpenRouter: Key rejected"], "a tile speaks for its number"
    assert hear(begun("notify = false\n" + TILE), refused) == []
    assert hear(begun("notify = false\n[accounts.default]\nnotify = true\n" + TILE), refused) == ["OpenRouter: Key rejected"]


def test_without_a_limit_in_the_file_a_balance_is_low_by_its_runway():
    story = begun("")
    assert hear(story, left(50, activity=snapshot(days=days_back([2] * 10)).activity)) == []
    assert hear(story, left(13, activity=snapshot(days=days_back([2] * 10)).activity)) == ["OpenRouter: balance low"]


def test_with_the_limit_off_there_is_no_low_balance_until_the_user_sets_one():
    story = begun(TILE.replace("10", '"off"'))
    assert hear(story, left(-5)) == []
    story.tell(ConfigReloaded(parse(TILE, "c")))
    assert hear(story, left(-5)) == ["OpenRouter: balance below zero"]
