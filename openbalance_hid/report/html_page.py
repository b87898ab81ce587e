"""The page of a report: figures into words, charts and tables, and these into one HTML file. The only module with Jinja2.

Names come from OpenRouter and from users: the template escapes every text, and the page forbids scripts and requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

from openbalance_hid import __version__
from openbalance_hid.account.amount import Amount
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.spike import Level
from openbalance_hid.extras import missing_extra
from openbalance_hid.history.reader import KeyAction, Spike
from openbalance_hid.report import charts
from openbalance_hid.report.charts import Bar
from openbalance_hid.report.figures import AccountFigures, PartFigures, Ranking
from openbalance_hid.report.period import day_text
from openbalance_hid.text import escape_unprintable
from openbalance_hid.tiles.formatting import MONTHS, UNKNOWN, cents, count, duration, percent, times

NAMES_IN_CHART, NAMES_IN_TABLE = 10, 50
EVENTS = 200  # rows of a table of spikes, actions or runs

Step = Callable[[str], object]
RANKINGS = {"model": ("Models", "model"), "provider": ("Providers", "provider"), "key": ("API keys", "API key")}


def render_report(accounts: Sequence[AccountFigures], title: str, now: datetime, step: Step = lambda _: None) -> str:
    """Return the page. `step` is called before each part with what is drawn, in words. MissingPackageError without Jinja2."""
    try:
        from jinja2 import Environment
    except ModuleNotFoundError as error:
        raise missing_extra("report", "reports need") from error

    folder = files("openbalance_hid.report")
    template = (folder / "page.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        css=(folder / "page.css").read_text(encoding="utf-8"),
        title=title,
        accounts=[_account(each, step) for each in accounts],
        generated=_moment(now),
        version=__version__,
    )


def steps(accounts: int) -> int:
    """Return how often `render_report` calls `step`."""
    return 4 * accounts


def _account(figures: AccountFigures, step: Step) -> Mapping[str, Any]:
    name = escape_unprintable(figures.account)
    step(f"{name}: days")
    days = {"spend": _spend(figures), "balance": _balance(figures)}
    step(f"{name}: models, providers, keys")
    rankings = [_ranking(by, ranking) for by, ranking in figures.rankings.items()]
    step(f"{name}: weekdays")
    weekdays = _weekdays(figures)
    step(f"{name}: events")
    return {
        "name": name,
        "empty": figures.is_empty,
        "period": f"{day_text(figures.first)} – {day_text(figures.last)}",
        "cards": _cards(figures),
        "notes": _notes(figures),
        **days,
        "rankings": rankings,
        "own_keys": _own_keys(figures),
        "weekdays": weekdays,
        "budget": _budget(figures),
        "spikes": [_spike(each) for each in figures.spikes[-EVENTS:][::-1]],
        "actions": [_action(each) for each in figures.actions[-EVENTS:][::-1]],
        "runs": [_run(each) for each in figures.runs[-EVENTS:][::-1]],
        "more": {kind: max(0, len(getattr(figures, kind)) - EVENTS) for kind in ("spikes", "actions", "runs")},
    }


def _cards(figures: AccountFigures) -> list[tuple[str, str, str]]:
    """Return label, value and a line below, of the numbers at the top."""
    largest = figures.largest
    balance = next((day for day in reversed(figures.days) if day.balance_usd is not None), None)
    spend_days = sum(bool(day.spent.usd) for day in figures.days)
    requests = [day.requests for day in figures.days if day.requests is not None]
    tokens = sum(day.tokens or 0 for day in figures.days)
    return [
        ("Spent", cents(figures.total), "a part is unknown: at least this" if figures.total.lower_bound else "in this period"),
        ("Mean of a day", cents(figures.mean), f"{spend_days} of {len(figures.days)} days have spend"),
        ("Largest day", cents(largest.spent) if largest else UNKNOWN, day_text(largest.day) if largest else "no spend known"),
        ("Credits left", cents(balance.balance_usd) if balance else UNKNOWN, f"on {day_text(balance.day)}" if balance else ""),
        ("Requests", count(sum(requests)) if requests else UNKNOWN, f"{count(tokens)} tokens" if tokens else ""),
        ("Spike alerts", str(len(figures.spikes)), "in this period"),
    ]


def _notes(figures: AccountFigures) -> list[str]:
    notes = []
    if figures.unknown_days:
        days = f"{figures.unknown_days} day is" if figures.unknown_days == 1 else f"{figures.unknown_days} days are"
        notes.append(f"{days} unknown and shown as a pale column, not as zero. Sums over them are lower bounds (≥).")
    if figures.own_keys is not None:
        cost = cents(figures.own_keys.total)
        notes.append(f"Own keys (BYOK) cost {cost}, billed by your providers: no amount but those under Own keys includes it.")
    if figures.last == figures.today:
        notes.append(f"{day_text(figures.today)} is not over: its amount is what was known when this page was made.")
    return notes


def _spend(figures: AccountFigures) -> Mapping[str, Any]:
    shown = [_part_bar(each) for each in figures.parts]
    about = f"Spend by {figures.unit}, {day_text(figures.first)} to {day_text(figures.last)}; the table has every number"
    return {
        "chart": charts.columns(shown, about),
        "unit": figures.unit,
        "has_spikes": any(each.spiked for each in figures.parts),
        "has_unknown": any(not each.spent.is_known for each in figures.parts),
        "has_inexact": any(each.spent.sign for each in figures.parts),
        "rows": [
            (each.part.title, cents(each.spent), _count(each.requests), _tokens(each.tokens), _remark(each))
            for each in reversed(figures.parts)
        ],
        "days": []
        if figures.unit == "day"
        else [
            (day_text(day.day), cents(day.spent), _count(day.requests), _tokens(day.tokens)) for day in reversed(figures.days)
        ],
    }


def _part_bar(each: PartFigures) -> Bar:
    colour = charts.ORANGE if each.spiked else _colour(each.spent)
    words = cents(each.spent) if each.spent.is_known else "unknown"
    return Bar(each.part.label, f"{each.part.title}: {words}", each.spent.usd, colour)


def _colour(amount: Amount) -> str:
    return charts.LIGHT_BLUE if amount.sign else charts.BLUE


def _remark(each: PartFigures) -> str:
    remarks = ["spike"] if each.spiked else []
    if len(each.part.days) > 1 and each.unknown_days:
        remarks.append(f"{each.unknown_days} of {len(each.part.days)} days unknown")
    elif not each.spent.is_known:
        remarks.append("unknown")
    elif each.spent.lower_bound:
        remarks.append("at least")
    elif each.spent.approximate:
        remarks.append("estimated")
    return ", ".join(remarks)


def _balance(figures: AccountFigures) -> Mapping[str, Any] | None:
    known = [each for each in figures.days if each.balance_usd is not None]
    if len(known) < 2:
        return None
    ends = {each.day: each.balance_usd for each in known}
    points = []
    for part in figures.parts:
        usd = next((ends[day] for day in reversed(part.part.days) if day in ends), None)
        points.append(Bar(part.part.label, f"{part.part.title}: {cents(usd)}", usd))
    return {
        "chart": charts.line(points, "Credits left at the end of each part of the period; the table has every number"),
        "rows": [(part.part.title, cents(point.usd)) for part, point in zip(figures.parts, points, strict=True)][::-1],
    }


def _ranking(by: str, ranking: Ranking) -> Mapping[str, Any]:
    heading, column = RANKINGS[by]
    shown = ranking.names[:NAMES_IN_TABLE]
    bars = [
        Bar(
            _short(escape_unprintable(each.name)) if by == "model" else escape_unprintable(each.name),
            f"{escape_unprintable(each.name)}: {cents(each.spent)}",
            each.spent.usd,
        )
        for each in ranking.names[:NAMES_IN_CHART]
    ]
    more = len(ranking.names) - len(shown)
    return {
        "id": by,
        "heading": heading,
        "column": column,
        "chart": charts.rows(bars, f"{heading} with the highest spend; the table has every number") if bars else None,
        "rows": [
            (
                escape_unprintable(each.name),
                cents(each.spent),
                percent(Decimal(str(round(each.share * 100, 4)))),
                _count(each.requests),
                _tokens(each.tokens),
            )
            for each in shown
        ],
        "more": more,
        "rest": cents(ranking.rest) if ranking.rest is not None else "",
    }


def _own_keys(figures: AccountFigures) -> Mapping[str, Any] | None:
    found = figures.own_keys
    if found is None:
        return None
    bars = [Bar(part.label, f"{part.title}: {cents(usd)}", usd.usd, _colour(usd)) for part, usd in found.parts]
    return {
        "total": cents(found.total),
        "chart": charts.columns(bars, f"Own-key cost by {figures.unit}; the table has every number"),
        "has_unknown": any(not usd.is_known for _, usd in found.parts),
        "has_inexact": any(usd.sign for _, usd in found.parts),
        "rows": [(part.title, cents(usd)) for part, usd in reversed(found.parts)],
        "names": [
            {
                "column": RANKINGS[by][1],
                "rows": [(escape_unprintable(name), cents(usd)) for name, usd in ranking.names[:NAMES_IN_TABLE]],
                "more": max(0, len(ranking.names) - NAMES_IN_TABLE),
                "rest": cents(ranking.rest) if ranking.rest is not None else "",
            }
            for by, ranking in found.rankings.items()
        ],
    }


def _short(name: str) -> str:
    """Return a model without its vendor, as on a tile."""
    return name.partition("/")[2] if re.fullmatch(r"[\w.~-]+/[\w.:-]+", name) else name


def _weekdays(figures: AccountFigures) -> Mapping[str, Any]:
    bars = [
        Bar(each.name[:3], f"{each.name}: {cents(each.mean)}", each.mean.usd, _colour(each.mean)) for each in figures.weekdays
    ]
    return {
        "has_inexact": any(each.mean.sign for each in figures.weekdays),
        "has_unknown": any(not each.mean.is_known for each in figures.weekdays),
        "chart": charts.columns(bars, "Mean spend of each weekday; the table has every number"),
        "rows": [(each.name, cents(each.mean), str(each.days)) for each in figures.weekdays],
    }


def _budget(figures: AccountFigures) -> list[Mapping[str, Any]]:
    months: list[Mapping[str, Any]] = []
    for each in figures.budget:
        share = None if each.spent.usd is None else each.spent.usd * 100 / each.limit_usd
        over = share is not None and share > 100
        state = "over" if over else "unknown" if share is None else "within" if each.ended else "so far"
        months.append(
            {
                "month": f"{MONTHS[each.first.month - 1]} {each.first.year}",
                "spent": cents(each.spent),
                "limit": cents(each.limit_usd),
                "share": ("≥ " if each.spent.lower_bound else "") + percent(share),
                "width": 0 if share is None else float(min(Decimal(100), max(Decimal(0), share))),
                "state": "at least" if each.spent.lower_bound and state == "within" else state,
                "over": over,
            }
        )
    return months[::-1]


def _spike(each: Spike) -> tuple[str, str, str, str]:
    level = "Critical" if each.highest is Level.CRITICAL else "Spike"
    lasted = _lasted(each.started_at, each.ended_at)
    rule = f"{times(each.rule.threshold)} the usual pace of {each.rule.window_hours:f} h"
    watched = escape_unprintable(each.rule.key_name) if each.rule.key_name else "the account"
    return _moment(each.started_at), lasted, level, f"{rule}, {watched}"


def _action(each: KeyAction) -> tuple[str, str, str, str, str]:
    words = (each.key_name, "disabled" if each.disables else "enabled", each.source, each.result)
    message = f" ({each.message})" if each.message else ""
    name, what, source, result = (escape_unprintable(word) for word in words)
    return _moment(each.at), name, what, source, result + escape_unprintable(message)


def _run(each: MeterRun) -> tuple[str, str, str]:
    return (
        _moment(each.started_at),
        _lasted(each.started_at, each.ended_at),
        cents(Amount(each.usd, approximate=each.approximate)),
    )


def _lasted(start: datetime, end: datetime | None) -> str:
    return "not ended" if end is None else duration((end - start).total_seconds())


def _moment(at: datetime) -> str:
    return f"{day_text(at.date())}, {at:%H:%M}"


def _count(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def _tokens(number: int | None) -> str:
    return UNKNOWN if number is None else count(number)
