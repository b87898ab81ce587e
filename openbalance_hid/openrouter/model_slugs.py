"""One name for each model: its slug, whichever spelling an endpoint uses. Pure.

`/activity` writes slugs (`qwen/qwen3-coder`), `/analytics/query` display names (`Qwen: Qwen3 Coder 480B A35B`), with the vendor
or without. `GET /models` has both. A name that is not in it, or that several models have, is kept as it is: similar words are
no proof that two names mean the same model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openbalance_hid.account.snapshot import ZERO_SPEND, Snapshot, Spend
from openbalance_hid.openrouter.list_replies import ModelNames


def slugs_by_spelling(models: Iterable[ModelNames]) -> dict[str, str]:
    """Return the slug for each spelling (see `spelling`) that belongs to one model alone."""
    models = tuple(models)
    exact: dict[str, set[str]] = {}
    short: dict[str, set[str]] = {}
    for model in models:
        for name in (model.slug, model.display_name, model.permanent_slug):
            exact.setdefault(spelling(name), set()).add(model.slug)
        vendor, separator, rest = model.display_name.partition(": ")
        if separator and vendor:
            short.setdefault(spelling(rest), set()).add(model.slug)
    slugs = {name: slug for name, candidates in exact.items() if (slug := _only(candidates)) is not None}
    slugs |= {spelling(model.slug): model.slug for model in models}
    return {name: slug for name, candidates in short.items() if len(candidates) == 1 for slug in candidates} | slugs


def spelling(name: str) -> str:
    """Return the form in which names are compared: without regard to case and to the number of spaces."""
    return " ".join(name.split()).casefold()


def renamed(spends: Mapping[str, Spend], slugs: Mapping[str, str]) -> dict[str, Spend]:
    """Return the spends by slug; names without one are kept."""
    sums: dict[str, Spend] = {}
    for name, spend in spends.items():
        slug = slugs.get(spelling(name), name)
        sums[slug] = sums.get(slug, ZERO_SPEND) + spend
    return sums


def has_unknown_name(known: Snapshot) -> bool:
    """Return whether a model of today or of the window is named neither in `GET /models` nor in `/activity`."""
    days = known.activity.value.by_model if known.activity.value is not None else {}
    slugs = {slug for day in days.values() for slug in day}
    answers = (known.today.value, known.window.value)
    names: set[str] = {name for answer in answers if answer is not None for name in answer.by_model} - slugs
    return any(spelling(name) not in (known.models.value or {}) for name in names)


def _only(slugs: set[str]) -> str | None:
    """Return the single slug; of a model and its variants (`:free`), which share a permanent slug, the model itself."""
    if len(slugs) == 1:
        return next(iter(slugs))
    plain = [slug for slug in slugs if ":" not in slug]
    return plain[0] if len(plain) == 1 and all(slug.partition(":")[0] == plain[0] for slug in slugs) else None
