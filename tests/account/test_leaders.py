"""Models by their part of a period, and the two spellings of their names."""

from datetime import timedelta

import pytest

from openbalance_hid.account.leaders import leaders, match_labels, providers
from tests.build import NOON, days_back, snapshot


def test_leaders_merge_todays_labels_with_the_slugs_of_past_days():
    seen = snapshot(
        days={NOON.date() - timedelta(days=1): {"anthropic/claude-sonnet-4.5": 3, "openai/gpt-5": 2}},
        today={"Anthropic: Claude Sonnet 4.5": 4, "New One": 1},
    )
    ranked = leaders(seen, "30d", "spend", NOON)
    assert ranked is not None
    assert [(leader.name, leader.spend.usd, leader.share) for leader in ranked] == [
        ("anthropic/claude-sonnet-4.5", 7, 0.7),
        ("openai/gpt-5", 2, 0.2),
        ("New One", 1, 0.1),
    ]


def test_a_refund_beyond_the_spend_takes_nothing_from_the_others():
    seen = snapshot(days={NOON.date() - timedelta(days=1): {"v/refunded": -5, "v/a": 3, "v/b": 1}})
    ranked = leaders(seen, "30d", "spend", NOON)
    assert ranked is not None
    assert [(leader.name, leader.share) for leader in ranked] == [("v/a", 0.75), ("v/b", 0.25)]


def test_no_leaders_without_spend_and_none_while_unknown():
    assert leaders(snapshot(days={}), "30d", "spend", NOON) == ()
    assert leaders(snapshot(), "30d", "spend", NOON) is None


SLUGS = ["openai/gpt-5", "openai/gpt-5-mini", "deepseek/deepseek-chat-v3.1", "anthropic/claude-sonnet-4.5", "x/same", "y/same"]


@pytest.mark.parametrize(
    ("label", "slug"),
    [
        ("GPT-5", "openai/gpt-5"),
        ("OpenAI: GPT-5 Mini", "openai/gpt-5-mini"),
        ("DeepSeek V3.1", "deepseek/deepseek-chat-v3.1"),
        ("Claude Sonnet 4.5", "anthropic/claude-sonnet-4.5"),
        ("GPT", None),
        ("Llama 4", None),
        ("", None),
    ],
)
def test_a_label_is_matched_only_to_a_single_candidate(label, slug):
    assert match_labels([label], SLUGS).get(label) == slug


def test_leaders_of_today_are_none_while_unknown_and_empty_without_spend():
    assert leaders(snapshot(days=days_back([1])), "today", "spend", NOON) is None
    assert leaders(snapshot(days=days_back([1]), today={}), "today", "spend", NOON) == ()


def test_providers_are_those_of_completed_days():
    assert providers(snapshot(), "7d", "spend", NOON) is None
    assert providers(snapshot(days={}), "7d", "spend", NOON) == ()
