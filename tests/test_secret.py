"""A key shows itself nowhere, and only what can be one becomes one."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.errors import CredentialError
from openbalance_hid.secret import Secret, checked_key, mask_keys

KEY = "sk-or-v1-0123456789abcdef1a2b"


@pytest.mark.parametrize(
    "show", [str, repr, "{}".format, "{:>10}".format, lambda secret: f"{secret!r} {[secret]} {{1: secret}}"]
)
def test_a_secret_shows_its_last_four_only(show):
    assert "1a2b" in show(Secret(KEY))
    assert "0123" not in show(Secret(KEY))


def test_a_secret_is_not_pickled():
    with pytest.raises(TypeError):
        pickle.dumps(Secret(KEY))


def test_equal_keys_are_equal_secrets():
    assert Secret(KEY) == Secret(KEY)
    assert hash(Secret(KEY)) == hash(Secret(KEY))
    assert Secret(KEY) != Secret(KEY + "c")
    assert Secret(KEY) != KEY


@pytest.mark.parametrize("around", ["{}", "  {}\n", "{}\r\n", "\t{} \n\n"])
def test_white_space_around_a_key_is_not_part_of_it(around: str):
    assert checked_key(around.format(KEY), "what was typed").reveal() == KEY


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("sk-ant-0123456789abcdef", "does not begin with sk-or-v1-"),
        (f"Bearer {KEY}", "has characters that no key has"),
        (f'"{KEY}"', "does not begin with sk-or-v1-"),
        (KEY + "\n" + KEY, "has characters that no key has"),
        (KEY + "\x00", "has characters that no key has"),
        (KEY + "…", "has characters that no key has"),
        ("sk-or-v1-1a2b", "is too short"),
        (KEY * 20, "is too long"),
    ],
)
def test_an_invalid_key_is_refused_with_the_reason(text: str, trouble: str):
    with pytest.raises(CredentialError) as refusal:
        checked_key(text, "what was typed", "openbalance-hid setup --account work")
    assert refusal.value.message == f"not an OpenRouter key: what was typed {trouble}"
    assert refusal.value.hint == "openbalance-hid setup --account work"


@pytest.mark.parametrize(
    "text", ["", "short", f"{KEY}\n", f"{KEY}\r\nX: y", f"{KEY} {KEY}", "sk-or-v1-ключ-ключ-ключ", f"{KEY}\x00", "x" * 600]
)
def test_a_secret_holds_only_what_an_http_header_can_carry(text: str):
    with pytest.raises(CredentialError) as refusal:
        Secret(text)
    assert "sk-or" not in refusal.value.message
    assert refusal.value.hint == "openbalance-hid setup"


def test_a_fingerprint_identifies_a_key_and_holds_no_part_of_it():
    assert Secret(KEY).fingerprint == Secret(KEY).fingerprint != Secret(KEY + "c").fingerprint
    assert len(Secret(KEY).fingerprint) == 16
    assert "1a2b" not in Secret(KEY).fingerprint


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"Bearer {KEY}, {KEY}c", "Bearer sk-or-…, sk-or-…"),
        ("starts with sk-or-v1-", "starts with sk-or-v1-"),
        ("label sk-or-v1-0a1...9f8", "label sk-or-…...9f8"),
        ("no key", "no key"),
    ],
)
def test_anything_like_a_key_is_masked_in_any_text(text: str, masked: str):
    assert mask_keys(text) == masked


def test_the_key_in_use_is_masked_whatever_it_looks_like():
    assert mask_keys("refused: hunter2-hunter2-hunter2", Secret("hunter2-hunter2-hunter2")) == "refused: sk-or-…"


@given(st.text(min_size=6))
def test_a_refusal_never_repeats_the_text(text: str):
    try:
        checked_key(text, "")
    except CredentialError as refusal:
        assert text.strip() == "" or text.strip() not in refusal.message
