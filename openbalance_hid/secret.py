"""The API key as one value type, from the stores to the HTTP header, and the masking of keys in text; a broker's login.

Only two kinds of code call `reveal`: what sends the secret to its server and what writes it into a store.
"""

from __future__ import annotations

import re
import sys
from array import array
from binascii import b2a_base64
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple, NoReturn

from openbalance_hid import hints
from openbalance_hid.errors import CredentialError

# Patterns are compiled, and hashlib and hmac imported, which load OpenSSL, at their first use: every command imports this
# module, `bar` too, and most need none of them.
PREFIX = "sk-or-v1-"  # of every OpenRouter key, Management and inference keys alike
_SHORTEST = len(PREFIX) + 8  # the last four characters are then less than half of the secret part
_LONGEST = 512
_HEADER_SAFE = rf"[\x21-\x7e]{{{_SHORTEST},{_LONGEST}}}"  # else an HTTP library would quote it in an error
_MASK = "sk-or-…"
_PART = 12  # characters of a key in a row that are masked
_PART_IN_BASE64 = 15  # digits of 6 bits that 12 characters always fill
_PART_IN_BASE32 = 18  # digits of 5 bits
_NUMBERS = (
    "{:02x}",
    "x{:02x}",
    "0x{:02x}",
    "u{:04x}",
    "{}",
)  # of characters: hexdump, `\\x73`, `0x73`, `\\u0073`, a list of bytes
_GAPS = bytes(byte for byte in range(256) if not bytes((byte,)).isalnum())  # between characters: separators, invisible letters
_WORD = 8  # bytes that are compared at once
# A character of a key as JSON, an address or HTML may write it; any other escape of JSON is a gap or skipped as a whole. Last
# lines: entities and tags of markup and escape sequences of terminals, which tiles leave out.
_ESCAPE = (
    rb"(?s)\\(?:u00([0-7][0-9a-fA-F])|u([0-9a-fA-F]{4})|.)|%([2-7][0-9a-fA-F])|&#(?:[xX]0*([2-7][0-9a-fA-F])|0*([0-9]{2,3}));"
    rb"|&[A-Za-z]{2,31};|</?(?:span|b|big|i|s|sub|sup|small|tt|u)(?:\s[^<>]*)?>"
    rb"|(?:\x1b\[|\xc2\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]"
)
_ESCAPE_MARKS = (b"\\u", b"%", b"&", b"\\n", b"\\r", b"\\t", b"<", b"\x1b", b"\xc2\x9b")
_GAP_STARTS = (b"\x1b", b"\xc2", b"<", b"&")
_ESCAPED = b"-_% .:<>&\x07\x1b"  # beside letters and digits: parts of a key, of gaps and of other escapes
_ESCAPED_TWICE = 2  # a percent sign may be escaped itself
_ADDRESS_SAFE = bytes.maketrans(b"+/", b"-_")  # base64 in an address (RFC 4648, section 5)
_PASTE_MARKS = "\x1b\\[20[01]~|[\ufeff\u200b-\u200f\u2060]"  # of a terminal's paste; invisible letters
_OPENING, _CLOSING = "\"'`“”„‘’«‹<({[", "\"'`“”‘’»›>)}\\],;."
_WRAPPED_KEY = (  # export NAME="KEY", "NAME": "KEY", -H "Authorization: Bearer KEY"
    rf"(?i:export\s+|set\s+|\$env:|-H\s*|--header\s+)?[{_OPENING}]*(?:[A-Za-z_][A-Za-z0-9_.-]*[\"'”’]?\s*[=:]\s*)?"
    rf"[{_OPENING}]*(?i:Bearer\s+)?[{_OPENING}]*({re.escape(PREFIX)}[A-Za-z0-9_-]*)[{_CLOSING}\s]*"
)
_SHORTENED = r"…|\.\.\.|\*{3}|•"
_SHORTENED_KEY = "is shortened: the page shows a whole key only once, when it is made"
_HEX_DIGITS = r"[0-9a-fA-F]{32,128}"
_OTHER_KEYS = (("sk-ant-", "Anthropic"), ("AIza", "Google"), ("gsk_", "Groq"), ("hf_", "Hugging Face"), ("sk-", "OpenAI"))
_LOOKS_LIKE_A_KEY = r"sk-or-[A-Za-z0-9_-]{4,}"  # four: so that messages can name the prefix itself


