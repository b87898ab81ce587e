"""`balance`: credits remaining, credits used, or percent used; below, what was spent today and how that compares.

    show     remaining, used, percent
    period   30d, 7d, all           for used and percent; with `all`, used is everything ever used
    low_usd  auto                   amber below 7 days of runway, red below 2 or below zero, always in words (`Low`; below what
                                    was used `$9.99 left`); or an amount: amber below it, red below a fifth of it; or off
    notify   true                   notify when the balance is low

`$1.94 today` / `▼ 16 % less`: compared with yesterday by this time of day, else the last completed UTC day, named `yesterday`
(`yest.` on a small key), with the one before. A tap opens the credits page.
"""

from collections.abc import Mapping
from decimal import Decimal

from openbalance_hid.account.alert import AlertKind, BalanceLevel, level_name
from openbalance_hid.account.amount import as_of
from openbalance_hid.account.low_balance import AUTO, OFF, Limit, low_level
from openbalance_hid.account.pace import is_prepaid
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spend import percent_used, trend, used_usd
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.comparison import day_lines, read_comparison
from openbalance_hid.tiles.kind import NOT_POLLED, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import notice_view, shown_age, trouble, trouble_of_spend, value_view
from openbalance_hid.tiles.view import Gauge, Hero, Icon, Line, TileView, Tone

PERIODS = {"30d": "30 d", "7d": "7 d", "all": ""}


def view(scene: Scene) -> TileView:
    """Return the number, its tone and the lines below it, or the reason why there is none."""
    snapshot, show = scene.snapshot, scene.choice("show")
    title = scene.label or _title(scene)
    account, measured_at = snapshot.credits.value, snapshot.credits.measured_at
    used = used_usd(snapshot, scene.choice("period"), scene.now)
    shows_spend = show == "used" and scene.choice("period") != "all" and used.is_known  # known also while `/credits` fails
    if account is None and not shows_spend:
        return notice_view(scene, title, trouble(scene, snapshot.credits))
    if account is not None and not is_prepaid(snapshot):
        return _used_view(scene, account.total_usage_usd)
    level = low_level(snapshot, limit_of(scene.options), scene.now)
    grade = level_name(AlertKind.BALANCE, level) if level is not BalanceLevel.NORMAL else None
    if show != "remaining":
        measured_at = as_of(used, measured_at).measured_at
    hero = Hero(_number(scene), Tone.INK if show == "used" else tone_of_grade(grade))  # what was used is not low
    low = None if grade is None else _low_line(scene, grade)
    health = trouble(scene, snapshot.credits) if show == "remaining" else trouble_of_spend(scene, scene.choice("period"), used)
    if health is Health.OK and snapshot.health is not Health.PREPARING:
        health = snapshot.health  # the account's own trouble belongs here, whatever has answered
    if show == "percent":
        gauge, part = _part_of_all(scene, tone_of_grade(grade))
        last = low or part
        below = (*gauge, *(() if last is None else (last,)))
        spoken: list[str | Line | None] = [f"{title} {hero.text}{'' if part is None else f' {part.text}'}", low]
    else:
        lines = day_lines(scene, shown_age(snapshot, measured_at, scene.now))
        below = lines if low is None else (*(line for line in lines[:1] if line.text.endswith("today")), low)
        day = lines[0].text if lines else None
        spoken = [f"{title} {hero.text}", low, day, read_comparison(trend(snapshot, scene.now)) if len(lines) > 1 else None]
    return value_view(scene, title, (hero, *below), spoken, measured_at, trouble=health)


def limit_of(options: Mapping[str, object]) -> Limit:
    """Return the limit below which the balance is low, as the options of a tile have it."""
    value = options.get("low_usd", AUTO)
    return value if isinstance(value, str) else OFF if value is None else Decimal(str(value))


def _used_view(scene: Scene, total_usd: Decimal) -> TileView:
    """Return the view of an account without prepaid credits, which has no balance: what was used."""
    snapshot, show = scene.snapshot, scene.choice("show")
    period = "all" if show == "remaining" else scene.choice("period")
    title = scene.label or f"Used {PERIODS[period]}".rstrip()
    amount = words.money(total_usd if period == "all" else used_usd(snapshot, period, scene.now))
    measured_at = snapshot.credits.measured_at
    lines = day_lines(scene, shown_age(snapshot, measured_at, scene.now))
    spoken = [f"{title} {amount}", "no prepaid credits", lines[0].text if lines else None]
    return value_view(scene, title, (Hero(amount), *lines), spoken, measured_at, trouble=trouble(scene, snapshot.credits))


def _title(scene: Scene) -> str:
    if scene.choice("show") == "remaining":
        return "Balance"
    word = "Spent" if scene.choice("show") == "used" else "Used"
    return f"{word} {PERIODS[scene.choice('period')]}".rstrip()


