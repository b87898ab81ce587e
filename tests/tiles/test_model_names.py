"""Short names of models: short, unique in the account, and the same on every tile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openbalance_hid.text import single_line
from openbalance_hid.tiles.model_names import short_names
from tests.build import day_of_samples, days_back, snapshot
from tests.tiles.views import rows, view_of


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["anthropic/claude-sonnet-4.5"], ["sonnet-4.5"]),
        (["openai/gpt-5-mini"], ["gpt-5-mini"]),
        (["google/gemini-2.5-pro"], ["gemini-2.5-pro"]),
        (["a/claude-sonnet-4.5", "b/other-sonnet-4.5"], ["claude-sonnet-4.5", "other-sonnet-4.5"]),
        (["a/claude-sonnet-4.5", "b/sonnet-4.5"], ["claude-sonnet-4.5", "sonnet-4.5"]),
        (["a/llama-4", "b/llama-4"], ["a/llama-4", "b/llama-4"]),
        (["Anthropic: Claude Sonnet 4.5"], ["Sonnet 4.5"]),
        (["deepseek/deepseek-r1"], ["deepseek-r1"]),
        (["deepseek/deepseek-chat-v3.1"], ["deepseek-chat-v3.1"]),
        (["x/" + "\n\x1b[31m"], ["[31m"]),
        (["/"], ["—"]),
    ],
)
def test_names_are_short_and_unique(names, short):
    assert list(short_names(names).values()) == short


@given(st.lists(st.text(max_size=40), unique_by=single_line, max_size=6))
def test_names_that_differ_stay_different(names):
    bare = [single_line(name.rpartition("/")[2].rpartition(": ")[2]) for name in names]
    if len(set(bare)) == len(bare) and "" not in bare:
        assert len(set(short_names(names).values())) == len(names)


def test_a_family_stays_where_another_model_of_the_account_needs_it():
    """The other model has not been used in the period that the tile shows."""
    names = {day: {"a/claude-sonnet-4.5": 3} for day in days_back([1] * 20)}
    names[min(names)] = {"a/claude-sonnet-4.5": 3, "c/third-sonnet-4.5": 1}
    seen = snapshot(days=names, today={"a/claude-sonnet-4.5": 9}, taken=day_of_samples(9))
    assert rows(view_of("top-models", seen, period="7d"))[0][0] == "claude-sonnet-4.5"
    assert "mostly claude-sonnet-4.5" in view_of("today", seen).text
    assert "mostly claude-sonnet-4.5" in view_of("spike-alert", replace(seen, samples=tuple(day_of_samples(90)))).text
