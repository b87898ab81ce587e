"""The API key as one value type, from the stores to the HTTP header, and the masking of keys in text.

Only two kinds of code call `reveal`: what writes the Authorization header and what writes a key into a store.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import NoReturn

from openbalance_hid.errors import CredentialError

PREFIX = "sk-or-v1-"  # of every OpenRouter key, Management and inference keys alike
_SHORTEST = len(PREFIX) + 8  # the last four characters are then less than half of the secret part
_LONGEST = 512
_HEADER_SAFE = re.compile(rf"[\x21-\x7e]{{{_SHORTEST},{_LONGEST}}}")  # else an HTTP library would quote it in an error
_MASK = "sk-or-…"
_LOOKS_LIKE_A_KEY = re.compile(r"sk-or-[A-Za-z0-9_-]{4,}")  # four: so that messages can name the prefix itself


class Secret:
    """A key that shows only its last four characters (`…1a2b`) in any text, and cannot be pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """CredentialError, without the text in it, for characters or a length that an HTTP header or a key cannot have."""
        if not _HEADER_SAFE.fullmatch(text):
            raise CredentialError("the key has characters or a length that no OpenRouter key has", "openbalance-hid setup")
        self._text = text

    def reveal(self) -> str:
        """Return the key itself."""
        return self._text

    @property
    def last_four(self) -> str:
        return self._text[-4:]

    @property
    def fingerprint(self) -> str:
        """16 hex digits of its SHA-256: identifies a key without storing it."""
        return hashlib.sha256(self._text.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"…{self.last_four}"

    def __repr__(self) -> str:
        return f"Secret(…{self.last_four})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def mask_keys(text: str, secret: Secret | None = None) -> str:
    """Return `text` with everything that looks like an OpenRouter key masked, and `secret` whatever it looks like."""
    if secret is not None:
        text = text.replace(secret.reveal(), _MASK)
    return _LOOKS_LIKE_A_KEY.sub(_MASK, text)


def checked_key(text: str, origin: str, hint: str = "openbalance-hid setup") -> Secret:
    """Return the key in `text`, without white space around it. CredentialError, without the text, if it cannot be a key.

    `origin` names the source: "what was typed", "environment variable X".
    """
    key = text.strip()
    if not key:
        trouble = "is empty"
    elif not key.isascii() or not key.isprintable() or " " in key:
        trouble = "has characters that no key has"
    elif not key.startswith(PREFIX):
        trouble = f"does not begin with {PREFIX}"
    elif not _SHORTEST <= len(key) <= _LONGEST:
        trouble = "is too short" if len(key) < _SHORTEST else "is too long"
    else:
        return Secret(key)
    raise CredentialError(f"not an OpenRouter key: {origin} {trouble}", hint)