def _low_line(scene: Scene, grade: str) -> Line:
    """Return that the balance is low: below the balance in a word; below what was used, as what is left."""
    account = scene.snapshot.credits.value
    if scene.choice("show") == "remaining" or account is None:
        return word_of_grade(grade)
    long, short = (f"{text(account.balance_usd)} left" for text in (words.money, words.short_money))
    return Line(long, tone_of_grade(grade), Icon.WARNING, variants=(short,))


def _part_of_all(scene: Scene, tone: Tone) -> tuple[tuple[Gauge, ...], Line | None]:
    """Return the gauge of the used part, and what it is a part of: everything ever bought."""
    used, account = percent_used(scene.snapshot, scene.choice("period"), scene.now), scene.snapshot.credits.value
    if used is None or account is None:
        return (), None
    share = float(min(Decimal(1), max(Decimal(0), used / 100)))
    gauge = Gauge(share, Tone.ACCENT if tone is Tone.INK else tone)
    return (gauge,), Line(f"of {words.money(account.total_credits_usd)}")


def _number(scene: Scene) -> str:
    match scene.choice("show"):
        case "used":
            return words.money(used_usd(scene.snapshot, scene.choice("period"), scene.now))
        case "percent":
            percent = words.percent(percent_used(scene.snapshot, scene.choice("period"), scene.now))
            sign = used_usd(scene.snapshot, scene.choice("period"), scene.now).sign
            return f"{sign} {percent}".lstrip() if sign != "~" and percent != words.UNKNOWN else f"{sign}{percent}"
    account = scene.snapshot.credits.value
    return words.money(account.balance_usd if account is not None else None)


def word_of_grade(grade: str) -> Line:
    """Return how low a balance is, in a word."""
    return Line(grade.capitalize(), tone_of_grade(grade), Icon.WARNING)


def tone_of_grade(grade: str | None) -> Tone:
    """Return amber for a low balance, red for a very low one and one below zero."""
    return Tone.INK if grade is None else Tone.WARN if grade == "low" else Tone.ALARM


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("more today", CaseAccount(today="2.35")),
        TileCase("same today", CaseAccount(today="1.60")),
        TileCase("less yesterday", CaseAccount(days=("2.85", "3.40"), sampled_h=0, unknown=("today", "keys"))),
        TileCase("no trend", CaseAccount(sampled_h=0, unknown=NOT_POLLED)),
        TileCase("low", CaseAccount(bought="30", used="25.20"), options={"low_usd": Decimal(10)}),
        TileCase("very low", CaseAccount(bought="26.95", used="25.20"), options={"low_usd": Decimal(10)}),
        TileCase("negative", CaseAccount(today="2.35", bought="10", used="12.40")),
        TileCase("nothing left", CaseAccount(bought="10", used="10")),
        TileCase("thousandths", CaseAccount(bought="10", used="9.988")),
        TileCase("thousands", CaseAccount(today="312.40", bought="20000", used="7655.90")),
        TileCase("millions", CaseAccount(bought="2000000", used="765432.10")),
        TileCase("millions owed", CaseAccount(bought="1", used="1234568.80")),
        TileCase("used 7d", options={"show": "used", "period": "7d"}),
        TileCase("used 30d", options={"show": "used"}),
        TileCase("used all", options={"show": "used", "period": "all"}),
        TileCase(
            "used unknown",
            CaseAccount(sampled_h=0, unknown=NOT_POLLED, refused={"activity": Health.SERVER_ERROR}),
            options={"show": "used"},
        ),
        TileCase("percent 30d", options={"show": "percent"}),
        TileCase("percent all", options={"show": "percent", "period": "all"}),
        TileCase("used 30d, low", CaseAccount(bought="35"), options={"show": "used"}),
        TileCase("percent 30d, low", CaseAccount(bought="35"), options={"show": "percent"}),
        TileCase("percent small", CaseAccount(bought="5000"), options={"show": "percent", "period": "all"}),
        TileCase("percent above 100", CaseAccount(bought="20"), options={"show": "percent", "period": "all"}),
    )


KIND = TileKind(
    "balance",
    "credits remaining, credits used, or percent used",
    view,
    OpenPage(WebPage.CREDITS),
    (
        Option("show", "choice", "remaining", choices=("remaining", "used", "percent"), help="which number"),
        Option("period", "choice", "30d", choices=("30d", "7d", "all"), help="of used and percent"),
        Option(
            "low_usd",
            "decimal",
            AUTO,
            choices=(AUTO, OFF),
            minimum=0,
            maximum=1_000_000,
            help="amber below it, red below a fifth of it; auto: below 7 and 2 days of runway",
        ),
        Option("notify", "bool", True, help="notify when the balance is low"),
    ),
    cases=cases,
)
