"""A Management key that cannot be printed by accident, and the shape that every such key has."""

from __future__ import annotations

import hmac
from typing import NoReturn

from openbalance_hid.errors import CredentialError

PREFIX = "sk-or-v1-"  # of every OpenRouter key; it does not tell Management from inference keys
_SHORTEST = len(PREFIX) + 8  # so that the last four characters are less than half of what is secret
_LONGEST = 512


class Secret:
    """Holds a key. Shows itself as `…1a2b` wherever it is printed, formatted or represented; cannot be pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The key itself: for the Authorization header and the stores, and nothing else."""
        return self._text

    @property
    def last_four(self) -> str:
        return self._text[-4:]

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


def checked_key(text: str, origin: str, hint: str = "openbalance-hid setup") -> Secret:
    """The key in `text`, white space around it removed. CredentialError, which never repeats it, for what cannot be a key.

    `origin` names where it came from: "what was typed", "environment variable X".
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
