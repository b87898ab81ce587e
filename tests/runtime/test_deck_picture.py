"""Pictures without a running daemon: settled sample accounts and whole decks."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import LightTouchKey, Paint, PaintCell, PaintScreen
from openbalance_hid.app.tile_views import TileInputs
from openbalance_hid.config.default_layout import DEFAULT_STRIP
from openbalance_hid.config.schema import AccountConfig, Config, DeckConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.render.draw import draw
from openbalance_hid.render.theme import DARK, LIGHT
from openbalance_hid.runtime.deck_picture import SCALE, body_of, deck_png, new_deck, sample_snapshots, shown
from openbalance_hid.simulator.device.models import OFFERED, model_named
from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.view import KeyFace

AT = datetime(2026, 2, 5, 14, 40, tzinfo=UTC)
MOMENT = Moment(AT, 0.0)
NO_CONFIG, NO_ENTRY = Config(), DeckConfig()
BALANCE_SAYS = {
    "normal": "Balance $74.25",
    "spike": "Balance $52.40",
    "critical": "Balance $31.80",
    "low-balance": "Balance $3.10",
    "negative": "Balance -$2.40",
    "new-account": "Balance $4.60",
    "no-activity": "Balance $10.00",
    "no-prepaid": "Used $118",
    "refund": "Balance $93.58",
    "runaway": "Balance $61.40",
    "activity-down": "Balance $74.24",
    "offline": "Balance: Offline",
    "wrong-key": "Balance: Not a Management key",
    "rejected": "Balance: Key rejected",
    "rate-limited": "Balance: Slow down",
    "server-error": "Balance: API error",
}


def known(scenario="normal", at=AT):
    return sample_snapshots(Config(), {"default": scenario}, at)


def deck(model, config=NO_CONFIG, entry=NO_ENTRY):
    return new_deck(config, entry, model_named(model), MOMENT)


def keys_of(panel, snapshots):
    return [effect.face.view for effect in shown(panel, TileInputs(snapshots), MOMENT, "dark") if isinstance(effect, Paint)]


def picture(model, theme, snapshots):
    png = deck_png(deck(model), TileInputs(snapshots), model_named(model), MOMENT, theme)
    return Image.open(BytesIO(png))


# --- sample accounts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", [name for name, _ in SCENARIOS])
def test_a_scenario_is_pictured_as_its_keys_look_once_things_have_settled(scenario):
    views = keys_of(deck("mini"), known(scenario))
    assert views[0].text.startswith(BALANCE_SAYS[scenario])
    assert not [view.text for view in views if "Tile error" in view.text]


def test_the_same_moment_gives_the_same_account_whatever_the_time_is_now():
    once, again = known("critical"), known("critical")
    assert once == again
    assert known("critical", at=AT + timedelta(days=1)) != once


def test_the_sample_account_lives_by_the_clock_of_the_picture():
    account = known("rejected")["default"]
    assert account.started_at == AT - timedelta(minutes=2)
    assert account.polls == 2
    fresh = known()["default"]
    assert AT - timedelta(minutes=2) <= fresh.credits.measured_at <= AT
    assert abs(fresh.server_skew_s) < 1
    assert fresh.activity.value.newest == AT.date() - timedelta(days=1)


def test_every_account_of_the_configuration_has_a_sample_account_of_its_own():
    config = Config(accounts=FrozenMap({"default": AccountConfig(), "work": AccountConfig(5), "lab": AccountConfig()}))
    snapshots = sample_snapshots(config, {"work": "spike", "lab": "offline"}, AT)
    keys = {
        key: TileConfig("balance", account, options=FrozenMap(TILES["balance"].defaults()))
        for key, account in enumerate(config.accounts)
    }
    entry = DeckConfig(pages=(PageConfig("main", FrozenMap(keys)),))
    texts = [view.text for view in keys_of(deck("mk2", config, entry), snapshots)][: len(keys)]
    assert [each.startswith(words) for each, words in zip(texts, ("Balance $", "Balance $", "Balance: Offline"), strict=True)]
    assert all(name == snapshot.account for name, snapshot in snapshots.items())
    assert snapshots["default"].activity.value != snapshots["work"].activity.value
    assert snapshots["work"].interval_s == 300


# --- whole decks ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def normal():
    return known()


@pytest.mark.parametrize(("theme", "ground"), [("dark", DARK.background), ("light", LIGHT.background)])
@pytest.mark.parametrize("model", [name for name in OFFERED if name != "pedal"])
def test_every_model_is_drawn_in_both_themes_with_its_tiles_on_the_glass(normal, model, theme, ground):
    drawn, row = picture(model, theme, normal), model_named(model)
    assert drawn.width > row.cols * row.key_width * SCALE
    assert drawn.height > row.rows * row.key_height * SCALE
    lit = sum(number for number, colour in drawn.getcolors(1 << 20) if colour == (*ground, 255))
    tiles = sum(bool(view.blocks) for view in keys_of(deck(model), normal))
    assert lit > 0.5 * tiles * row.key_width * row.key_height * SCALE**2


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_key_without_a_tile_looks_in_the_preview_as_on_the_deck(normal, theme):
    """The deck takes its theme from the configuration, a preview may be given another one."""
    keys, model = FrozenMap({0: TileConfig("balance", theme=theme), 2: TileConfig("blank")}), model_named("mini")
    entry = DeckConfig(pages=(PageConfig("main", keys),), rest="blank")
    as_on_deck = deck_png(deck("mini", Config(theme=theme), entry), TileInputs(normal), model, MOMENT)
    assert as_on_deck == deck_png(deck("mini", entry=entry), TileInputs(normal), model, MOMENT, theme)
    empty = keys_of(deck("mini", Config(theme=theme), entry), normal)[1]
    assert draw(KeyFace(empty), 80, 80).getcolors() == [(6400, (0, 0, 0))]


def test_a_pedal_is_its_body_alone_for_it_has_no_displays(normal):
    dark, light = picture("pedal", "dark", normal), picture("pedal", "light", normal)
    assert dark.tobytes() == light.tobytes()
    assert {(*DARK.background, 255), (*LIGHT.background, 255)}.isdisjoint(colour for _, colour in dark.getcolors(1 << 20) or ())
    assert body_of(model_named("pedal")).columns == 3


def test_the_same_values_give_the_same_file(normal):
    model = model_named("neo")
    one, other = (deck_png(deck("neo"), TileInputs(normal), model, MOMENT) for _ in range(2))
    assert one == other


def test_strip_screen_and_touch_keys_show_what_the_daemon_puts_there(normal):
    plus = shown(deck("plus"), TileInputs(normal), MOMENT, "dark")
    assert [effect.face.view.tile for effect in plus if isinstance(effect, PaintCell)] == list(DEFAULT_STRIP[:4])
    second = PageConfig("more", FrozenMap({0: TileConfig("blank")}))
    neo = shown(
        deck("neo", entry=DeckConfig(pages=(PageConfig("main", FrozenMap()), second))), TileInputs(normal), MOMENT, "dark"
    )
    assert [effect.face.view.text[:18] for effect in neo if isinstance(effect, PaintScreen)] == ["OpenRouter balance"]
    assert [(effect.touch_key, effect.text) for effect in neo if isinstance(effect, LightTouchKey)] == [
        (0, "Back to page more"),
        (1, "Forward to page more"),
    ]


@pytest.mark.parametrize("model", ["neo", "plus", "plus-xl"])
def test_the_glass_beside_the_keys_is_lit_in_the_picture(normal, model):
    drawn, row = picture(model, "light", normal), model_named(model)
    panel = row.strip or row.screen
    below = drawn.crop((0, drawn.height - drawn.height // 2, drawn.width, drawn.height))
    lit = sum(number for number, colour in below.getcolors(1 << 20) if colour == (*LIGHT.background, 255))
    assert lit > 0.5 * panel.width * panel.height * SCALE**2