class Secret:
    """A key that shows only its last four characters (`…1a2b`) in any text, and cannot be pickled."""

    __slots__ = ("_forms", "_text")

    def __init__(self, text: str) -> None:
        """CredentialError, without the text in it, for characters or a length that an HTTP header or a key cannot have."""
        if not re.fullmatch(_HEADER_SAFE, text):
            raise CredentialError(
                "the key has characters or a length that no OpenRouter key has", hints.hint("the key is malformed")
            )
        self._text = text
        self._forms: _FormsByWord | None = None

    def reveal(self) -> str:
        """Return the key itself."""
        return self._text

    def forms_by_word(self) -> _FormsByWord:
        """Return the ways to write the key, by each word in them; made once, because every log line and answer needs them."""
        if self._forms is None:
            self._forms = _forms_by_word(self._text)
        return self._forms

    @property
    def last_four(self) -> str:
        return self._text[-4:]

    @property
    def fingerprint(self) -> str:
        """16 hex digits of its SHA-256: identifies a key without storing it."""
        import hashlib

        return hashlib.sha256(self._text.encode()).hexdigest()[:16]

    def has_label(self, label: str) -> bool:
        """Return whether `label` shows the ends of this key, as OpenRouter does: `sk-or-v1-0e6...1c96`."""
        start, dots, end = label.strip().partition("...")
        is_start = start == _MASK or (len(start) > len(PREFIX) and self._text.startswith(start))  # `mask_body` may mask it
        return bool(dots) and is_start and len(end) > 1 and self._text.endswith(end)

    def __str__(self) -> str:
        return f"…{self.last_four}"

    def __repr__(self) -> str:
        return f"Secret(…{self.last_four})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        import hmac

        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


class BrokerLogin:
    """User and password of an MQTT broker. No text of it shows the password, and it cannot be pickled."""

    __slots__ = ("_password", "user")

    def __init__(self, user: str, password: str) -> None:
        """CredentialError, without the text in it, for what MQTT cannot carry."""
        if not 0 < len(user) <= _LONGEST or not 0 < len(password) <= _LONGEST or any("\0" in each for each in (user, password)):
            raise CredentialError(
                "a broker's user and password have 1 to 512 characters each", hints.hint("the login of a broker is malformed")
            )
        self.user = user
        self._password = password

    def reveal(self) -> str:
        """Return the password itself."""
        return self._password

    def __repr__(self) -> str:
        return f"BrokerLogin({self.user!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BrokerLogin) and (self.user, self._password) == (other.user, other._password)

    def __hash__(self) -> int:
        return hash((BrokerLogin, self.user))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a login is not pickled")


def mask_keys(text: str, secret: Secret | None = None) -> str:
    """Return `text` with everything that looks like an OpenRouter key masked, and every part of `secret`.

    A part is 12 or more of its characters in a row, from either end, in any case, as base64, base32 or numbers, and also with
    other characters between them: servers shorten and encode what they repeat, and what is shown leaves out some characters.
    """
    if secret is not None:
        text = mask_body(text.encode("utf-8", "surrogatepass"), secret).decode("utf-8", "surrogatepass")
    return re.sub(_LOOKS_LIKE_A_KEY, _MASK, text)


def mask_body(body: bytes, secret: Secret) -> bytes:
    """Return the body of a response with every part of `secret` masked, also where its characters are escaped."""
    texts = [body]
    for _ in range(_ESCAPED_TWICE):
        if any(mark in texts[-1] for mark in _ESCAPE_MARKS):
            texts.append(re.sub(_ESCAPE, _plain_character, texts[-1]))
    by_word = secret.forms_by_word()
    for text in reversed(texts):  # also as it was: an escape in front of a part takes two characters of it
        without = _without_grouped_parts(_without_parts(text, by_word), by_word)
        if without is not text:
            return without
    return body


def _without_parts(text: bytes, by_word: _FormsByWord) -> bytes:
    """Return `text` with every part of a key masked; `text` itself without any."""
    spans = _spans(text.lower(), by_word)
    return text if not spans else _masked(text, spans)


def _without_grouped_parts(text: bytes, by_word: _FormsByWord) -> bytes:
    """Return `text` with every part of a key masked that has gaps in it; `text` itself without any."""
    packed = text.translate(None, _GAPS).lower()
    spans = _spans(packed, by_word) if len(packed) < len(text) else []
    if not spans:
        return text
    places = array("Q", (place for place, byte in enumerate(text) if byte not in _GAPS))  # of each byte of `packed`
    return _masked(text, [(places[start], places[end - 1] + 1) for start, end in spans])


