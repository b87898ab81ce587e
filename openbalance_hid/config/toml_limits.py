"""Bounds of a TOML text, checked in one linear pass before tomllib parses it.

Without them a small file can take seconds and hundreds of megabytes: tomllib takes quadratic time for a dotted key, and Python
refuses to print an integer of more than 4300 digits. A configuration needs far less than each bound.
"""

from __future__ import annotations

import re

MAX_DOTS = 16  # in one dotted key or header; the configuration has keys with 2
MAX_NESTING = 16  # of brackets
MAX_WORD_CHARS = 1000  # of a number, date or bare key

_TOKEN = re.compile(
    r"(?P<comment>#[^\n]*)"
    r'|(?P<long_text>"""(?:\\.|[^\\])*?""""{0,2}|' + r"'''.*?''''{0,2})"  # up to two quotes may precede the closing three
    r"""|(?P<unclosed_long_text>\"{3}|'{3})"""
    r"""|(?P<text>"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
    r"""|(?P<unclosed_text>["'])"""
    r"|(?P<word>[A-Za-z0-9_+-]+)"
    r"|(?P<dot>\.)"
    r"|(?P<open>[\[{])"
    r"|(?P<close>[\]}])"
    r"|(?P<blank>[ \t]+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_WITHIN_A_KEY = ("word", "text", "blank")


def exceeded_bound(text: str) -> tuple[int, str] | None:
    """Return the line, from 1, and the description of the first exceeded bound; None if there is none.

    Text after an unclosed string is not checked: tomllib stops there.
    """
    dots = nesting = 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        problem = ""
        if kind in ("unclosed_text", "unclosed_long_text"):
            return None
        if kind == "dot":
            dots += 1
            problem = f"a key of more than {MAX_DOTS + 1} dotted names" if dots > MAX_DOTS else ""
        elif kind not in _WITHIN_A_KEY:
            dots = 0
        if kind == "open":
            nesting += 1
            problem = "nested too deeply" if nesting > MAX_NESTING else ""
        elif kind == "close":
            nesting = max(0, nesting - 1)
        elif kind == "word" and token.end() - token.start() > MAX_WORD_CHARS:
            problem = f"a number or key of more than {MAX_WORD_CHARS} characters"
        if problem:
            return text.count("\n", 0, token.start()) + 1, problem
    return None
