"""The command tile: what a program prints as a key shows it, and what the key says of a program that fails."""

import json
from datetime import timedelta

import pytest

from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.command import command_of, program_name
from openbalance_hid.tiles.masked import masked
from openbalance_hid.tiles.program_output import MOST_BYTES, CommandState, EndKind, ProgramEnd, ShownOutput, shown_output
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.view import Age, Gauge, Hero, Icon, IconPicture, Line, Notice, TileView, Tone
from tests.build import NOON, snapshot
from tests.tiles.views import hero, lines, notice

SHOW = ("/usr/bin/example", "--secret", "T0PSECRET")


def tile(state: CommandState | None, label: str | None = None, after_s: float = 0, **options: object) -> TileView:
    kind = TILES["command"]
    now = NOON + timedelta(seconds=after_s)
    return kind.view(Scene("command", snapshot(), now, {**kind.defaults(), **options}, label=label, command=state))


def printed(text: str | bytes | dict, exit_code: int = 0, **options: object) -> TileView:
    raw = text if isinstance(text, bytes) else (json.dumps(text) if isinstance(text, dict) else text).encode()
    return tile(CommandState(shown_output(raw), exit_code, NOON), show=SHOW, **options)


def test_the_first_line_is_large_and_the_second_is_below():
    view = printed("21.5 °C\noutside\nignored\n")
    assert (view.title, hero(view).text, lines(view)) == ("example", "21.5 °C", ["outside"])
    assert view.text == "example, 21.5 °C, outside"
    assert printed("x", label="Garden").title == "Garden"
    assert printed("x", label="").title == ""


def test_blank_lines_and_blanks_are_left_out():
    assert shown_output(b"\n \r\n  one \t two\n\nthree") == ShownOutput("one two", "three")
    assert shown_output(b" \n\t\n") is None


def test_of_a_line_that_is_overwritten_the_last_text_is_shown():
    assert shown_output(b"10 %\r50 %\r100 %\r\nready\r\n") == ShownOutput("100 %", "ready")
    assert shown_output(b"\rone\r") == ShownOutput("one")
    assert shown_output(rb'{"text": "one\rtwo"}') == ShownOutput("one", "two")  # scripts for waybar break lines so


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[1;31mred\x1b[0m alert", "red alert"),
        (b"\x1b]0;title\x07text", "text"),
        (b"\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\u202egnp.exe".encode(), "a gnp.exe"),
        (b"bell\x07 nul\x00 back\x08", "bell nul back"),
        (b"\xff\xfe broken", "\ufffd\ufffd broken"),
        (b"key sk-or-v1-0123456789abcdef0123456789", "key sk-or-…"),
        (b"key sk-\x1b[0mor-v1-0123456789abcdef0123456789", "key sk-or-…"),
        (b"x" * 200, "x" * 79 + "…"),
    ],
)
def test_nothing_that_is_printed_gets_past_the_escapes(raw, shown):
    output = shown_output(raw)
    assert output is not None
    assert output.hero == shown
    assert printed(raw).text.isprintable()


def test_waybars_json_has_text_tooltip_class_and_a_gauge():
    view = printed(
        {"text": "42 %\n2 h left", "tooltip": "Battery\n<b>discharging</b>", "class": ["x", "warning"], "percentage": 42}
    )
    assert view.blocks == (Hero("42 %", Tone.WARN), Gauge(0.42, Tone.WARN), Line("2 h left", Tone.MUTED))
    assert view.text == "example, 42 %, 2 h left, Battery · discharging"
    spread = json.dumps({"text": "on", "class": "playing"}, indent=2)
    assert hero(printed(spread)) == Hero("on", Tone.GOOD)


@pytest.mark.parametrize(
    ("found", "output"),
    [
        ({"text": "<span color='#f00'>3 &amp; 4</span> <3"}, ShownOutput("3 & 4 <3")),
        ({"text": 7}, ShownOutput("7")),
        ({"percentage": 70.4}, ShownOutput("70 %", share=0.704)),
        ({"text": "x", "percentage": 250}, ShownOutput("x", share=1.0)),
        ({"text": "x", "percentage": "33"}, ShownOutput("x", share=0.33)),
        ({"text": "x", "percentage": -1}, ShownOutput("x", share=0.0)),
        ({"text": "x", "percentage": True, "class": 5, "tooltip": ["a"]}, ShownOutput("x")),
        ({"text": "x", "percentage": "many", "class": [None, "no such class"]}, ShownOutput("x")),
        ({"text": "x", "tooltip": "more\nlines"}, ShownOutput("x", "more", "more · lines")),
        ({"text": ""}, None),
        ({}, None),
        ({"text": ["x"], "percentage": None}, None),
    ],
)
def test_every_field_of_the_json_may_be_missing_or_wrong(found, output):
    assert shown_output(json.dumps(found).encode()) == output


@pytest.mark.parametrize("text", ["{not json", '{"text": "cut', "[1, 2]", "{" * MOST_BYTES, '{"a": NaN', "1" * 4000])
def test_what_only_looks_like_json_is_text(text):
    output = shown_output(text.encode())
    assert output is not None
    assert output.hero.startswith(text[:9])


def test_a_json_object_that_was_cut_is_not_shown_as_text():
    whole = json.dumps({"text": "21 °C", "tooltip": "x" * MOST_BYTES}).encode()
    assert shown_output(whole) is None
    assert shown_output(b" \n" + json.dumps(json.loads(whole), indent=1).encode()) is None
    assert shown_output(whole.replace(b"x" * 500, b"x", 1)).hero == "21 °C"


def test_infinite_and_huge_percentages_are_no_gauge():
    assert shown_output(b'{"text": "x", "percentage": Infinity}') == ShownOutput("x")
    assert shown_output(b'{"text": "x", "percentage": 1' + b"0" * 400 + b"}") == ShownOutput("x")


