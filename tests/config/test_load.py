"""Parsing `config.toml`: the exact message for each mistake, and only ConfigError for any text."""

import errno
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.config.load import LARGEST_FILE_BYTES, load_config, parse
from openbalance_hid.config.schema import AccountConfig, Config, DialConfig, DimConfig, TileConfig
from openbalance_hid.config.sections import OF_A_PACKAGE
from openbalance_hid.errors import ConfigError
from openbalance_hid.tiles.options import Option

TILES = {
    "balance": (
        Option("show", "choice", "remaining", ("remaining", "used", "percent")),
        Option("low_usd", "decimal", None, minimum=0),
    ),
    "monthly-spend": (Option("bars", "int", 7, minimum=1, maximum=14),),
    "spike-alert": (
        Option("threshold", "float", 3.0, minimum=1.5, maximum=20),
        Option("burst", "bool", True),
    ),
    "page": (Option("to", "text", None, minimum=1, maximum=32),),
    "blank": (),
}
ALL_TILES = "one of 'balance', 'monthly-spend', 'spike-alert', 'page', 'blank'"
OTHERS = f"{ALL_TILES}, or {OF_A_PACKAGE}"


def read(text: str) -> Config:
    return parse(text, "c.toml", TILES)


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as refusal:
        read(text)
    return refusal.value.message


def test_an_empty_file_is_the_default_configuration():
    assert read("") == Config()


def test_every_documented_setting_is_read():
    config = read("""
refresh_minutes = 20
theme = "light"
hold_seconds = 0.5
on_exit = "keep"

[accounts.work]
refresh_minutes = 5

[accounts.idle]

[dim]
after_minutes = 0
to_percent = 5
off_after_minutes = 90
night = "23:00-07:00"

[[decks]]
serial = "A00SA1234567"
brightness = 50

[[decks.keys]]
key = 3
tile = "balance"
show = "used"
low_usd = 5.50
theme = "dark"
account = "work"
label = "Work"

[[decks.pages]]
name = "keys"
[[decks.pages.keys]]
key = 0
tile = "page"
to = "main"

[[decks.dials]]
dial = 1
turn = "brightness"

[decks.strip]
tiles = ["monthly-spend", "blank"]
""")
    assert (config.refresh_minutes, config.theme, config.hold_seconds, config.on_exit) == (20, "light", 0.5, "keep")
    assert config.accounts == {"default": AccountConfig(20), "work": AccountConfig(5), "idle": AccountConfig(20)}
    assert config.dim == DimConfig(0, 5, 90, (time(23), time(7)))
    (deck,) = config.decks
    assert (deck.serial, deck.brightness) == ("A00SA1234567", 50)
    main, keys = deck.pages
    assert main.keys == {3: TileConfig("balance", "work", "dark", "Work", main.keys[3].options)}
    assert main.keys[3].options == {"show": "used", "low_usd": Decimal("5.50")}
    assert (keys.name, keys.keys[0].tile, keys.keys[0].options["to"]) == ("keys", "page", "main")
    assert deck.dials == (DialConfig(1, "brightness", "refresh"),)
    assert [(tile.tile, tile.theme) for tile in deck.strip] == [("monthly-spend", "light"), ("blank", "light")]
    hash(config)


def test_an_amount_of_money_is_read_digit_by_digit():
    config = read("[[decks]]\nkeys = [{key = 0, tile = 'balance', low_usd = 0.10000000000000000000000001}]")
    assert str(config.decks[0].pages[0].keys[0].options["low_usd"]) == "0.10000000000000000000000001"


def test_a_tile_without_options_has_the_defaults_of_its_kind():
    config = read("[[decks]]\n[[decks.keys]]\nkey = 0\ntile = 'spike-alert'")
    options = config.decks[0].pages[0].keys[0].options
    assert options == {"threshold": 3.0, "burst": True}
    assert isinstance(options["threshold"], float)


