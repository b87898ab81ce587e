"""The content of a status bar's line for one account: glyph, text, tone and the lines of a tooltip. Pure.

The input is the account's part of `status --json`. Amounts are rounded as on the deck; an unknown one is `—`.
Names and messages come from servers: control characters are removed here, and each format escapes the text for its program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from openbalance_hid.hints import hint
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.model_names import short_names

DISPLAYS = ("both", "icon", "balance", "usage")
PERIODS = {"today": "today", "7d": "7 days", "30d": "30 days", "month": "month", "all": "all time"}

# State -> glyph, tone. Each state has its own glyph, so colours are not needed to distinguish them.
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
# Health -> its text on the keys.
TROUBLES = {
    "no_key": "Set up",
    "not_management_key": "Not a Management key",
    "key_rejected": "Key rejected",
    "offline": "Offline",
    "rate_limited": "Slow down",
    "server_error": "API error",
}
TOP_MODELS = 3
ICON = "OR"  # of OpenRouter, before the sign of the state where nothing else says what the line is about


class _Amount(NamedTuple):
    """An amount of the status, as `formatting` takes it."""

    usd: Decimal | None
    lower_bound: bool
    sign: str


class BarLine(NamedTuple):
    """One account in a bar. `tone`: ink, muted, warn or alarm. No data class: their module takes as long as this whole line."""

    state: str  # of `STATES`
    icon: str
    text: str  # the chosen amounts, without the icon; may be empty
    short: str  # for a narrow bar
    tone: str
    classes: tuple[str, ...]  # the state first, then the other conditions
    details: tuple[str, ...]  # lines of a tooltip or a menu
    account: str
    balance_usd: str | None = None
    usage_usd: str | None = None
    period: str = "today"
    left_percent: int | None = None  # of the credits bought
    urgent: bool = False  # an alarm that is not acknowledged

    @property
    def whole(self) -> str:
        """Return icon and text."""
        return f"{self.icon} {self.text}" if self.text else self.icon


def absent(account: str) -> BarLine:
    """Return the line while no daemon runs."""
    icon, tone = STATES["absent"]
    details = ("no daemon is running", f"start it with: {hint('no daemon is running', 'bar')}")
    return BarLine("absent", icon, "no daemon", "", tone, ("absent",), details, account)


def line_of(status: Mapping[str, Any], account: str, show: str, period: str, now: datetime) -> BarLine:
    """Return the line of an account, from its part of the status. `show` is one of `DISPLAYS`, `period` of `PERIODS`."""
    state, word = _state(status, show, period, now)
    icon, tone = STATES[state]
    if state == "low" and _usd(status["balance_usd"]) is not None and (_usd(status["balance_usd"]) or 0) < 0:
        tone = "alarm"
    balance = words.money(_usd(status["balance_usd"]))
    usage = words.money(spent(status, period))
    known = _is_known(status, show, period)
    if status.get("prepaid") is False:  # no balance: what was used is in its place
        balance = f"{words.money(_usd(status['total_usage_usd']))} used"
    amounts = {"both": [balance, f"{usage} {PERIODS[period]}"], "balance": [balance], "usage": [f"{usage} {PERIODS[period]}"]}
    shown = " · ".join(amounts.get(show, [])) if known else ""
    name = account if account != "default" else ""
    spike = status["spike"]
    line = BarLine(
        state,
        f"{ICON} {icon}" if show == "icon" else icon,
        "" if show == "icon" else " ".join(part for part in (name, word, shown) if part),
        balance if known and show != "icon" else "",
        tone,
        tuple(dict.fromkeys((state, status["health"], *_conditions(status)))),
        tuple(_details(status, account, now)),
        account,
        status["balance_usd"],
        status["spend_usd"][period],
        period,
        _left_percent(status),
        urgent=state == "critical" and not spike["acknowledged"],
    )
    return _masked(line) if status.get("masked") else line


def _masked(line: BarLine) -> BarLine:
    """Return the line with masked amounts: while they are masked on the deck, a shared screen must not show them."""
    from openbalance_hid.tiles.masked import hidden

    return line._replace(
        text=hidden(line.text),
        short=hidden(line.short),
        details=tuple(hidden(each) for each in line.details),
        balance_usd=None,
        usage_usd=None,
    )


def _state(status: Mapping[str, Any], show: str, period: str, now: datetime) -> tuple[str, str]:
    """Return the state, and its word beside the amounts. Old is what is shown, whatever else is."""
    health = status["health"]
    if not _is_known(status, show, period):
        return ("trouble", TROUBLES[health]) if health in TROUBLES else ("preparing", "Preparing…")
    has_credits = status["total_usage_usd"] is not None
    if has_credits and status["endpoints"]["credits"]["stale"]:  # before the alarm: a stale one may be over
        return "stale", " ".join(part for part in (TROUBLES.get(health, ""), f"{_age(status, now)} old") if part)
    if show in ("both", "usage") and period in status["spend_stale"]:
        return "stale", f"{PERIODS[period]} is old"
    if status["spike"]["level"] in ("critical", "spike"):
        return status["spike"]["level"], status["spike"]["level"].capitalize()
    if health in TROUBLES:
        return "trouble", TROUBLES[health]
    if not has_credits:
        return "preparing", "Preparing…"
    return ("low", "Low") if _is_low(status) else ("normal", "")


def _is_known(status: Mapping[str, Any], show: str, period: str) -> bool:
    """Return whether there is an amount to show: `/credits` may fail alone."""
    return status["total_usage_usd"] is not None or (show in ("both", "usage") and status["spend_usd"][period] is not None)


def _is_low(status: Mapping[str, Any]) -> bool:
    balance = _usd(status["balance_usd"])
    return balance is not None and (balance < 0 or status.get("balance_level", "normal") != "normal")


def _conditions(status: Mapping[str, Any]) -> Sequence[str]:
    conditions = {
        "stale": status["stale"],
        "low": _is_low(status),
        status["spike"]["level"]: status["spike"]["level"] in ("spike", "critical"),
        "acknowledged": status["spike"]["acknowledged"],
    }
    return [name for name, holds in conditions.items() if holds]


def _details(status: Mapping[str, Any], account: str, now: datetime) -> Sequence[str]:
    spend, spike = status["spend_usd"], status["spike"]
    money = {name: words.cents(spent(status, name)) for name in spend}
    lines = [f"OpenRouter, account {account}" if account != "default" else "OpenRouter"]
    if status["health"] in TROUBLES:
        message = single_line(status["message"] or "")
        lines.append(TROUBLES[status["health"]] + (f": {message}" if message else ""))
    bought = f" of {words.cents(_usd(status['total_credits_usd']))}" if status["total_credits_usd"] is not None else ""
    if status.get("prepaid") is False:
        lines.append(f"Used {words.cents(_usd(status['total_usage_usd']))}, no prepaid credits")
    else:
        lines.append(f"Balance {words.cents(_usd(status['balance_usd']))}{bought}")
    lines.append(f"Today {money['today']}, yesterday {money['yesterday']} (UTC)")
    lines.append(f"7 days {money['7d']}, 30 days {money['30d']}, month {money['month']}")
    if status["runway_days"] is not None:
        lines.append(f"Runway {words.about_days(Decimal(str(status['runway_days'])))}")
    about = "~" if spike["approximate"] else ""
    times = words.times(Decimal(str(spike["ratio"]))) if spike["ratio"] is not None else ""
    ratio = f", {about}{times} the usual pace ({spike['lane']})" if times else ""
    top = status["top_models"][:TOP_MODELS]
    culprit = spike["driver"] if spike["level"] in ("critical", "spike") else None  # a calm day has none, as on the deck
    names = short_names([*(model["model"] for model in top), *([culprit] if culprit else ())])
    driver = f", mostly {names[culprit]}" if culprit else ""
    lines.append(f"Spike alert: {spike['level']}{ratio}{driver}" + (", acknowledged" if spike["acknowledged"] else ""))
    lines += [f"{names[model['model']]} {words.cents(_model_amount(model))}" for model in top]
    lines += [f"Old: {name}" for name, endpoint in status["endpoints"].items() if endpoint["stale"] and name != "credits"]
    measured_at = status["measured_at"]
    lines.append(f"Measured {words.duration(age_s(status, measured_at, now))} ago" if measured_at else "Never measured")
    return lines


def _age(status: Mapping[str, Any], now: datetime) -> str:
    if status["measured_at"] is None:
        return words.UNKNOWN
    return words.age(age_s(status, status["measured_at"], now))


def age_s(account: Mapping[str, Any], instant: str, now: datetime) -> float:
    """Return the age of an instant of an account, which is by OpenRouter's clock. `now`: by the clock of this machine."""
    return (now - datetime.fromisoformat(instant)).total_seconds() + float(account.get("clock_shift_s") or 0)


def spent(status: Mapping[str, Any], period: str) -> _Amount:
    """Return the spend of a period of an account in `status --json`, with its sign where it is not exact."""
    is_lower_bound, is_approximate = period in status["lower_bounds"], period in status["approximate"]
    return _Amount(_usd(status["spend_usd"][period]), is_lower_bound, "≥" if is_lower_bound else "~" if is_approximate else "")


def byok(status: Mapping[str, Any], period: str) -> _Amount:
    """Return the own-key cost of a period, as `spent`."""
    usd = _usd(status["byok_usd"][period])
    is_lower_bound = usd is not None and period in status["byok_lower_bounds"]
    return _Amount(usd, is_lower_bound, "≥" if is_lower_bound else "")


def _model_amount(model: Mapping[str, Any]) -> _Amount:
    is_lower_bound = bool(model.get("lower_bound"))
    return _Amount(_usd(model["spend_usd"]), is_lower_bound, "≥" if is_lower_bound else "")


def _left_percent(status: Mapping[str, Any]) -> int | None:
    balance, bought = _usd(status["balance_usd"]), _usd(status["total_credits_usd"])
    return max(0, min(100, round(100 * balance / bought))) if balance is not None and bought else None


def _usd(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
