"""The small screen of the Neo: account, balance and its age. Not a tile: it has no options.

Several accounts of a deck are shown one after another; a touch does nothing.
"""

from msgspec.structs import replace

from openbalance_hid.account.alert import AlertKind, BalanceLevel, level_name
from openbalance_hid.account.low_balance import AUTO, low_level
from openbalance_hid.account.pace import is_prepaid
from openbalance_hid.account.utc_days import CLOCKS_APART_S, utc_now
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.balance import tone_of_grade, word_of_grade
from openbalance_hid.tiles.comparison import day_lines
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import notice_view, shown_age, trouble, trouble_line, value_view
from openbalance_hid.tiles.view import Hero, Line, TileView


def view(scene: Scene) -> TileView:
    """Return the account, the balance and its age, or the trouble."""
    snapshot = scene.snapshot
    name = "OpenRouter" if snapshot.account == "default" else single_line(snapshot.account)
    title = f"{name} {'balance' if is_prepaid(snapshot) else 'used'}"
    health = trouble(scene, snapshot.credits)
    account, measured_at = snapshot.credits.value, snapshot.credits.measured_at
    if account is None or measured_at is None:
        return notice_view(scene, title, health)
    prepaid = is_prepaid(snapshot)
    balance = words.money(account.balance_usd if prepaid else account.total_usage_usd)
    age = shown_age(snapshot, measured_at, scene.now)
    since = _since((utc_now(snapshot, scene.now) - measured_at).total_seconds())
    # Beside a trouble the age matters more.
    lines = day_lines(scene, age) if trouble_line(snapshot, health) is None else ()
    limits = scene.options.get("low_usd")
    chosen = limits if isinstance(limits, tuple) and limits else (AUTO,)
    level = max(low_level(snapshot, limit, scene.now) for limit in chosen)
    grade = level_name(AlertKind.BALANCE, level) if level is not BalanceLevel.NORMAL else None
    if grade is not None and trouble_line(snapshot, health) is None:
        lines = (*(line for line in lines[:1] if line.text.endswith("today")), word_of_grade(grade))
    hero = Hero(balance, tone_of_grade(grade))
    spoken: list[str | Line | None] = [f"{title} {balance}", since, *lines]
    view = value_view(scene, title, (hero, *lines, Line(since)), spoken, measured_at, trouble=health)
    return replace(view, tile="screen")


def _since(seconds: float) -> str:
    if seconds < -CLOCKS_APART_S:
        return "age unknown"
    return "updated just now" if seconds < 60 else f"updated {words.duration(seconds)} ago"
