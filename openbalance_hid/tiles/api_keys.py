"""`api-keys`: spend per API key of the account, two at a time, each with its limit as a gauge where it has one.

    period   today, week, month      all UTC; the week begins on Monday
    key_name all                     one key, to see it alone (`key` is its place on the deck)

OpenRouter lists the keys of the default workspace only; spend of deleted keys and of the chat room is not included. A key with
a limit has the used share behind its name: amber from 80 %, red when nothing is left. The bar of a key without a limit is its
share of all keys. The keys are requested a few times a day and at a hold; after more spend the amounts are old. The next page
follows every 60 s. A tap opens the keys page.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from openbalance_hid.account.snapshot import ApiKey, Snapshot
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.ranking import ROWS, page_of, titles_of
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import TileState, notice_view, plain_notice, trouble, true_until, value_view
from openbalance_hid.tiles.view import Block, Gauge, Hero, Icon, Line, Row, TileView, Tone

MOST = 6
WARN_SHARE = Decimal("0.8")
NO_KEYS = TileState("No keys yet", Icon.KEY, Tone.MUTED)
NO_SUCH_KEY = TileState("No such key", Icon.KEY, Tone.WARN)


def view(scene: Scene) -> TileView:
    """Return one page of keys, one key alone, or the reason why there are none."""
    keys, wanted = scene.snapshot.keys.value, scene.options["key_name"]
    titles = titles_of(scene, "Keys" if wanted is None else single_line(str(wanted)))
    title = titles[0]
    if keys is None:
        return notice_view(scene, title, trouble(scene, scene.snapshot.keys))
    if wanted is not None:
        one = next((key for key in keys if key.name == wanted), None)
        return plain_notice(scene, title, NO_SUCH_KEY) if one is None else _one(scene, titles, one)
    shown = sorted(
        (key for key in keys if not key.disabled or _spent(scene, key)),
        key=lambda key: (-(_spent(scene, key) or Decimal(0)), -key.total_usd, key.name),
    )[:MOST]
    if not shown:
        return plain_notice(scene, title, NO_KEYS)
    amounts = [_spent(scene, key) for key in shown]
    most, column = max((usd for usd in amounts if usd is not None), default=Decimal(0)), tuple(map(words.money, amounts))
    here, page = page_of([_row(scene, key, most, column) for key in shown], scene.turn)
    start = page[0] * ROWS if page is not None else 0
    spoken = ", ".join(_read_out(scene, key) for key in shown[start : start + ROWS])
    return _keys_view(scene, titles, here, f"{title} (UTC): {spoken}", page)


def _one(scene: Scene, titles: tuple[str, ...], key: ApiKey) -> TileView:
    """Return the view of one key: its amount, and its limit as a gauge and in words."""
    used = _used(key)
    blocks: tuple[Block, ...] = (Hero(words.money(_spent(scene, key))),)
    if used is not None:
        blocks += (Gauge(float(min(Decimal(1), used)), _tone(used)), Line(f"{words.percent(used * 100)} of limit"))
    return _keys_view(scene, titles, blocks, f"{titles[0]} (UTC): {_read_out(scene, key)}")


def _keys_view(
    scene: Scene, titles: tuple[str, ...], blocks: Sequence[Block], text: str, page: tuple[int, int] | None = None
) -> TileView:
    reading = scene.snapshot.keys
    until, health, (title, *short) = true_until(scene.snapshot, reading), trouble(scene, reading), titles
    return value_view(scene, title, blocks, [text], until, trouble=health, page=page, short_titles=tuple(short))


def _row(scene: Scene, key: ApiKey, most: Decimal, column: tuple[str, ...]) -> Row:
    """Return the row of a key: with a limit the used part of it as a gauge, else a bar of its spend against the leader's."""
    usd, used, name = _spent(scene, key), _used(key), single_line(key.name) or words.UNKNOWN
    if used is not None:
        note = words.percent(used * 100)
        return Row(name, words.money(usd), float(min(Decimal(1), used)), _tone(used), note, column)
    return Row(name, words.money(usd), float(usd / most) if usd is not None and most > 0 else None, column=column)


def _read_out(scene: Scene, key: ApiKey) -> str:
    used, name = _used(key), single_line(key.name) or words.UNKNOWN
    limit = "" if used is None else f", {words.percent(used * 100)} of its limit of {words.money(key.limit_usd)}"
    return f"{name} {words.money(_spent(scene, key))}{limit}" + (" (disabled)" if key.disabled else "")


def _used(key: ApiKey) -> Decimal | None:
    """Return the used share of the limit; 1 for a limit of 0, None without a limit."""
    if key.limit_usd is None or key.limit_left_usd is None:
        return None
    if key.limit_usd <= 0:
        return Decimal(1)
    return max(Decimal(0), key.limit_usd - key.limit_left_usd) / key.limit_usd


def _tone(used: Decimal) -> Tone:
    return Tone.ALARM if used >= 1 else Tone.WARN if used >= WARN_SHARE else Tone.GOOD


def _spent(scene: Scene, key: ApiKey) -> Decimal | None:
    """Return USD in the period; None when the reading is from a period that has ended."""
    period = scene.choice("period")
    if _begin(scene.snapshot, scene.now, period) != _begin(scene.snapshot, scene.snapshot.keys.measured_at, period):
        return None
    return {"today": key.today_usd, "week": key.week_usd, "month": key.month_usd}[period]


def _begin(snapshot: Snapshot, at: datetime | None, period: str) -> object:
    """Return the UTC day on which the period of `at` starts."""
    if at is None:
        return None
    day = utc_now(snapshot, at).date()
    return {"today": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[period]


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("second page", turn=1),
        TileCase("month", options={"period": "month"}),
        TileCase("one key", options={"key_name": "laptop"}),
        TileCase("one key, limit", options={"key_name": "ci", "period": "month"}),
        TileCase("one key, limit near", options={"key_name": "notebook", "period": "week"}),
        TileCase("one key, used up", options={"key_name": "shared-prototype-key"}),
        TileCase("none", CaseAccount(days=(), has_api_keys=False)),
    )


KIND = TileKind(
    "api-keys",
    "spend per API key, with the key's limit as a gauge",
    view,
    OpenPage(WebPage.KEYS),
    (
        Option("period", "choice", "today", choices=("today", "week", "month"), help="all UTC"),
        Option("key_name", "text", None, minimum=1, maximum=300, help="the name of one key; without: all"),
    ),
    cases=cases,
)
