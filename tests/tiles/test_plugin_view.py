"""What a package may return, what reaches a key of it, and the interface that it finds."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from openbalance_hid.account.snapshot import Health
from openbalance_hid.render.draw import draw
from openbalance_hid.tiles import interface
from openbalance_hid.tiles.interface import Bars, Figure, Gauge, Hero, Icon, Line, Option, Row, Scene, Tile, TileView, Tone
from openbalance_hid.tiles.plugin import PluginTile, PluginTrouble, declared
from openbalance_hid.tiles.plugin_view import PluginResult, checked_view, plugin_scene, plugin_view
from openbalance_hid.tiles.scene import Scene as OwnScene
from openbalance_hid.tiles.view import Age, KeyFace, Notice
from tests.build import NOON
from tests.tiles.views import FULL

TILE = PluginTile("hello", "hello-tile 1.0")
HUGE = "x" * 1_000_000


class Strange(str):
    __slots__ = ()


class OwnHero(Hero, frozen=True):
    pass


def own_scene(**more: object) -> OwnScene:
    return replace(OwnScene("hello", FULL, NOON), **more)


def shown(view: TileView, tile: PluginTile = TILE, **more: object):
    return plugin_view(own_scene(**more), tile, PluginResult(checked_view(view)))


def test_version_1_of_the_interface_has_these_names_and_fields():
    """Change this only together with INTERFACE_VERSION: packages of others rely on it."""
    types = (Scene, TileView, Tile, Hero, Figure, Line, Row, Bars, Gauge, interface.Amount)
    found = {kind.__name__: " ".join(field.name for field in fields(kind)) for kind in types}
    assert interface.INTERFACE_VERSION == 1
    assert found == {
        "PluginScene": "now options turn account health balance spend",
        "PluginView": "title blocks text attention",
        "Tile": "interface help view options tap shows_account every_seconds",
        "Hero": "text tone icon",
        "Figure": "heading text tone",
        "Line": "text tone icon strong shorten variants",
        "Row": "name amount share tone note column is_note_in_bar",
        "Bars": "shares tones line inexact",
        "Gauge": "share tone mark",
        "Amount": "usd lower_bound approximate measured_at low_usd",
    }
    assert [field.name for field in fields(Option)] == ["name", "kind", "default", "choices", "minimum", "maximum", "help"]
    names = "INTERFACE_VERSION Amount Bars Figure Gauge Hero Icon Line Option Row Scene Tile TileView Tone money"
    assert set(interface.__all__) == set(names.split())
    icons = "check warning up down level refresh key offline clock fuel lock cloud hourglass bug page play stop eye eye-off"
    icons += " bell home light mail microphone music pause power terminal"
    assert " ".join(icon.value for icon in Icon) == icons
    assert " ".join(Tone) == "ink muted good warn alarm accent"


def test_a_scene_has_plain_values_and_nothing_of_the_program():
    scene = plugin_scene(own_scene(options={"zone": None}, turn=3))
    assert (scene.now, scene.turn, scene.account, scene.health) == (NOON, 3, "default", "ok")
    assert (scene.balance.usd, scene.spend["30d"].usd is not None) == (Decimal("74.25"), True)
    assert set(scene.spend) == {"today", "7d", "30d", "month", "all"}
    with pytest.raises(TypeError):
        scene.spend["today"] = None  # type: ignore[index]
    with pytest.raises(TypeError):
        scene.options["zone"] = "UTC"  # type: ignore[index]


@pytest.mark.parametrize(
    "found",
    [
        None,
        "text",
        TileView,
        TileView(HUGE),
        TileView(text=HUGE),
        TileView(Strange("title")),
        TileView(title=7),  # type: ignore[arg-type]
        TileView(attention="yes"),  # type: ignore[arg-type]
        TileView(blocks="blocks"),  # type: ignore[arg-type]
        TileView(blocks={}),  # type: ignore[arg-type]
        TileView(blocks=(Hero("x"),) * 1_000_000),
        TileView(blocks=("hero",)),  # type: ignore[arg-type]
        TileView(blocks=(Notice(Icon.BUG, "Offline"),)),  # type: ignore[arg-type]
        TileView(blocks=(OwnHero("x"),)),
        TileView(blocks=(Hero(HUGE),)),
        TileView(blocks=(Hero(None),)),  # type: ignore[arg-type]
        TileView(blocks=(Hero("x", tone="pink"),)),  # type: ignore[arg-type]
        TileView(blocks=(Hero("x", icon="check!"),)),  # type: ignore[arg-type]
        TileView(blocks=(Line("x", variants=("y",) * 1_000),)),
        TileView(blocks=(Line("x", variants=(HUGE,)),)),
        TileView(blocks=(Line("x", variants=7),)),  # type: ignore[arg-type]
        TileView(blocks=(Gauge(float("nan")),)),
        TileView(blocks=(Gauge("half"),)),  # type: ignore[arg-type]
        TileView(blocks=(Bars((0.5,) * 1_000),)),
        TileView(blocks=(Bars(0.5),)),  # type: ignore[arg-type]
        TileView(blocks=(Bars((float("nan"),)),)),
        TileView(blocks=(Bars((0.5,), inexact=("yes",)),)),  # type: ignore[arg-type]
        TileView(blocks=(Bars((0.5,), inexact=(True,) * 1_000),)),
    ],
)
def test_nonsense_and_too_much_are_refused_in_one_line(found):
    with pytest.raises(ValueError, match=r"^[^\n]{5,400}$"):
        checked_view(found)


def test_what_is_nearly_right_is_put_right():
    view = TileView("a\nb", [Hero("1\x1b[2J2"), Gauge(7), Bars([2.0, -1, None])], "x\u202ey")  # type: ignore[arg-type]
    assert checked_view(view) == TileView("a b", (Hero("1 [2J2"), Gauge(1.0), Bars((1.0, 0.0, None))), "x y")


def test_an_api_key_that_a_package_returns_is_masked_in_every_text():
    key = "sk-or-v1-0123456789abcdef0123456789abcdef"
    view = shown(TileView(key, (Hero(key), Row("name", key), Line("x", variants=(key,))), f"a key: {key}"))
    assert "0123456789" not in repr(view)


def test_a_label_replaces_the_title_and_words_are_made_where_a_package_gives_none():
    view = shown(TileView("Title", (Hero("5"), Row("name", "$1"), Figure("Left", "$2"))), label="Mine")
    assert (view.title, view.text) == ("Mine", "Mine 5 name $1 Left $2")


def test_a_tile_that_shows_amounts_ages_and_shows_the_trouble_of_its_account():
    tile = replace(TILE, shows_account=True)
    old = shown(TileView("T", (Hero("$1"),)), tile, now=NOON.replace(hour=23))
    assert (old.age, "old" in old.text) == (Age.STALE, True)
    offline = replace(FULL, health=Health.OFFLINE)
    assert shown(TileView("T", (Hero("$1"),)), tile, snapshot=offline).trouble.text == "Offline"
    unknown = replace(offline, credits=replace(FULL.credits, value=None))
    assert "Offline" in shown(TileView("T", (Hero("—"),)), tile, snapshot=unknown).text
    assert shown(TileView("T", (Hero("12:00"),)), snapshot=offline).trouble is None


@pytest.mark.parametrize("trouble", PluginTrouble)
def test_each_trouble_has_words_on_the_key_with_the_name_of_the_tile(trouble):
    by_result = plugin_view(own_scene(), TILE, PluginResult(trouble=trouble))
    by_package = plugin_view(own_scene(), replace(TILE, trouble=trouble), None)
    assert by_result == by_package
    assert by_result.title == "hello"
    assert isinstance(by_result.blocks[0], Notice)


texts = st.text(max_size=30)
tones, icons, shares = st.sampled_from(Tone), st.sampled_from(Icon), st.floats(allow_nan=False)
blocks = st.one_of(
    st.builds(Hero, texts, tones, st.none() | icons),
    st.builds(Figure, texts, texts, tones),
    st.builds(Line, texts, tones, st.none() | icons, st.booleans(), variants=st.lists(texts, max_size=3).map(tuple)),
    st.builds(Row, texts, texts, st.none() | shares, tones, texts, st.lists(texts, max_size=3).map(tuple)),
    st.builds(Bars, st.lists(st.none() | shares, max_size=20).map(tuple), st.just(()), st.none() | shares),
    st.builds(Gauge, shares, tones, st.none() | shares),
)


@settings(max_examples=30)
@given(st.builds(TileView, texts, st.lists(blocks, max_size=6).map(tuple), texts, st.booleans()), st.booleans())
def test_whatever_a_package_returns_a_key_can_be_drawn(view, shows_account):
    face = KeyFace(shown(view, replace(TILE, shows_account=shows_account)))
    assert draw(face, 72, 72).size == (72, 72)


@pytest.mark.parametrize(
    ("fields_", "words"),
    [
        ({"view": "view"}, "not a function"),
        ({"help": None}, "help"),
        ({"help": HUGE}, "help"),
        ({"tap": "page:main"}, "tap"),
        ({"tap": []}, "tap"),
        ({"shows_account": 1}, "shows_account"),
        ({"every_seconds": 0}, "every_seconds"),
        ({"every_seconds": True}, "every_seconds"),
        ({"options": None}, "options"),
        ({"options": ("zone",)}, "not an Option"),
        ({"options": (Option("account", "text", None),)}, "may not be named"),
        ({"options": (Option("Zone 1", "text", None),)}, "may not be named"),
        ({"options": (Option("a", "text", None), Option("a", "text", None))}, "twice"),
        ({"options": (Option("a", "date", None),)}, "unknown kind"),  # type: ignore[arg-type]
        ({"options": (Option("a", "choice", None),)}, "no choices"),
        ({"options": (Option("a", "int", None, minimum="1"),)}, "bounds"),  # type: ignore[arg-type]
        ({"options": (Option("a", "choice", None, choices=["a"]),)}, "tuple of texts"),  # type: ignore[arg-type]
        ({"options": (Option("a", "choice", None, choices=("\x1b[31m",)),)}, "printable"),
        ({"options": (Option("a", "choice", None, choices=("",)),)}, "printable"),
        ({"options": (Option("a", "choice", None, choices=tuple(map(str, range(1000)))),)}, "at most 64 texts"),
        *(
            ({"options": (Option("a", "text", None, **{end: bound}),)}, "bounds")
            for end in ("minimum", "maximum")
            for bound in (Decimal("NaN"), Decimal("sNaN"), math.nan, math.inf, Decimal("1e999999"), 10**5000, True)
        ),
        ({"options": (Option("a", "text", HUGE),)}, "default"),
        ({"options": (Option("a", "text", Strange("x")),)}, "default"),
    ],
)
def test_a_wrong_declaration_is_refused_in_words(fields_, words):
    right = {"interface": 1, "help": "a test", "view": lambda scene: TileView()}
    assert declared("x", "p 1", Tile(**right)).trouble is None
    found = declared("x", "p 1", Tile(**{**right, **fields_}))
    assert found.trouble is PluginTrouble.NOT_LOADED
    assert words in found.problem


@pytest.mark.parametrize("version", [0, 2, "1", None, True, 1.5])
def test_another_version_of_the_interface_is_refused(version):
    found = declared("x", "p 1", Tile(interface=version, help="a test", view=lambda scene: TileView()))
    assert found.trouble is PluginTrouble.WRONG_VERSION
