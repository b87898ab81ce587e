"""Another configuration under the finger, under virtual time: what stays is left alone, what goes fires nothing."""

from decimal import Decimal

from openbalance_hid.app.effects import LogWarning, OpenUrl, Paint, Refresh, Repaint, SetAccounts, SetBrightness
from openbalance_hid.app.events import ConfigRejected, ConfigReloaded, OpenFailed
from openbalance_hid.app.gestures import BOUNCE_S
from openbalance_hid.app.low_limits import low_limit_usd
from openbalance_hid.config.load import parse
from openbalance_hid.config.schema import Config
from openbalance_hid.tiles.view import Flash
from tests.app.test_controller import DECK, Story, healthy

BALANCE_AND_TODAY = """
[[decks]]
brightness = 50
rest = "blank"
[[decks.keys]]
key = 0
tile = "balance"
[[decks.keys]]
key = 1
tile = "today"
"""


def config(text: str) -> Config:
    return parse(text, "config.toml")


def start(text: str) -> Story:
    return Story(config(text), healthy()).plugged()


def test_only_what_has_changed_is_painted_and_lit():
    story = start(BALANCE_AND_TODAY)
    effects = story.tell(ConfigReloaded(config(BALANCE_AND_TODAY.replace('"today"', '"runway"').replace("50", "60"))))
    assert [effect.key for effect in effects if isinstance(effect, Paint)] == [1]
    assert [effect.percent for effect in effects if isinstance(effect, SetBrightness)] == [60]
    assert not any(isinstance(effect, SetAccounts) for effect in effects), "nobody is asked again"


def test_the_same_configuration_only_repaints():
    story = start(BALANCE_AND_TODAY)
    assert story.tell(ConfigReloaded(config(BALANCE_AND_TODAY))) == [Repaint(DECK)]


def test_a_key_that_became_another_fires_nothing_of_the_press_under_way():
    story = start(BALANCE_AND_TODAY)
    story.key(1, True)
    story.tell(ConfigReloaded(config(BALANCE_AND_TODAY.replace('"today"', '"balance"'))))
    story.wait(5)
    story.key(1, False)
    assert story.seen(OpenUrl) == story.seen(Refresh) == []


def test_a_press_on_a_key_that_stays_goes_on():
    story = start(BALANCE_AND_TODAY)
    story.key(0, True)
    story.tell(ConfigReloaded(config(BALANCE_AND_TODAY.replace('"today"', '"runway"'))))
    story.wait(0.1)
    story.key(0, False)
    story.wait(BOUNCE_S)
    assert len(story.seen(OpenUrl)) == 1


def test_another_time_of_a_hold_lets_go_of_every_press():
    story = start(BALANCE_AND_TODAY)
    story.key(0, True)
    story.tell(ConfigReloaded(config("hold_seconds = 0.5\n" + BALANCE_AND_TODAY)))
    story.wait(5)
    story.key(0, False)
    assert story.seen(OpenUrl) == story.seen(Refresh) == []
    story.key(0, True)
    story.wait(0.6)
    assert len(story.seen(Refresh)) == 1


def test_accounts_are_enlisted_and_let_go_and_their_last_words_harm_nobody():
    story = start(BALANCE_AND_TODAY)
    (enlisted,) = [
        each
        for each in story.tell(ConfigReloaded(config("[accounts.work]\nrefresh_minutes = 5\n")))
        if isinstance(each, SetAccounts)
    ]
    assert dict(enlisted.intervals_s) == {"default": 900.0, "work": 300.0}
    assert set(story.controller.snapshots) == {"default", "work"}
    story.tell(ConfigReloaded(Config()))
    story.tell(healthy(account="work"))
    assert set(story.controller.snapshots) == {"default"}


def test_entries_that_no_deck_uses_are_logged_at_each_change():
    story = start(BALANCE_AND_TODAY)
    effects = story.tell(ConfigReloaded(config(f'[[decks]]\nserial = "{DECK}"\n[[decks]]\nserial = "B2"\n')))
    assert [effect.text for effect in effects if isinstance(effect, LogWarning)] == [
        f"decks[1]: no connected deck has the serial number 'B2'; connected: {DECK}"
    ]


def test_a_refused_configuration_is_said_in_the_last_corner_until_a_good_one_comes():
    story = start(BALANCE_AND_TODAY)
    (paint,) = story.tell(ConfigRejected())
    assert (paint.key, paint.face.view.text) == (14, "configuration error, see status")
    assert story.tell(ConfigRejected()) == []
    _, paint = story.tell(ConfigReloaded(config(BALANCE_AND_TODAY)))
    assert (paint.key, paint.face.view.text) == (14, "blank")


def test_a_corner_with_a_tile_keeps_its_value_beside_the_error():
    text = '[[decks]]\n[[decks.keys]]\nkey = 14\ntile = "balance"\n'
    story = start(text)
    (paint,) = story.tell(ConfigRejected())
    assert paint.face.view.text.startswith("Balance $74.25")
    assert paint.face.view.text.endswith(", configuration error, see status")
    assert paint.face.view.trouble is not None


def test_the_highest_low_limit_of_an_accounts_balances_is_the_accounts():
    text = "".join(f'[[decks.keys]]\nkey = {key}\ntile = "balance"\nlow_usd = {usd}\n' for key, usd in ((0, 5), (1, 7.5)))
    assert low_limit_usd(config("[[decks]]\n" + text), "default") == Decimal("7.5")
    assert low_limit_usd(config("[[decks]]\n" + text), "work") is None


def test_a_page_that_could_not_be_opened_is_shown_on_its_key_for_3_s():
    story = start(BALANCE_AND_TODAY)
    story.key(0, True)
    story.key(0, False)
    story.wait(BOUNCE_S)
    (wanted,) = story.seen(OpenUrl)
    (paint,) = story.tell(OpenFailed(wanted.serial, wanted.spot))
    assert (paint.key, paint.face.flash) == (0, Flash.FAILED)
    story.wait(2.9)
    assert story.face(0).flash is Flash.FAILED
    story.wait(0.2)
    assert story.face(0).flash is Flash.NONE
    assert story.tell(OpenFailed("a deck that has gone", 0)) == []
