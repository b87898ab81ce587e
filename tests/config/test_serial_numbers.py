"""Serial numbers in the configuration: case and blanks do not matter, either may be the end of the other."""

import pytest

from openbalance_hid.config.load import parse
from openbalance_hid.config.schema import Config
from openbalance_hid.config.serial_numbers import is_same_serial
from openbalance_hid.errors import ConfigError


@pytest.mark.parametrize("given", ["A00SA1234567", "a00sa1234567", " A00 SA1234567\t", "SA1234567", "4567", "XYZ-A00SA1234567"])
def test_case_and_blanks_do_not_matter_and_an_end_is_enough(given: str):
    assert is_same_serial("A00SA1234567", given)


@pytest.mark.parametrize(
    ("deck", "given"), [("A00SA1234567", "A00SA"), ("A00SA1234567", " "), ("", "A00SA1234567"), ("A1", "B1")]
)
def test_another_serial_number_is_another_deck(deck: str, given: str):
    assert not is_same_serial(deck, given)


def test_an_entry_is_found_by_case_and_blanks_too():
    config = parse("[[decks]]\nserial = 'a00 sa1234567'\nbrightness = 33\n[[decks]]\nbrightness = 44\n", "c.toml")
    assert config.deck_for("A00SA1234567").brightness == 33
    assert config.deck_for("SA1234567").brightness == 33, "as the library reports some models"
    assert config.deck_for("OTHER").brightness == 44


def test_entries_and_decks_that_do_not_fit_are_named():
    config = parse("[[decks]]\nserial = 'A1'\n[[decks]]\nserial = 'B2'\n", "c.toml")
    assert config.misfits(["A1", "B2"]) == []
    assert config.misfits(["A1", "C3"]) == [
        "decks[1]: no connected deck has the serial number 'B2'; connected: A1, C3",
        "deck C3: no [[decks]] has its serial number; it shows the default tiles",
    ]
    assert config.misfits([]) == [
        "decks[0]: no connected deck has the serial number 'A1'; no deck is connected",
        "decks[1]: no connected deck has the serial number 'B2'; no deck is connected",
    ]


def test_the_same_serial_number_goes_before_the_end_of_another():
    config = parse("[[decks]]\nserial = 'b1'\nbrightness = 33\n[[decks]]\nserial = 'x b1'\nbrightness = 44\n", "c.toml")
    assert (config.deck_for("B1").brightness, config.deck_for("XB1").brightness) == (33, 44)
    assert config.misfits(["B1", "XB1"]) == []
    assert config.misfits(["XB1"]) == ["decks[0]: 'b1' fits deck XB1, which uses decks[1]"]


@pytest.mark.parametrize("second", ["b2", " B2 ", "B 2"])
def test_two_entries_with_the_same_serial_number_but_for_case_and_blanks_are_refused(second: str):
    with pytest.raises(ConfigError, match=r"decks\[1\].serial: found .*, which decks\[0\].serial in line 2 uses as well"):
        parse(f"[[decks]]\nserial = 'B2'\n[[decks]]\nserial = '{second}'\n", "c.toml")


@pytest.mark.parametrize("text", ["", "[[decks]]\n"])
def test_without_a_serial_number_every_deck_fits(text: str):
    assert parse(text, "c.toml").misfits(["A1"]) == []


def test_with_named_decks_only_a_deck_without_an_entry_is_left_to_other_software():
    config = parse('use_decks = "named"\n[[decks]]\nserial = "a1"\n', "c.toml")
    assert (config.uses("A1"), config.uses("C3")) == (True, False)
    assert config.misfits(["A1", "C3"]) == [
        'deck C3: no [[decks]] has its serial number; it is left to other software (use_decks = "named")'
    ]


def test_an_entry_without_a_serial_number_that_is_never_used_is_named():
    config = parse("[[decks]]\n[[decks]]\nserial = 'a1'\n[[decks]]\nbrightness = 20\n", "c.toml")
    assert config.misfits(["A1"]) == ["decks[2]: never used: decks[0] has no serial number either"]
    config = parse('use_decks = "named"\n[[decks]]\nbrightness = 20\n', "c.toml")
    assert not config.uses("A1")
    assert config.misfits(["A1"]) == [
        'decks[0]: never used: it has no serial number, and use_decks is "named"',
        'deck A1: no [[decks]] has its serial number; it is left to other software (use_decks = "named")',
    ]


def test_an_entry_without_a_serial_can_leave_all_other_decks():
    config = parse('[[decks]]\nuse = false\n[[decks]]\nserial = "a1"\n', "c.toml")
    assert (config.uses("A1"), config.uses("C3")) == (True, False)
    assert Config().uses("C3")


def test_the_option_under_the_name_of_the_tables_is_suggested_with_its_own():
    for text in ('decks = "named"\n', 'decks = "named"\ntheme = "light"\n'):
        with pytest.raises(ConfigError) as refused:
            parse(text, "c.toml")
        (line,) = refused.value.message.splitlines()
        assert line == "c.toml:1: decks: found 'named', accepted: [[decks]] tables; write use_decks = \"named\""
