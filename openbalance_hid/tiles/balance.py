"""`balance`: credits remaining, credits used, or percent used, with the daily trend below.

    show     remaining, used, percent
    period   30d, 7d, all           for used and percent; with `all`, used is everything ever used
    low_usd  off                    below it the number is amber, below a fifth of it red; the title changes too
    notify   true                   notify when the balance is low

The trend compares like with like: `today` against yesterday by this time of day where both are known, else `yest`, the last
completed UTC day against the one before. Green ▼: less was spent; red ▲: more. A tap opens the credits page.
"""

from decimal import Decimal

from openbalance_hid.account.alert import AlertKind, BalanceLevel, balance_level, level_name
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spend import percent_used, trend, used_usd
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import NOT_POLLED, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import faded, notice_view, shown_age, trouble, trouble_line, value_view
from openbalance_hid.tiles.view import Hero, Icon, Line, TileView, Tone

TITLES = {"remaining": "Balance", "used": "Used", "percent": "Used"}


def view(scene: Scene) -> TileView:
    """Return the number, its tone and the trend, or the reason why there is none."""
    snapshot, show = scene.snapshot, scene.choice("show")
    title = scene.label or (TITLES[show] if show == "remaining" else f"{TITLES[show]} {scene.choice('period')}")
    credits_trouble = trouble(scene, snapshot.credits)
    account = snapshot.credits.value
    if account is None:
        return notice_view(scene, title, credits_trouble)
    level = balance_level(account.balance_usd, scene.amount("low_usd"))
    grade = level_name(AlertKind.BALANCE, level) if level is not BalanceLevel.NORMAL else None
    hero = Hero(_number(scene), _tone(grade))
    age = shown_age(snapshot, snapshot.credits.measured_at, scene.now)
    below = trouble_line(credits_trouble) or faded(trend_line(scene), age)
    if below is None and show != "remaining" and hero.text == words.UNKNOWN:
        below = trouble_line(trouble(scene, snapshot.activity))
    low = _low(title, show, grade)
    blocks = (hero,) if below is None else (hero, below)
    return value_view(scene, title, blocks, [f"{title} {hero.text}", below], snapshot.credits.measured_at, trouble=low)


def trend_line(scene: Scene) -> Line | None:
    """Return the trend with its arrow and basis; None while either side is unknown."""
    if scene.snapshot.health not in (Health.OK, Health.PREPARING):
        return None
    change = trend(scene.snapshot, scene.now)
    if change is None:
        return None
    return change_line(change.difference_usd, change.basis)


def change_line(difference_usd: Decimal, basis: str) -> Line:
    """Return arrow, amount and basis: green ▼ when less was spent, red ▲ when more."""
    if difference_usd == 0:
        return Line(f"same {basis}", Tone.MUTED, Icon.LEVEL)
    less = difference_usd < 0
    amount = words.money(abs(difference_usd))
    return Line(
        f"{amount} {basis}",
        Tone.GOOD if less else Tone.ALARM,
        Icon.DOWN if less else Icon.UP,
        variants=(amount,),
    )


def _number(scene: Scene) -> str:
    match scene.choice("show"):
        case "used":
            return words.money(used_usd(scene.snapshot, scene.choice("period"), scene.now))
        case "percent":
            return words.percent(percent_used(scene.snapshot, scene.choice("period"), scene.now))
    account = scene.snapshot.credits.value
    return words.money(account.balance_usd if account is not None else None)


def _tone(grade: str | None) -> Tone:
    return Tone.INK if grade is None else Tone.WARN if grade == "low" else Tone.ALARM


def _low(title: str, show: str, grade: str | None) -> Line | None:
    """Return the title of a low balance, with word and sign: amber, red and white look alike to some eyes."""
    if grade is None:
        return None
    shorter = grade.capitalize() if show == "remaining" else title  # the title of another number stays
    text = f"{title} {grade}" if show == "remaining" else f"{title}, {grade}"
    return Line(text, _tone(grade), Icon.WARNING, variants=(shorter,))


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
        TileCase("millions owed", CaseAccount(bought="0", used="1234567.80")),
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
        Option("low_usd", "decimal", None, minimum=0, maximum=1_000_000, help="amber below it, red below a fifth of it"),
        Option("notify", "bool", True, help="notify when the balance is low"),
    ),
    cases=cases,
)
