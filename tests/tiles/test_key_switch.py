"""The key-switch tile: state, spend and limit of one key, what a hold does, and which key it is."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.key_switch import SHOWN_FOR, target
from openbalance_hid.tiles.view import Hero, Icon, Tone
from tests.build import NOON, api_key, snapshot
from tests.tiles.views import hero, lines, notice, view_of
from tools.tile_cases import cases_of, face_of_case

KIND = TILES["key-switch"]
CASES = {case.name: case for case in cases_of(KIND)}


def view_of_case(name, **changes):
    return face_of_case(KIND, replace(CASES[name], **changes), "dark").view


@pytest.mark.parametrize(
    ("case", "title", "state", "below"),
    [
        ("on", "laptop", Hero("ON", Tone.GOOD, Icon.CHECK), ["$0.66 today", "Hold to stop"]),
        ("on, limit", "ci", Hero("ON", Tone.GOOD, Icon.CHECK), ["$0.30 today, limit $50.00", "Hold to stop"]),
        ("view only", "laptop", Hero("ON", Tone.GOOD, Icon.CHECK), ["$0.66 today", "view only"]),
        ("stopping", "laptop", Hero("Stopping…", Tone.WARN), ["$0.66 today"]),
        ("starting", "laptop", Hero("Starting…", Tone.WARN), ["$0.66 today"]),
        ("off", "laptop", Hero("OFF", Tone.ALARM, Icon.STOP), ["$0.66 today", "Hold to start"]),
        ("refused", "laptop", Hero("ON", Tone.GOOD, Icon.CHECK), ["Refused", "Hold to stop"]),
        ("not sent", "laptop", Hero("ON", Tone.GOOD, Icon.CHECK), ["Not sent", "Hold to stop"]),
        ("unknown", "laptop", Hero("Unknown", Tone.WARN, Icon.WARNING), ["$0.66 today", "Hold to stop"]),
        ("gone", "laptop", Hero("Gone", Tone.WARN, Icon.WARNING), ["$0.66 today"]),
    ],
)
def test_it_shows_the_state_the_spend_and_what_a_hold_does(case, title, state, below):
    view = view_of_case(case)
    assert (view.title, hero(view), lines(view)) == (title, state, below)


def test_why_a_switch_failed_is_shown_for_ten_minutes():
    assert lines(view_of_case("refused", later=SHOWN_FOR))[0] == "Refused"
    assert lines(view_of_case("refused", later=SHOWN_FOR + timedelta(seconds=1)))[0] == "$0.66 today"


def test_an_expired_key_has_no_hold():
    keys = [replace(api_key("k", 1), disabled=True, expired=True)]
    view = view_of("key-switch", snapshot(keys=keys), key_name="k")
    assert (hero(view).text, lines(view)[1:]) == ("Expired", ["view only"])
    assert target(snapshot(keys=keys), "k", None) is None


def test_a_name_that_no_key_has_or_several_have_switches_nothing():
    twins = [replace(api_key(f"ci {end}", 1), hash=end * 6, given_name="ci") for end in "ab"]
    view = view_of("key-switch", snapshot(keys=twins), key_name="ci")
    assert (notice(view).words, notice(view).detail) == ("2 such keys", "name one")
    assert "ci a, ci b; name one of them" in view.text
    assert notice(view_of("key-switch", snapshot(keys=twins), key_name="none")).words == "No such key"
    assert [target(snapshot(keys=twins), name, None) for name in ("ci", "none")] == [None, None]


def test_a_hash_means_one_key_also_after_it_was_renamed():
    renamed = [replace(api_key("new name", 1), hash="h" * 8), replace(api_key("old name", 1), hash="g" * 8)]
    view = view_of("key-switch", snapshot(keys=renamed), key_name="old name", key_hash="h" * 8)
    assert view.title == "new name"
    assert target(snapshot(keys=renamed), "old name", "h" * 8) == renamed[0]


def test_spend_of_yesterday_is_not_shown_as_that_of_today():
    seen = snapshot(keys=[api_key("k", 1)])
    assert lines(view_of("key-switch", seen, NOON + timedelta(days=1), key_name="k"))[0] == "24 h old"
