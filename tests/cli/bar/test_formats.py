"""The format of each status bar, and that no name is parsed as part of it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.cli.bar.formats import FORMATS
from openbalance_hid.cli.bar.line import BarLine, absent
from tests.cli.command_line import machine, python

PROGRAM = ("/usr/bin/python3", "-m", "openbalance_hid")
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40)


def line(text: str = "$74.25", tone: str = "ink", details: tuple[str, ...] = ("OpenRouter",), **more: object) -> BarLine:
    made: dict[str, object] = {
        "state": "normal",
        "icon": "✓",
        "short": "$74",
        "classes": ("normal", "ok"),
        "account": "default",
    }
    return BarLine(text=text, tone=tone, details=details, **{**made, **more})


def formatted(kind: str, line: BarLine) -> str:
    return FORMATS[kind](line, PROGRAM)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "xbar"])
def test_every_format_except_a_menu_is_one_line(kind: str):
    for each in (line(details=("a", "b")), absent("default")):
        assert len(formatted(kind, each).splitlines()) == 1


def test_plain_is_icon_and_text():
    assert formatted("plain", line()) == "✓ $74.25"


def test_json_has_every_field():
    printed = json.loads(formatted("json", line(balance_usd="74.25", left_percent=74)))
    assert printed == {
        "text": "✓ $74.25",
        "icon": "✓",
        "words": "$74.25",
        "state": "normal",
        "classes": ["normal", "ok"],
        "account": "default",
        "balance_usd": "74.25",
        "usage_usd": None,
        "period": "today",
        "left_percent": 74,
        "urgent": False,
        "tooltip": "OpenRouter",
    }


def test_waybar_gets_text_state_tooltip_classes_and_percentage():
    assert json.loads(formatted("waybar", line("<$0.001", details=("a & b", "c"), left_percent=3))) == {
        "text": "✓ &lt;$0.001",
        "alt": "normal",
        "tooltip": "a &amp; b\nc",
        "class": ["normal", "ok"],
        "percentage": 3,
    }
    assert "percentage" not in json.loads(formatted("waybar", line()))


@given(NAMES)
def test_no_name_is_markup_for_waybar(name: str):
    printed = json.loads(formatted("waybar", line(name, details=(name,))))
    for field, whole in (("text", f"✓ {name}" if name else "✓"), ("tooltip", name)):
        assert "".join(ElementTree.fromstring(f"<markup>{printed[field]}</markup>").itertext()) == whole


def test_polybar_gets_a_colour_and_a_click():
    click = "%{A1:/usr/bin/python3 -m openbalance_hid refresh:}"
    assert formatted("polybar", line()) == click + "✓ $74.25%{A}"
    assert formatted("polybar", line(tone="alarm")) == click + "%{F#ff6b61}✓ $74.25%{F-}%{A}"


@given(NAMES)
def test_no_name_is_a_tag_for_polybar(name: str):
    assert re.findall(r"%\{(.*?)\}", formatted("polybar", line(name, tone="warn"))) == [
        "A1:/usr/bin/python3 -m openbalance_hid refresh:",
        "F#ffb82e",
        "F-",
        "A",
    ]


def test_a_path_with_special_characters_is_quoted_for_polybar():
    tag = FORMATS["polybar"](line(), ("/my apps/py:thon",))
    assert tag.startswith("%{A1:'/my apps/py\\:thon' refresh:}")


def test_i3blocks_gets_the_keys_of_the_i3bar_protocol():
    assert json.loads(formatted("i3blocks", line("<$0.001", tone="alarm", urgent=True))) == {
        "full_text": "✓ <$0.001",
        "short_text": "✓ $74",
        "markup": "none",
        "color": "#ff6b61",
        "urgent": True,
    }


def test_tmux_gets_a_style_and_no_name_is_one():
    assert formatted("tmux", line()) == "✓ $74.25"
    assert formatted("tmux", line("#[x]#(reboot)", tone="warn")) == "#[fg=#ffb82e]✓ ##[x]##(reboot)#[default]"


@given(NAMES)
def test_no_name_is_a_format_for_tmux(name: str):
    shown = formatted("tmux", line(name))
    assert all(len(marks) % 2 == 0 for marks in re.findall("#+", shown))
    assert shown.replace("##", "#") == (f"✓ {name}" if name else "✓")


def test_xbar_gets_a_menu_that_refreshes_and_opens_pages():
    rows = formatted("xbar", line(tone="warn", details=("Balance $1.00",))).splitlines()
    quiet = "emojize=false symbolize=false ansi=false"
    assert rows == [
        f"✓ $74.25 | color=#ffb82e {quiet}",
        "---",
        f"Balance $1.00 | {quiet}",
        "---",
        f"Open activity | href=https://openrouter.ai/activity {quiet}",
        f"Open credits | href=https://openrouter.ai/settings/credits {quiet}",
        f"Open keys | href=https://openrouter.ai/settings/keys {quiet}",
        "---",
        "Refresh | shell=/usr/bin/python3 param1=-m param2=openbalance_hid param3=refresh terminal=false refresh=true " + quiet,
    ]


def test_a_program_with_a_space_in_its_path_starts_from_xbar():
    (refresh,) = [row for row in FORMATS["xbar"](line(), ("/my apps/openbalance-hid",)).splitlines() if "shell=" in row]
    assert shlex.split(refresh.partition("| ")[2])[:2] == ["shell=/my apps/openbalance-hid", "param1=refresh"]


@given(NAMES)
def test_no_name_is_a_parameter_or_a_submenu_of_xbar(name: str):
    rows = formatted("xbar", line(name, details=(name,))).splitlines()
    assert rows[1] == rows[3] == "---"
    assert rows[2].count("|") == 1
    assert not rows[2].startswith("-")


def test_bar_imports_no_library_that_its_line_does_not_need(tmp_path: Path):
    """A bar starts the command every few seconds: each of these imports takes longer than the reply."""
    code = "import sys; import openbalance_hid.cli.bar.bar_command; print(*sys.modules)"
    loaded = python(machine(tmp_path), code).stdout.split()
    heavy = {
        "msgspec",
        "difflib",
        "PIL",
        "StreamDeck",
        "requests",
        "keyring",
        "sqlite3",
        "jeepney",
        "openbalance_hid.tiles.view",
        "rich",
        "openbalance_hid.cli.table",
    }
    assert heavy & set(loaded) == set()
    assert "openbalance_hid.ipc.control_client" in loaded
