"""Names that a key has no room for: shortened, but never to the same letters as another name of the account."""

from itertools import combinations

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Reading
from openbalance_hid.render.items import Role, TextItem
from openbalance_hid.render.layout import heading_of, lay_out
from openbalance_hid.tiles.kind import CASE_TIME, CaseAccount
from openbalance_hid.tiles.view import KeyFace
from tests.build import NOON, api_key, days_back, snapshot
from tests.tiles.views import view_of
from tools.tile_cases import NOTHING_KNOWN, snapshot_of

SIDES = (72, 80, 96, 120)
KEYS = (
    ("production-backend-eu-west-1", "production-frontend-eu-west-1"),
    ("production-backend-eu-west-1", "production-backend-us-east-1"),
    ("openbalance test key one", "openbalance test key two", "openbalance test key 2 two"),
    ("customer service bot", "customer service bot (staging)"),
)
MODELS = (
    ("google/gemini-2.5-flash-lite-preview-09-2025", "google/gemini-2.5-flash-preview-09-2025"),
    ("meta-llama/llama-3.1-8b-instruct", "meta-llama/llama-3.1-70b-instruct"),
    ("openai/gpt-4o-2024-08-06", "openai/gpt-4o-2024-11-20"),
    ("qwen/qwen3-235b-a22b-thinking-2507", "qwen/qwen3-30b-a3b-thinking-2507"),
)


def words(view, side, role):
    items = lay_out(view, heading_of(KeyFace(view)), side, side).items
    return [item.text for item in items if isinstance(item, TextItem) and item.role is role]


def names_on(view, side):
    return words(view, side, Role.WORDS)


def account_of_keys(names):
    keys = tuple(api_key(name, "0.5") for name in names)
    return replace(snapshot(), keys=Reading(keys, NOON))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("names", KEYS)
def test_two_keys_never_have_the_same_name_on_a_deck(names, side):
    seen = account_of_keys(names)
    pages = [view_of("api-keys", seen, turn=turn) for turn in range((len(names) + 1) // 2)]
    ranked = [name for page in pages for name in names_on(page, side)]
    alone = [words(view_of("api-keys", seen, key_name=name), side, Role.TITLE)[0] for name in names]
    switches = [words(view_of("key-switch", seen, key_name=name), side, Role.TITLE)[0] for name in names]
    for shown in (ranked, alone, switches):
        assert len(set(shown)) == len(names), shown


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("names", MODELS)
def test_two_models_never_have_the_same_name_on_a_deck(names, side):
    days = {day: dict.fromkeys(names, 1) for day in days_back([1] * 3)}
    shown = names_on(view_of("top-models", snapshot(days=days)), side)
    assert len(set(shown)) == len(names), shown


@pytest.mark.parametrize("side", SIDES)
def test_providers_keep_the_beginning_of_their_name(side):
    names = ("Amazon Bedrock", "Google AI Studio", "Google Vertex (Global)", "DeepInfra (Turbo)")
    days = {day: {f"{name}/m": 4 - place for place, name in enumerate(names)} for day in days_back([1] * 3)}
    pages = [view_of("providers", snapshot(days=days), turn=turn) for turn in range(2)]
    shown = [name for page in pages for name in names_on(page, side)]
    assert all(name.startswith(short.rstrip("…")) for name, short in zip(names, shown, strict=True)), shown
    assert all(one != other for one, other in combinations(shown, 2))


def test_a_long_model_name_loses_its_release_where_it_stays_unique():
    days = {
        day: dict.fromkeys(("google/gemini-2.5-flash-preview-09-2025", "openai/o1-preview"), 1) for day in days_back([1] * 3)
    }
    text = view_of("top-models", snapshot(days=days)).text
    assert "gemini-2.5-flash ≥" in text
    assert "o1-preview ≥" in text, "a short name is whole"


@pytest.mark.parametrize("tile", ["providers", "top-models", "budget", "api-keys"])
def test_the_title_of_a_trouble_is_shortened_in_words(tile):
    """Beside the stripe of an account there is less room."""
    nothing = snapshot_of(CaseAccount(health=Health.KEY_REJECTED, unknown=NOTHING_KNOWN, sampled_h=0))
    view = replace(view_of(tile, nothing, CASE_TIME), stripe=1)
    assert all("…" not in words(view, side, Role.TITLE)[0] for side in SIDES)