def _words(text: bytes) -> Iterable[int]:
    """Return the words of `text` that start at every fourth byte: 12 bytes in a row always contain a whole one."""
    step = _WORD // 2
    shifted = text[step:]
    return chain(*(memoryview(each)[: len(each) // _WORD * _WORD].cast("Q") for each in (text, shifted)))


class _Form(NamedTuple):
    """A way to write a key. `part`: how many of its characters in a row are masked."""

    text: bytes
    part: int

    @property
    def block(self) -> int:
        """How long blocks are of which each part contains a whole one."""
        return (self.part + 1) // 2

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield the whole blocks with their places."""
        for start in range(0, len(self.text) - self.block + 1, self.block):
            yield start, self.text[start : start + self.block]


_FormsByWord = dict[int, tuple[_Form, ...]]  # by `_WORD` bytes in a row, as an integer of this machine


def _forms_by_word(key: str) -> _FormsByWord:
    by_word: _FormsByWord = {}
    forms = list(_forms(key.encode()))
    packed = (_Form(form.text.translate(None, _GAPS), form.part) for form in forms)
    for form in dict.fromkeys((*forms, *packed)):
        for start in range(len(form.text) - _WORD + 1):
            word = int.from_bytes(form.text[start : start + _WORD], sys.byteorder)
            by_word[word] = (*by_word.get(word, ()), form)
    return by_word


def _forms(key: bytes) -> Iterator[_Form]:
    """Yield the ways to write a key, in small letters."""
    from base64 import b32encode  # here: every command imports this module, and few have a key

    yield _Form(key.lower(), _PART)
    yield _Form(key[::-1].lower(), _PART)
    for number in _NUMBERS:
        part = _PART * len(number.format(ord("-")))  # the shortest: `{}` writes two or three digits
        yield _Form("".join(number.format(byte) for byte in key).encode(), part)
    for text in dict.fromkeys((key, key.lower(), key.upper())):
        for before in range(3):  # bytes in front of the key in its group of three
            encoded = b2a_base64(bytes(before) + text, newline=False)
            whole = encoded[(0, 2, 3)[before] : (before + len(key)) * 8 // 6]  # digits that contain no bit of another byte
            for digits in dict.fromkeys((whole.lower(), whole.translate(_ADDRESS_SAFE).lower())):
                yield _Form(digits, _PART_IN_BASE64)
    for before in range(5):
        whole = b32encode(bytes(before) + key)[(0, 2, 4, 5, 7)[before] : (before + len(key)) * 8 // 5]
        yield _Form(whole.lower(), _PART_IN_BASE32)


def _spans(text: bytes, by_word: _FormsByWord) -> list[tuple[int, int]]:
    """Return start and end of every part of a key, in order."""
    forms = {form for word in filter(by_word.__contains__, _words(text)) for form in by_word[word]}
    return sorted(span for form in forms for span in _parts(text, form))


def _masked(text: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    pieces, done = [], 0
    for start, end in spans:
        if start >= done:
            pieces += [text[done:start], _MASK.encode()]
        done = max(done, end)
    return b"".join([*pieces, text[done:]])


def _parts(text: bytes, form: _Form) -> Iterator[tuple[int, int]]:
    """Yield start and end of each part of the key in `text`. Each part contains a whole block."""
    key = form.text
    for start, block in form.blocks():
        at = text.find(block)
        while at >= 0:
            before = _common_length(text[max(0, at - start) : at][::-1], key[:start][::-1])
            after = _common_length(text[at + len(block) : at + len(key)], key[start + len(block) :])
            if before + len(block) + after >= form.part:
                yield at - before, at + len(block) + after
            at = text.find(block, at + max(1, after))


def _common_length(one: bytes, other: bytes) -> int:
    return next((number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _plain_character(escape: re.Match[bytes]) -> bytes:
    """Return the character of a key, or of a gap in one, that is escaped; any other escape unchanged."""
    if (escape.lastindex is None and escape[0][:1] in _GAP_STARTS) or escape[0] in (b"\\n", b"\\r", b"\\t") or escape[2]:
        return b" "
    digits, decimal = next(filter(None, (escape[1], escape[3], escape[4])), b""), escape[5]
    character = bytes((int(digits, 16),)) if digits else bytes((int(decimal) & 0x7F,)) if decimal else b""
    return character if character.isalnum() or (character and character in _ESCAPED) else escape[0]


def checked_key(text: str, origin: str, hint: str = hints.SETUP) -> Secret:
    """Return the key in `text`. CredentialError, without the text, if there is none or more than one.

    White space, quotes, `NAME=`, `Bearer` and the like around the key are removed. `origin` names the source: "the entered
    text", "environment variable X".
    """
    plain = re.sub(_PASTE_MARKS, "", text).strip()
    wrapped = re.fullmatch(_WRAPPED_KEY, plain)
    key = wrapped[1] if wrapped is not None else plain
    trouble = _SHORTENED_KEY if re.search(_SHORTENED, plain) else _trouble(key, is_key=wrapped is not None)
    if trouble:
        raise CredentialError(f"not an OpenRouter key: {origin} {trouble}", hint)
    return Secret(key)


def _trouble(key: str, is_key: bool) -> str:
    """Return what is wrong with `key`, as the end of a sentence; empty for a key. Never a part of it."""
    if not key:
        return "is empty"
    if len(re.findall(re.escape(PREFIX), key)) > 1:
        return "has more than one key"
    if is_key:
        return "is too short" if len(key) < _SHORTEST else "is too long" if len(key) > _LONGEST else ""
    if "://" in key:
        return "is an address"
    if re.fullmatch(_HEX_DIGITS, key):
        return f"lacks the beginning of a key, {PREFIX}"
    other = next((name for beginning, name in _OTHER_KEYS if key.startswith(beginning)), None)
    if other is not None and not key.startswith("sk-or-"):
        return f"is a key of {other}"
    if PREFIX not in key:
        return f"does not begin with {PREFIX}"
    if re.search(r"\s", key):
        return "has white space inside: copy the key again, in one piece"
    return "has characters that no key has"
