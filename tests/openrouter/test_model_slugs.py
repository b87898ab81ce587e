"""One name for each model: display names become slugs by the public list of models, and by nothing else."""

from decimal import Decimal

import pytest

from openbalance_hid.account.leaders import leaders
from openbalance_hid.account.snapshot import Health, Spend
from openbalance_hid.openrouter.list_replies import ModelNames
from openbalance_hid.openrouter.model_slugs import renamed, slugs_by_spelling
from openbalance_hid.simulator.openrouter.sample_answers import json, refused
from tests.openrouter.stage import Stage

MODELS = [
    ("qwen/qwen3-coder", "Qwen: Qwen3 Coder 480B A35B", "qwen/qwen3-coder-480b-a35b-07-25"),
    ("qwen/qwen3-coder:free", "Qwen: Qwen3 Coder 480B A35B (free)", "qwen/qwen3-coder-480b-a35b-07-25"),
    ("openai/gpt-5-mini", "OpenAI: GPT-5 Mini", "openai/gpt-5-mini-2025-08-07"),
    ("deepseek/deepseek-chat-v3-0324", "DeepSeek: DeepSeek V3 0324", "deepseek/deepseek-chat-v3-0324"),
    ("deepseek/deepseek-chat", "DeepSeek: DeepSeek V3", "deepseek/deepseek-chat-v3"),
    ("cohere/command-r", "Cohere: Command R", "cohere/command-r"),
    ("cohere/command-r-plus", "Cohere: Command R+", "cohere/command-r-plus"),
    ("a/same", "A: Same", "a/same"),
    ("b/same", "B: Same", "b/same"),
    ("a/twin", "Twin", "a/twin"),
    ("b/twin", "Twin", "b/twin"),
]
SLUGS = slugs_by_spelling(ModelNames(*each) for each in MODELS)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Qwen: Qwen3 Coder 480B A35B", "qwen/qwen3-coder"),
        ("Qwen3 Coder 480B A35B", "qwen/qwen3-coder"),
        ("Qwen3 Coder 480B A35B (free)", "qwen/qwen3-coder:free"),
        ("qwen/qwen3-coder-480b-a35b-07-25", "qwen/qwen3-coder"),
        ("qwen/qwen3-coder", "qwen/qwen3-coder"),
        ("  openai:  gpt-5 mini ", "openai/gpt-5-mini"),
        ("GPT-5", "GPT-5"),
        ("DeepSeek V3", "deepseek/deepseek-chat"),
        ("DeepSeek V3.1", "DeepSeek V3.1"),
        ("Command R+", "cohere/command-r-plus"),
        ("Command R", "cohere/command-r"),
        ("Command", "Command"),
        ("A: Same", "a/same"),
        ("Same", "Same"),
        ("Twin", "Twin"),
        ("", ""),
    ],
)
def test_a_name_becomes_the_slug_of_the_one_model_that_has_it(name: str, slug: str) -> None:
    assert renamed({name: Spend(Decimal(1))}, SLUGS) == {slug: Spend(Decimal(1))}


def test_two_spellings_of_one_model_are_one_sum() -> None:
    spends = {"Command R+": Spend(Decimal(1), 2), "cohere/command-r-plus": Spend(Decimal(3), 4)}
    assert renamed(spends, SLUGS) == {"cohere/command-r-plus": Spend(Decimal(4), 6)}


def rows(*names: str) -> object:
    return {"data": {"data": [{"model": name, "credits_usage": 5, "request_count": "1"} for name in names]}}


def known_models() -> object:
    return {"data": [{"id": slug, "name": name, "canonical_slug": permanent} for slug, name, permanent in MODELS]}


def test_a_model_of_today_and_of_past_days_is_listed_once_under_its_slug(stage: Stage) -> None:
    past = [{"date": "2026-11-23", "model": "qwen/qwen3-coder", "provider_name": "P", "usage": 2}]
    stage.sample.instead["/activity"] = json(200, {"data": past})
    stage.sample.instead["/analytics/query"] = json(200, rows("Qwen: Qwen3 Coder 480B A35B", "GPT-5"))
    stage.sample.instead["/models"] = json(200, known_models())
    stage.poll()
    ranked = leaders(stage.now, "7d", "spend", stage.clock.now)
    assert ranked is not None
    assert [(each.name, each.spend.usd) for each in ranked] == [("qwen/qwen3-coder", 7), ("GPT-5", 5)]


def test_the_models_are_requested_once_a_day_and_only_for_a_name_that_is_not_known(stage: Stage) -> None:
    stage.poll()
    assert stage.requested.count("/models") == 1
    for _ in range(4):  # the sample account uses no other model
        stage.later(6 * 3600)
        assert "/models" not in stage.requested
    stage.sample.instead["/analytics/query"] = json(200, rows("Brand New"))
    asked = 0
    for _ in range(8):
        stage.later(6 * 3600)
        asked += stage.requested.count("/models")
    assert asked == 2


def test_a_refused_list_of_models_keeps_the_display_names_and_everything_else(stage: Stage) -> None:
    stage.sample.instead["/models"] = refused(503, "busy")
    stage.poll()
    assert (stage.now.health, stage.now.today.health, stage.now.models.health) == (Health.OK, Health.OK, Health.SERVER_ERROR)
    today = stage.now.today.value
    assert today is not None
    assert "GPT-5" in today.by_model
    del stage.sample.instead["/models"]
    stage.later(6 * 3600)
    today = stage.now.today.value
    assert today is not None
    assert "openai/gpt-5" in today.by_model
    assert "GPT-5" not in today.by_model
