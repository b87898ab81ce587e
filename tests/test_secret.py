"""A key shows itself nowhere, and only what can be one becomes one."""

import base64
import json
import pickle
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.errors import CredentialError
from openbalance_hid.secret import Secret, checked_key, mask_body, mask_keys

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


WRAPPED = [
    "{}",
    "  {}\n",
    "{}\r\n",
    "\t{} \n\n",
    '"{}"',
    "'{}'",
    "“{}”",
    "`{}`",
    "<{}>",
    '"{}',
    "{}.",
    "{},",
    "\ufeff{}",
    "\u200b{}\u00a0",
    "\x1b[200~{}\x1b[201~",
    "OPENROUTER_MANAGEMENT_KEY={}",
    "export OPENROUTER_MANAGEMENT_KEY='{}'",
    'KEY = "{}"',
    'key: "{}",',
    '{{"key": "{}"}}',
    "Bearer {}",
    "Authorization: Bearer {}",
    '-H "Authorization: Bearer {}"',
]


@pytest.mark.parametrize("around", WRAPPED)
def test_what_is_copied_with_a_key_is_not_part_of_it(around: str):
    assert checked_key(around.format(KEY), "what was typed").reveal() == KEY


REFUSED = [
    ("", "is empty"),
    (" \n", "is empty"),
    ('""', "does not begin with sk-or-v1-"),
    ("hunter2", "does not begin with sk-or-v1-"),
    ("sk-or-v2-0123456789abcdef", "does not begin with sk-or-v1-"),
    (KEY.upper(), "does not begin with sk-or-v1-"),
    ("0123456789abcdef" * 4, "lacks the beginning of a key, sk-or-v1-"),
    ("sk-ant-0123456789abcdef", "is a key of Anthropic"),
    ("sk-proj-0123456789abcdef", "is a key of OpenAI"),
    ("AIzaSy0123456789abcdef", "is a key of Google"),
    ("gsk_0123456789abcdef", "is a key of Groq"),
    ("hf_0123456789abcdef", "is a key of Hugging Face"),
    ("https://openrouter.ai/settings/management-keys", "is an address"),
    (f"{KEY[:15]} {KEY[15:]}", "has white space inside: copy the key again, in one piece"),
    (f"{KEY[:15]}\n{KEY[15:]}", "has white space inside: copy the key again, in one piece"),
    (f"{KEY[:12]}...{KEY[-4:]}", "is shortened: the page shows a whole key only once, when it is made"),
    (f"{KEY[:12]}…{KEY[-4:]}", "is shortened: the page shows a whole key only once, when it is made"),
    (KEY + "...", "is shortened: the page shows a whole key only once, when it is made"),
    (KEY + "\n" + KEY, "has more than one key"),
    (KEY * 20, "has more than one key"),
    (KEY + "\x00", "has characters that no key has"),
    (KEY + "é", "has characters that no key has"),
    ("sk-or-v1-1a2b", "is too short"),
    (KEY + "0" * 600, "is too long"),
]
REFUSALS = {f"not an OpenRouter key: the text {trouble}" for _, trouble in REFUSED}


@pytest.mark.parametrize(("text", "trouble"), REFUSED)
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


LONG = Secret("sk-or-v1-" + "".join(f"{number:02x}" for number in range(7, 249, 7)))


@given(st.integers(0, 70), st.integers(12, 80), st.booleans(), st.text(max_size=20), st.text(max_size=20))
def test_any_12_characters_in_a_row_are_masked_also_reversed(start: int, length: int, backwards: bool, before: str, after: str):
    part = LONG.reveal()[start : start + length]
    part = part[::-1] if backwards else part
    masked = mask_keys(f"{before}{part}{after}", LONG)
    if len(part) >= 12:
        assert not any(part[at : at + 12] in masked for at in range(len(part) - 11))
    body = f'{{"name": "{part}"}}'.encode()
    escaped = b'{"name": "' + b"".join(b"\\u%04x" % letter for letter in part.encode()) + b'"}'
    for each in (body, escaped):
        name = json.loads(mask_body(each, LONG))["name"]
        assert len(part) < 12 or not any(part[at : at + 12] in name for at in range(len(part) - 11))