DECK = "[[decks]]\n"
ACTIONS = (
    "accepted: one of 'credits', 'activity', 'keys', 'logs', 'acknowledge', 'refresh', 'brightness', 'off', 'none',"
    " or 'page:NAME' of this deck"
)
KEY = "[[decks]]\n[[decks.keys]]\nkey = 0\ntile = 'balance'\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("refresh_minuts = 5", "c.toml:1: refresh_minuts: unknown, accepted: accounts, alerts, ca_file, decks, dim,"
         " hold_seconds, metrics, notify, on_exit, publish, refresh_minutes, stale_hours, theme, use_decks;"
         " did you mean 'refresh_minutes'?"),
        ("refresh_minutes = 0", "c.toml:1: refresh_minutes: found 0, accepted: a whole number from 1 to 1440"),
        ("refresh_minutes = 1.5", "c.toml:1: refresh_minutes: found 1.5, accepted: a whole number from 1 to 1440"),
        ("refresh_minutes = true", "c.toml:1: refresh_minutes: found true, accepted: a whole number from 1 to 1440"),
        ("refresh_minutes = '5'", "c.toml:1: refresh_minutes: found '5', accepted: a whole number from 1 to 1440;"
         " write 5 without quotes"),
        ("ca_file = 'proxy.pem'", "c.toml:1: ca_file: found 'proxy.pem', accepted: the absolute path of a file"),
        ("theme = 'drak'", "c.toml:1: theme: found 'drak', accepted: one of 'dark', 'light'; did you mean 'dark'?"),
        ("theme = []", "c.toml:1: theme: found a list, accepted: one of 'dark', 'light'"),
        ("\n\nhold_seconds = nan", "c.toml:3: hold_seconds: found NaN, accepted: a number from 0.3 to 5"),
        ("hold_seconds = inf", "c.toml:1: hold_seconds: found Infinity, accepted: a number from 0.3 to 5"),
        ("hold_seconds = 5.01", "c.toml:1: hold_seconds: found 5.01, accepted: a number from 0.3 to 5"),
        ("on_exit = 1979-05-27", "c.toml:1: on_exit: found 1979-05-27, accepted: one of 'black', 'logo', 'keep'"),
        ("accounts = 1", "c.toml:1: accounts: found 1, accepted: a table"),
        ("[accounts]\nwork = 1", "c.toml:2: accounts.work: found 1, accepted: a table"),
        ("[accounts.Work]", "c.toml:1: accounts.Work: found 'Work', accepted: a name of 1 to 32 letters a to z, digits and"
         " hyphens"),
        ("[accounts.work]\nrefresh = 1", "c.toml:2: accounts.work.refresh: unknown, accepted: allow_key_switch, budget_usd,"
         " notify, prepaid, refresh_minutes, source, source_ca_file, stale_hours; did you mean 'refresh_minutes'?"),
        ("[dim]\nto_percent = 101", "c.toml:2: dim.to_percent: found 101, accepted: a whole number from 0 to 100"),
        ("[dim]\nnight = '24:00-07:00'", "c.toml:2: dim.night: found '24:00-07:00', accepted: two different times of day as"
         " '23:00-07:00'"),
        ("[dim]\nnight = '25:00-7'", "c.toml:2: dim.night: found '25:00-7', accepted: two different times of day as"
         " '23:00-07:00'"),
        ("[dim]\nnight = '07:00-07:00'", "c.toml:2: dim.night: found '07:00-07:00', accepted: two different times of day as"
         " '23:00-07:00'"),
        ("decks = [1]", "c.toml:1: decks[0]: found 1, accepted: [[decks]] tables"),
        (KEY + "tap = 'credit'", f"c.toml:5: decks[0].keys[0].tap: found 'credit', {ACTIONS}; did you mean 'credits'?"),
        (KEY + "hold = 'page:nain'",
         f"c.toml:5: decks[0].keys[0].hold: found 'page:nain', {ACTIONS}; did you mean 'page:main'?"),
        (DECK + "rotate = 45", "c.toml:2: decks[0].rotate: found 45, accepted: one of 0, 90, 180, 270"),
        (DECK + "brightness = 120", "c.toml:2: decks[0].brightness: found 120, accepted: a whole number from 0 to 100"),
        (DECK + "serial = ''", "c.toml:2: decks[0].serial: found '', accepted: a text of 1 to 64 characters"),
        (DECK + "serial = 'A'\n[[decks]]\nserial = 'A'", "c.toml:4: decks[1].serial: found 'A', which decks[0].serial in line 2"
         " uses as well"),
        (DECK + "[[decks.keys]]\ntile = 'blank'", "c.toml:2: decks[0].keys[0].key: missing, accepted: a whole number from 0 to"
         " 255"),
        (DECK + "[[decks.keys]]\nkey = 0", f"c.toml:2: decks[0].keys[0].tile: missing, accepted: {ALL_TILES}"),
        (DECK + "[[decks.keys]]\nkey = -1\ntile = 'blank'", "c.toml:3: decks[0].keys[0].key: found -1, accepted: a whole number"
         " from 0 to 255"),
        (DECK + "[[decks.keys]]\nkey = 0\ntile = 'balence'\nshow = 'used'", "c.toml:4: decks[0].keys[0].tile: found 'balence',"
         f" accepted: {OTHERS}; did you mean 'balance'?"),
        (KEY + "show = 'percnt'", "c.toml:5: decks[0].keys[0].show: found 'percnt', accepted: one of 'remaining', 'used',"
         " 'percent'; did you mean 'percent'?"),
        (KEY + "low_usd = '5'", "c.toml:5: decks[0].keys[0].low_usd: found '5', accepted: a number of at least 0; write 5"
         " without quotes"),
        (KEY + "low_usd = 1e999999999", "c.toml:5: decks[0].keys[0].low_usd: found 1E+999999999, accepted: a number of at least"
         " 0"),
        (KEY + "bars = 7", "c.toml:5: decks[0].keys[0].bars: not a setting of this table; an option of the tile"
         " monthly-spend"),
        (KEY + "account = 'wrok'\n[accounts.work]", "c.toml:5: decks[0].keys[0].account: found 'wrok', accepted: 'default',"
         " 'work' or the NAME of an [accounts.NAME] of this file; did you mean 'work'?"),
        (KEY + "[[decks.keys]]\nkey = 0\ntile = 'blank'", "c.toml:6: decks[0].keys[1].key: found 0, which"
         " decks[0].keys[0].key in line 3 uses as well"),
        (KEY + "[[decks.pages]]\nname = 'main'", "c.toml:6: decks[0].pages[0].name: found 'main', which decks[0].keys in line 2"
         " uses as well"),
        (DECK + "[[decks.pages]]\nname = 'a'\n[[decks.pages]]\nname = 'a'", "c.toml:5: decks[0].pages[1].name: found 'a', which"
         " decks[0].pages[0].name in line 3 uses as well"),
        (DECK + "[[decks.pages]]", "c.toml:2: decks[0].pages[0].name: missing, accepted: a text of 1 to 32 characters"),
        (DECK + "[[decks.keys]]\nkey = 0\ntile = 'page'\nto = 'kees'\n[[decks.pages]]\nname = 'keys'", "c.toml:5:"
         " decks[0].keys[0].to: found 'kees', accepted: one of 'main', 'keys'; did you mean 'keys'?"),
        (DECK + "[[decks.keys]]\nkey = 0\ntile = 'page'", "c.toml:2: decks[0].keys[0].to: missing, accepted: 'main'"),
        (DECK + "[[decks.dials]]\ndial = 0\nturn = 'volume'", "c.toml:4: decks[0].dials[0].turn: found 'volume', accepted: one"
         " of 'period', 'brightness', 'page', 'account'"),
        (DECK + "[[decks.dials]]\ndial = 0\n[[decks.dials]]\ndial = 0", "c.toml:5: decks[0].dials[1].dial: found 0, which"
         " decks[0].dials[0].dial in line 3 uses as well"),
        (DECK + "[decks.strip]\ntiles = ['blank', 'runaway']", "c.toml:3: decks[0].strip.tiles[1]: found 'runaway', accepted:"
         f" {OTHERS}"),
        (DECK + "[decks.strip]\ntiles = 'blank'", "c.toml:3: decks[0].strip.tiles: found 'blank', accepted: a list of texts;"
         ' write ["blank"]'),
        ("theme = [['dark'", "c.toml:1: broken TOML: unclosed array"),
        ("\nrefresh_minutes = " + "9" * 5000, "c.toml:2: a number or key of more than 1000 characters"),
        ("refresh_minutes = 0x" + "f" * 5000, "c.toml:1: a number or key of more than 1000 characters"),
        ("hold_seconds = 1e" + "9" * 900, "c.toml: broken TOML: a value cannot be read"),
        ("x = " + "[" * 5000, "c.toml:1: nested too deeply"),
        (".".join("a" * 20) + " = 1", "c.toml:1: a key of more than 17 dotted names"),
    ],
)  # fmt: skip
def test_each_mistake_is_reported_with_location_and_accepted_values(text: str, message: str):
    found = refused(text)
    # Newer versions of tomllib word two of these differently; ours are the location and the first words.
    if "broken TOML" in message or "nested" in message:
        assert found.startswith(message.split(": broken")[0].split(": nested")[0])
        assert "broken TOML" in found or "nested" in found
        assert "\n" not in found
    else:
        assert found == message


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file():
    message = refused(
        "refresh_minutes = 0\n[[decks]]\nbrightness = 'full'\n[[decks.keys]]\nkey = 'first'\ntile = 'balance'\nsow = 1\n"
        "theme = 'dim'\n[[decks.keys]]\nkey = 0\ntile = 'nothing'\n[dim]\nfade = true"
    )
    assert [line.split(": ")[1] for line in message.splitlines()] == [
        "refresh_minutes",
        "decks[0].brightness",
        "decks[0].keys[0].key",
        "decks[0].keys[0].sow",
        "decks[0].keys[0].theme",
        "decks[0].keys[1].tile",
        "dim.fade",
    ]


