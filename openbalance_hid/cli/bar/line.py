"""What a status bar is told of one account: glyph, words, tone and the lines of a tooltip. Pure; no format knows more.

Built from the account's part of `status --json`. Amounts are text for the glass, what is unknown is `—`. Names and messages
come from servers: they are without control characters here, and each format escapes them for its program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words

DISPLAYS = ("both", "icon", "balance", "usage")
PERIODS = {"today": "today", "7d": "7 days", "30d": "30 days", "month": "month", "all": "all time"}

# State -> glyph, tone. The glyph alone tells the states apart; colours come second.
STATES = {
    "absent": ("∅", "muted"),
    "preparing": ("…", "muted"),
    "trouble": ("✗", "alarm"),
    "stale": ("◷", "muted"),
    "critical": ("‼", "alarm"),
    "spike": ("⚠", "warn"),
    "low": ("▽", "warn"),
    "normal": ("✓", "ink"),
}
# Health -> the words that stand on the keys for it.
TROUBLES = {
    "no_key": "Set up",
    "not_management_key": "Not a Management key",
    "key_rejected": "Key rejected",
    "offline": "Offline",
    "rate_limited": "Slow down",
    "server_error": "OpenRouter error",
}
TOP_MODELS = 3


@dataclass(frozen=True, slots=True)
class BarLine:
    """One account in a bar. `tone`: ink, muted, warn or alarm."""

    state: str  # of `STATES`
    icon: str
    text: str  # what was asked for, without the icon; may be empty
    short: str  # where a bar has little room
    tone: str
    classes: tuple[str, ...]  # state first, then what else is true
    details: tuple[str, ...]  # lines of a tooltip or a menu
    account: str
    balance_usd: str | None = None
    usage_usd: str | None = None
    period: str = "today"
    left_percent: int | None = None  # of what was bought
    urgent: bool = False  # an alarm that nobody has acknowledged

    @property
    def whole(self) -> str:
        """Icon and text."""
        return f"{self.icon} {self.text}" if self.text else self.icon


def absent(account: str) -> BarLine:
    """The line while no daemon runs."""
    icon, tone = STATES["absent"]
    details = ("no daemon is running", "start it with: openbalance-hid run")
    return BarLine("absent", icon, "no daemon", "", tone, ("absent",), details, account)


def line_of(told: Mapping[str, Any], account: str, show: str, period: str, now: datetime) -> BarLine:
    """The line of an account, from its part of the status. `show` is one of `DISPLAYS`, `period` of `PERIODS`."""
    state, word = _state(told, now)
    icon, tone = STATES[state]
    if state == "low" and _usd(told["balance_usd"]) is not None and (_usd(told["balance_usd"]) or 0) < 0:
        tone = "alarm"
    balance, usage = words.money(_usd(told["balance_usd"])), words.money(_usd(told["spend_usd"][period]))
    known = told["balance_usd"] is not None
    amounts = {"both": [balance, f"{usage} {PERIODS[period]}"], "balance": [balance], "usage": [f"{usage} {PERIODS[period]}"]}
    said = " · ".join(amounts.get(show, [])) if known else ""
    name = account if account != "default" else ""
    spike = told["spike"]
    line = BarLine(
        state,
        icon,
        "" if show == "icon" else " ".join(part for part in (name, word, said) if part),
        balance if known and show != "icon" else "",
        tone,
        tuple(dict.fromkeys((state, told["health"], *_also(told)))),
        tuple(_details(told, account, now)),
        account,
        told["balance_usd"],
        told["spend_usd"][period],
        period,
        _left_percent(told),
        urgent=state == "critical" and not spike["acknowledged"],
    )
    return _masked(line) if told.get("masked") else line


def _masked(line: BarLine) -> BarLine:
    """What a bar may show while amounts are masked on the deck: the same screen may be shared."""
    from openbalance_hid.tiles.masked import hidden

    return replace(
        line,
        text=hidden(line.text),
        short=hidden(line.short),
        details=tuple(hidden(each) for each in line.details),
        balance_usd=None,
        usage_usd=None,
    )


def _state(told: Mapping[str, Any], now: datetime) -> tuple[str, str]:
    """The state, and the word that says it beside the amounts."""
    health = told["health"]
    if told["balance_usd"] is None:
        return ("trouble", TROUBLES[health]) if health in TROUBLES else ("preparing", "Preparing…")
    if told["stale"]:  # before the alarm: an old verdict is no news
        return "stale", " ".join(part for part in (TROUBLES.get(health, ""), f"{_age(told, now)} old") if part)
    if told["spike"]["level"] in ("critical", "spike"):
        return told["spike"]["level"], told["spike"]["level"].capitalize()
    if health in TROUBLES:
        return "trouble", TROUBLES[health]
    return ("low", "Low") if _is_low(told) else ("normal", "")


def _is_low(told: Mapping[str, Any]) -> bool:
    balance, low = _usd(told["balance_usd"]), _usd(told.get("low_usd"))
    return balance is not None and (balance < 0 or (low is not None and balance < low))


def _also(told: Mapping[str, Any]) -> Sequence[str]:
    marks = {
        "stale": told["stale"],
        "low": _is_low(told),
        told["spike"]["level"]: told["spike"]["level"] in ("spike", "critical"),
        "acknowledged": told["spike"]["acknowledged"],
    }
    return [name for name, holds in marks.items() if holds]


def _details(told: Mapping[str, Any], account: str, now: datetime) -> Sequence[str]:
    spend, spike = told["spend_usd"], told["spike"]
    money = {name: words.cents(_usd(usd)) for name, usd in spend.items()}
    lines = [f"OpenRouter, account {account}" if account != "default" else "OpenRouter"]
    if told["health"] in TROUBLES:
        message = single_line(told["message"] or "")
        lines.append(TROUBLES[told["health"]] + (f": {message}" if message else ""))
    bought = f" of {words.cents(_usd(told['total_credits_usd']))}" if told["total_credits_usd"] is not None else ""
    lines.append(f"Balance {words.cents(_usd(told['balance_usd']))}{bought}")
    lines.append(f"Today {money['today']}, yesterday {money['yesterday']} (UTC)")
    lines.append(f"7 days {money['7d']}, 30 days {money['30d']}, month {money['month']}")
    if told["runway_days"] is not None:
        lines.append(f"Runway {words.about_days(Decimal(str(told['runway_days'])))}")
    about = "~" if spike["approximate"] else ""
    ratio = f", {about}{words.times(Decimal(str(spike['ratio'])))} {spike['lane']}" if spike["ratio"] is not None else ""
    driver = f", {single_line(spike['driver'])}" if spike["driver"] else ""
    lines.append(f"Spike alert: {spike['level']}{ratio}{driver}" + (", acknowledged" if spike["acknowledged"] else ""))
    top = told["top_models"][:TOP_MODELS]
    names = words.model_names([model["model"] for model in top])
    lines += [f"{name} {words.cents(_usd(model['spend_usd']))}" for name, model in zip(names, top, strict=True)]
    lines.append(f"Measured {_age(told, now)} ago" if told["measured_at"] else "Never measured")
    return lines


def _age(told: Mapping[str, Any], now: datetime) -> str:
    if told["measured_at"] is None:
        return words.UNKNOWN
    return words.age((now - datetime.fromisoformat(told["measured_at"])).total_seconds())


def _left_percent(told: Mapping[str, Any]) -> int | None:
    balance, bought = _usd(told["balance_usd"]), _usd(told["total_credits_usd"])
    return max(0, min(100, round(100 * balance / bought))) if balance is not None and bought else None


def _usd(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