@pytest.mark.parametrize(
    ("tone", "code", "found", "expected"),
    [
        ("auto", 0, "x", Tone.INK),
        ("auto", 1, "x", Tone.WARN),
        ("auto", 2, "x", Tone.ALARM),
        ("auto", 2, {"text": "x", "class": "good"}, Tone.GOOD),
        ("exit", 0, {"text": "x", "class": "critical"}, Tone.GOOD),
        ("exit", 1, "x", Tone.WARN),
        ("class", 2, "x", Tone.INK),
        ("class", 0, {"text": "x", "class": "critical"}, Tone.ALARM),
        ("none", 2, {"text": "x", "class": "critical"}, Tone.INK),
    ],
)
def test_the_colour_is_by_class_or_exit_code(tone, code, found, expected):
    assert hero(printed(found, code, tone=tone)).tone is expected


def test_an_exit_code_is_in_words_and_as_a_sign_too():
    view = printed("dirty", 1)
    assert view.trouble == Line("Exit 1", Tone.WARN, Icon.WARNING)
    assert "Exit 1" in view.text
    assert [hero(printed("x", code, tone="exit")).icon for code in (0, 1)] == [Icon.CHECK, Icon.WARNING]
    assert printed("x", 1, tone="none").trouble is None


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (ProgramEnd(EndKind.NOT_FOUND, detail="/x does not exist"), "Not found"),
        (ProgramEnd(EndKind.REFUSED, detail="/x may be written by other users"), "Refused"),
        (ProgramEnd(EndKind.NOT_STARTED, detail="/x cannot be started: exec format error"), "Cannot start"),
        (ProgramEnd(EndKind.TOO_SLOW, detail="/x did not end within 10 s"), "Too slow"),
        (ProgramEnd(EndKind.TOO_LONG), "Too long"),
        (ProgramEnd(EndKind.EXITED, 127), "Exit 127"),
        (ProgramEnd(EndKind.SIGNALLED, 11), "Signal 11"),
    ],
)
def test_a_program_that_failed_has_its_words_and_never_replaces_an_output(end, words):
    view = tile(CommandState(problem=end), show=SHOW)
    assert notice(view) == Notice(Icon.WARNING, words, Tone.WARN)
    assert words in view.text
    assert end.detail in view.text
    view = tile(CommandState(ShownOutput("21.5 °C"), 0, NOON, end), show=SHOW)
    assert (hero(view).text, view.trouble) == ("21.5 °C", Line(words, Tone.WARN, Icon.WARNING))


def test_before_the_first_output_the_key_says_so():
    assert notice(tile(None, show=SHOW)).words == "Not run yet"
    assert notice(tile(CommandState(is_running=True), show=SHOW)).words == "Starting…"
    assert notice(tile(CommandState(problem=ProgramEnd(EndKind.EXITED)), show=SHOW)).words == "No output"


def test_an_output_ages_by_the_interval_of_its_program():
    state = CommandState(ShownOutput("x"), 0, NOON)
    ages = [tile(state, after_s=after_s, show=SHOW, every_seconds=60).age for after_s in (119, 120, 239, 240)]
    assert ages == [Age.FRESH, Age.OLD, Age.OLD, Age.STALE]
    assert tile(state, after_s=59, show=SHOW, every_seconds=1).age is Age.FRESH
    running = CommandState(ShownOutput("x"), 0, NOON, is_running=True)
    assert tile(running, after_s=86400, show=SHOW, watch=True).age is Age.FRESH
    assert "4 m old" in tile(state, after_s=240, show=SHOW).text


def test_a_button_has_its_label_and_icon_and_what_became_of_a_press():
    view = tile(None, "Play", run=SHOW, icon="music")
    assert view.blocks == (Notice(Icon.MUSIC, "Play"),)
    assert notice(tile(None, run=SHOW)).words == "example"
    running = tile(CommandState(is_pressed=True), "Play", run=SHOW)
    assert notice(running).detail == "Running…"
    failed = CommandState(press_problem=ProgramEnd(EndKind.TOO_SLOW, detail="slow"), press_ended_at=NOON)
    assert notice(tile(failed, "Play", run=SHOW)).detail == "Too slow"
    assert "slow" in tile(failed, "Play", run=SHOW).text
    assert notice(tile(failed, "Play", run=SHOW, after_s=601)).detail == ""
    assert tile(failed, "Play", show=SHOW, run=SHOW).trouble == Line("Too slow", Tone.WARN, Icon.WARNING)


def test_a_picture_of_the_user_is_the_icon():
    picture = IconPicture("/x.png", b"x")
    assert notice(tile(None, "x", run=SHOW, icon=picture)).icon is picture
    assert hero(printed("x", icon=picture)).icon is picture


def test_no_argument_of_a_program_is_on_a_key_or_in_its_text():
    for state in (None, CommandState(is_running=True), CommandState(problem=ProgramEnd(EndKind.EXITED, 3))):
        view = tile(state, show=SHOW, run=SHOW)
        assert "T0PSECRET" not in repr(view)
    assert program_name(("/opt/a\x1b[31m/" + "long" * 20,)) == "long" * 5 + "lon…"


def test_amounts_that_a_program_prints_are_masked_like_others():
    view = masked(printed("$12.34\nof $100 today"))
    assert hero(view).text == "$•••"
    assert "12.34" not in repr(view)


def test_tiles_with_the_same_programs_share_them_whatever_their_look():
    options = TILES["command"].defaults()
    one = command_of({**options, "show": SHOW, "icon": "mail", "tone": "exit"})
    assert one == command_of({**options, "show": SHOW})
    assert one != command_of({**options, "show": SHOW, "every_seconds": 5})