def test_more_than_100_mistakes_are_cut_with_a_count():
    lines = refused("".join(f"x{number} = 1\n" for number in range(250))).splitlines()
    assert len(lines) == 101
    assert lines[-1] == "c.toml: and 150 more"


def test_an_api_key_pasted_into_the_file_is_not_repeated():
    message = refused('theme = "sk-or-v1-0123456789abcdef"\nsk-or-v1-0123456789abcdef = 1')
    assert "0123" not in message
    assert message.count("sk-or-…") == 2


def test_control_characters_are_not_repeated():
    message = refused('theme = "\\u001b[2J\\u202e"\n"a\\u001b[2Jb" = 1')
    assert message.replace("\n", "").isprintable()


def test_a_named_page_may_precede_the_page_main():
    config = read("[[decks]]\n[[decks.pages]]\nname = 'one'\n[[decks.pages]]\nname = 'main'")
    assert [page.name for page in config.decks[0].pages] == ["one", "main"]


# --- files ---------------------------------------------------------------------------------------------------------------


def failed(path: Path) -> str:
    with pytest.raises(ConfigError) as refusal:
        load_config(path, TILES)
    return refusal.value.message


def test_no_file_is_the_default_configuration(tmp_path: Path):
    assert load_config(tmp_path / "config.toml", TILES) == Config()


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbftheme = 'light'\r\nhold_seconds = 9\r\n")
    assert failed(file) == f"{file}:2: hold_seconds: found 9, accepted: a number from 0.3 to 5"