ENCODINGS: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 after one character": lambda text: base64.b64encode(f":{text}".encode()).decode(),
    "base64 after two characters": lambda text: base64.b64encode(f"u:{text}".encode()).decode(),
    "base64 of an address": lambda text: base64.urlsafe_b64encode(f"Bearer {text}".encode()).decode().rstrip("="),
    "hexadecimal": lambda text: text.encode().hex(),
    "capital hexadecimal": lambda text: text.encode().hex().upper(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "small base32": lambda text: base64.b32encode(text.encode()).decode().lower().rstrip("="),
    "base32 after a few characters": lambda text: base64.b32encode(f"key: {text}".encode()).decode(),
    "capitals": str.upper,
    "capitals reversed": lambda text: text[::-1].upper(),
    "percent signs": lambda text: "".join(f"%{ord(letter):02x}" for letter in text),
    "capital percent signs": lambda text: "".join(f"%{ord(letter):02X}" for letter in text[::-1]),
    "escaped percent signs": lambda text: "".join(f"%25{ord(letter):02X}" for letter in text),
    "HTML": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "hexadecimal HTML": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    "groups of four": lambda text: " ".join(text[at : at + 4] for at in range(0, len(text), 4)),
    "groups of five with dashes": lambda text: "-".join(text[at : at + 5] for at in range(0, len(text), 5)),
    "groups on lines of their own": lambda text: "\n".join(text[at : at + 8] for at in range(0, len(text), 8)),
    "groups with escaped blanks": lambda text: "%20".join(text[at : at + 4] for at in range(0, len(text), 4)),
    "hexadecimal with colons": lambda text: ":".join(f"{ord(letter):02x}" for letter in text),
    "groups of base32": lambda text: re.sub("(.{4})", r"\1-", base64.b32encode(text.encode()).decode().rstrip("=")),
    "each second letter a capital": lambda text: "".join(each.upper() if at % 2 else each for at, each in enumerate(text)),
    "invisible letters between": lambda text: "\u200b".join(text),
    "soft hyphens between": lambda text: "\u00ad".join(text),
    "byte order marks between groups": lambda text: "\ufeff".join(text[at : at + 7] for at in range(0, len(text), 7)),
    "accents on each letter": lambda text: "".join(f"{letter}\u0301" for letter in text)[:-1],
    "colours of a terminal between": lambda text: "\x1b[1;31m".join(text[at : at + 6] for at in range(0, len(text), 6)),
    "a link of a terminal between": lambda text: "\x1b]8;;https://example.com\x07".join((text[:7], text[7:])),
    "markup between": lambda text: "</b><b>".join(text[at : at + 6] for at in range(0, len(text), 6)),
    "entities between": lambda text: "&shy;".join(text),
    "quoted lines": lambda text: "\n> ".join(text[at : at + 8] for at in range(0, len(text), 8)),
    "a sum of strings": lambda text: '" + "'.join(text[at : at + 8] for at in range(0, len(text), 8)),
    "a list of letters": lambda text: "', '".join(text),
    "a list of bytes": lambda text: ",".join(str(ord(letter)) for letter in text),
    "a list of hexadecimal bytes": lambda text: ", ".join(f"0x{ord(letter):02X}" for letter in text),
    "escapes of Python": lambda text: "".join(f"\\x{ord(letter):02x}" for letter in text)[1:],
    "quoted-printable": lambda text: "".join(f"={ord(letter):02X}" for letter in text)[1:],
    "some letters escaped": lambda text: text.replace("a", "%61").replace("1", "&#49;").replace("e", "%65"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("part", [LONG.reveal(), LONG.reveal()[:41], LONG.reveal()[36:], LONG.reveal()[20:32]])
def test_a_part_in_any_usual_encoding_is_masked(encoding: str, part: str):
    encoded = ENCODINGS[encoding](part)
    left = re.sub("sk-or-…", "", mask_keys(f"<{encoded}>", LONG))
    assert len(left) <= len(f"<{ENCODINGS[encoding]('')}>") + 6, "of base64 a digit or two at the ends"
    name = json.loads(mask_body(json.dumps({"name": f"<{encoded}>"}).encode(), LONG))["name"]
    assert name == mask_keys(f"<{encoded}>", LONG)


def test_escapes_of_invisible_letters_in_json_are_gaps():
    body = json.dumps({"name": "\u200b".join(LONG.reveal()[20:40])}).encode()
    assert b"\\u200b" in body
    assert json.loads(mask_body(body, LONG)) == {"name": "sk-or-…"}


@pytest.mark.parametrize("piece", ["\x1b]", "\x1b[1", "\x1b", "<", "<b", "\\u", "&#x0", "%2", "\xc2\x9b0"])
def test_unfinished_escapes_take_no_quadratic_time(piece: str):
    body = piece.encode() * 50_000
    assert mask_body(body, LONG) == body


@pytest.mark.parametrize("encoding", ["base64", "hexadecimal", "capital hexadecimal", "capitals", "capitals reversed"])
def test_the_shortest_part_is_masked_at_any_place_of_a_long_body(encoding: str):
    for place in range(24):
        first = 9 + place  # of the part in the key
        part = ENCODINGS[encoding](LONG.reveal()[first : first + 12])
        body = b"." * (5000 + place) + part.encode() + b"." * (41 * place)
        left = mask_body(body, LONG).replace(b"sk-or-\xe2\x80\xa6", b"").strip(b".")
        assert len(left) <= 2, (place, left)  # of base64 a digit or two at the ends


def test_a_piece_below_the_limit_leaves_the_escapes_of_its_body_unchanged():
    body = b'{"label": "sk-or-v1-0e6...1c96", "name": "100\\u0025 of %61ll"}'
    assert mask_body(body, LONG) == body


@pytest.mark.parametrize("text", ["100%25 of %61ll &#8212; &#x2014; \\u0061 AAAA", "%7B%22error%22%3A1%7D", "&amp;#115;"])
def test_escapes_without_a_part_of_the_key_are_unchanged(text: str):
    assert mask_keys(text, LONG) == text


def test_parts_that_overlap_or_repeat_are_all_masked():
    key = LONG.reveal()
    assert mask_keys(f"{key[9:40]}{key[20:50]} {key[30:]} {key[::-1][:20]}", LONG) == "sk-or-…sk-or-… sk-or-… sk-or-…"
    assert mask_keys(key[10:21], LONG) == key[10:21], "eleven characters say nothing"


@given(st.binary(max_size=200))
def test_a_body_without_a_part_of_the_key_is_unchanged(body: bytes):
    assert mask_body(body, LONG) == body


def test_a_body_full_of_pieces_below_the_limit_is_unchanged():
    part = LONG.reveal()[9:15].encode()
    assert mask_body(part * 100_000, LONG) == part * 100_000


@given(st.text() | st.text("sk-orv10123456789abcdef …'"))
def test_a_refusal_never_repeats_the_text(text: str):
    try:
        checked_key(text, "the text")
    except CredentialError as refusal:
        assert refusal.message in REFUSALS
