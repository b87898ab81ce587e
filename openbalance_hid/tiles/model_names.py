"""Short names of models: the same for a model on every tile of an account. Pure.

A name loses its vendor, then its family where the rest is unique among the models of the account: `anthropic/claude-sonnet-4.5`
becomes `sonnet-4.5`. A family stays where the rest would begin with a version (`gpt-5-mini`, not `5-mini`) or with a word that
many families have (`deepseek-chat-v3.1`, not `chat-v3.1`). A long name also loses the date of its release, and `preview`, where
the rest is unique: `gemini-2.5-flash`. What is then too long for a key gets an ellipsis in `render`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from openbalance_hid.account.remembered import remembered
from openbalance_hid.text import single_line
from openbalance_hid.tiles.formatting import UNKNOWN

if TYPE_CHECKING:
    from openbalance_hid.account.snapshot import Snapshot  # a status bar, which only has names, starts faster without it

_LONG = 14  # letters: what a small key has room for
_RELEASE = re.compile(r"(?:[- ](?:preview|\d{4}-\d\d-\d\d|\d\d-\d{4}|\d\d-\d\d|20\d{6}))+$", re.IGNORECASE)
# No model name on a key starts with one of these words: every vendor has such a model.
_COMMON_WORDS = frozenset(("chat", "flash", "instruct", "large", "latest", "medium", "mini", "nano", "preview", "small"))


def short_name(snapshot: Snapshot, name: str) -> str:
    """Return the short name of a model of the account."""
    return short_names_of(snapshot).get(name) or short_names((*_models_of(snapshot), name))[name]


@remembered
def short_names_of(snapshot: Snapshot) -> Mapping[str, str]:
    """Return the short names of all models that any tile of the account may name."""
    return short_names(_models_of(snapshot))


def short_names(names: Iterable[str]) -> Mapping[str, str]:
    """Return full name -> short name. Different models keep different names."""
    wordings = {name: _wordings(_bare(name)) for name in names}
    bare = Counter(each[-1] for each in wordings.values())
    anywhere = Counter(wording for each in wordings.values() for wording in set(each))

    def shown(name: str) -> str:
        *briefs, text = wordings[name]
        whole = text if bare[text] == 1 else single_line(name)  # two vendors have a model of that name
        return next((brief for brief in briefs if brief == whole or anywhere[brief] == 1), whole)

    return {name: shown(name) for name in wordings}


def _models_of(snapshot: Snapshot) -> set[str]:
    """Return the models that any tile of the account may name."""
    activity, today, window = snapshot.activity.value, snapshot.today.value, snapshot.window.value
    names = {name for models in (activity.by_model.values() if activity is not None else ()) for name in models}
    return names.union(today.by_model if today is not None else (), window.by_model if window is not None else ())


def _bare(name: str) -> str:
    return single_line(name.rpartition("/")[2].rpartition(": ")[2]) or UNKNOWN


def _wordings(bare: str) -> tuple[str, ...]:
    """Return the shorter wordings of a name, shortest first, and the name itself at the end."""
    brief = _without_family(bare)
    return _without_release(brief), brief, bare


def _without_release(name: str) -> str:
    """Return a long name without the words at its end that name its release."""
    return name if len(name) <= _LONG else _RELEASE.sub("", name) or name


def _without_family(name: str) -> str:
    for separator in ("-", " "):
        _, found, rest = name.partition(separator)
        if found:
            word = rest.partition(separator)[0]
            is_distinct = word.isalpha() and len(word) >= 4 and len(rest) > len(word) and word.lower() not in _COMMON_WORDS
            return rest if is_distinct else name
    return name