def test_text_that_is_not_utf8_is_reported_with_its_line(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_bytes(b"theme = 'dark'\n# caf\xe9\n")
    assert failed(file) == f"{file}:2: not UTF-8 text: byte 0xe9"


def test_a_huge_file_is_not_read(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_bytes(b"#" * (LARGEST_FILE_BYTES + 1))
    assert failed(file) == f"{file}: larger than 128 KiB"


def test_a_directory_or_pipe_instead_of_the_file_is_reported(tmp_path: Path):
    import os

    os.mkfifo(tmp_path / "pipe")
    assert failed(tmp_path) == f"{tmp_path}: not a file"
    assert failed(tmp_path / "pipe") == f"{tmp_path / 'pipe'}: not a file"


@pytest.mark.parametrize("linked", ["config.toml", "."])
def test_a_link_to_nothing_is_reported_and_is_not_the_default_configuration(tmp_path: Path, linked: str):
    link = tmp_path / "c" / linked
    if linked == "config.toml":
        link.parent.mkdir()
    link.symlink_to(tmp_path / "unmounted")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c" / "config.toml")
    name = "it" if linked == "config.toml" else str(link)
    assert caught.value.message == (
        f"{tmp_path / 'c' / 'config.toml'}: cannot be read: {name} is a link to {tmp_path / 'unmounted'}, which does not exist"
    )
    assert caught.value.hint == f"ls -l {link}"


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path):
    loop = tmp_path / "config.toml"
    loop.symlink_to(loop)
    assert "cannot be read" in failed(loop)


# --- any text ------------------------------------------------------------------------------------------------------------

LINES = st.sampled_from(
    """
[[decks]] | [[decks.keys]] | [[decks.pages]] | [decks.strip] | [dim] | [accounts.work] | key = 0 | tile = 'page'
tile = 'balance' | to = 'main' | name = 'main' | name = 1 | tiles = ['blank', 1] | theme = {} | key = 'x'
decks = 3 | a.b.c = 1 | accounts = []
dim.night = '1' | low_usd = 1e-400 | serial = '\\u202e' | x = [[[{a=1}]]]
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)


@given(st.one_of(st.text(), st.lists(LINES, max_size=12).map("\n".join)))
def test_any_text_is_a_configuration_or_raises_config_error(text: str):
    try:
        config = read(text)
    except ConfigError as refusal:
        assert refusal.message.startswith("c.toml")
    else:
        assert "default" in config.accounts


@pytest.mark.parametrize(("number", "whole"), [("[metrics]\nlisten = {}", "9469"), ("[dim]\nnight = {}", "23")])
def test_a_number_for_a_text_with_a_form_shows_an_example_that_is_accepted(number: str, whole: str):
    """A number in quotes would be refused as well."""
    with pytest.raises(ConfigError) as refused:
        parse(number.format(whole), "c.toml")
    problem, example = refused.value.message.split("; for example ")
    assert f"found {whole}" in problem
    parse(number.format(example), "c.toml")


def test_a_folder_that_macos_protects_is_named_with_its_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "Documents/config.toml"
    file.parent.mkdir()
    file.write_text("notify = true\n")

    def refuse(path: Path, *_: object) -> None:  # EPERM of open(2), where stat(2) is permitted: a folder of "Files and Folders"
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(ConfigError, match="macOS does not permit this program to read it") as error:
        load_config(file)
    assert error.value.hint == 'open "x-apple.systempreferences:com.apple.preference.security?Privacy_AllFiles"'
