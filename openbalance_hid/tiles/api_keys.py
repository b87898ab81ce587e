"""`api-keys`: spend per API key of the account, two at a time, each with its limit as a gauge where it has one.

    period   today, week, month      all UTC; the week begins on Monday
    key_name all                     one key, to see it alone (`key` is its place on the deck); all keys of that name
    workspace all                    the keys of one workspace

The keys of all workspaces are listed; spend of deleted keys and of the chat room is not included. A key with a limit has the
used share behind its name: amber from 80 %, red when nothing is left. After the limit has been reset, what is used of it is
unknown until the next answer. The bar of a key without a limit is its share of all keys. A key that spent and was disabled
since, or has expired, is marked. The keys are requested a few times a day and at a hold; after more spend the amounts are old.
The next page follows every 60 s. A tap opens the keys page.
"""

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.account.key_spend import key_usd, limit_share
from openbalance_hid.account.snapshot import ApiKey
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.name_cuts import key_titles, name_cut
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.ranking import ROWS, page_of, titles_of
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import TileState, absent_key, notice_view, plain_notice, trouble, true_until, value_view
from openbalance_hid.tiles.view import Block, Gauge, Hero, Icon, Line, RankedRow, Row, TileView, Tone

MOST = 6
WARN_SHARE = Decimal("0.8")
NO_KEYS = TileState("No keys yet", Icon.KEY, Tone.MUTED)


def view(scene: Scene) -> TileView:
    """Return one page of keys, one key alone, or the reason why there are none."""
    keys, wanted = scene.snapshot.keys.value, scene.options["key_name"]
    titles = titles_of(scene, "Keys" if wanted is None else single_line(str(wanted)))
    if wanted is not None and not scene.label:
        titles += key_titles(scene.snapshot, single_line(str(wanted)))
    title = titles[0]
    if keys is None:
        return notice_view(scene, title, trouble(scene, scene.snapshot.keys), titles[1:])
    chosen = scene.options["workspace"]
    keys = tuple(key for key in keys if chosen is None or key.workspace == chosen)
    if wanted is not None:
        keys = _named(keys, str(wanted))
        if len(keys) < 2:
            if not keys:
                return plain_notice(scene, title, absent_key(scene.snapshot.keys), titles[1:])
            return _one(scene, titles, keys[0])
    shown = sorted(
        (key for key in keys if not key.disabled or _spent(scene, key) or wanted is not None),
        key=lambda key: (-(_spent(scene, key) or Decimal(0)), -key.total_usd, key.name),
    )[:MOST]
    if not shown:
        return plain_notice(scene, title, NO_KEYS, titles[1:])
    amounts = [_spent(scene, key) for key in shown]
    names = [single_line(key.name) for key in scene.snapshot.keys.value or ()]
    most, column = max((usd for usd in amounts if usd is not None), default=Decimal(0)), tuple(map(words.money, amounts))
    here, page = page_of([_row(scene, key, names, most, column) for key in shown], scene.turn)
    start = page[0] * ROWS if page is not None else 0
    spoken = ", ".join(_read_out(scene, key) for key in shown[start : start + ROWS])
    return _keys_view(scene, titles, here, f"{title} (UTC): {spoken}", page)


def _named(keys: Sequence[ApiKey], name: str) -> tuple[ApiKey, ...]:
    """Return the key of that name, or all that the user has given it to: a second one does not hide the first."""
    exact = tuple(key for key in keys if key.name == name)
    return exact or tuple(key for key in keys if key.given_name == name)


def _one(scene: Scene, titles: tuple[str, ...], key: ApiKey) -> TileView:
    """Return the view of one key: its amount, and its limit as a gauge and in words."""
    used, state = _used(scene, key), _state(key)
    blocks: tuple[Block, ...] = (Hero(words.money(_spent(scene, key))),)
    if used is not None:
        blocks += (Gauge(float(min(Decimal(1), used)), _tone(used)), Line(state or _part_of_limit(key, used)))
    elif state is not None or key.limit_usd is not None:
        blocks += (Line(state or f"limit {words.money(key.limit_usd)}"),)
    return _keys_view(scene, titles, blocks, f"{titles[0]} (UTC): {_read_out(scene, key)}")


def _keys_view(
    scene: Scene, titles: tuple[str, ...], blocks: Sequence[Block], text: str, page: tuple[int, int] | None = None
) -> TileView:
    reading = scene.snapshot.keys
    until, health, (title, *short) = true_until(scene.snapshot, reading), trouble(scene, reading), titles
    return value_view(scene, title, blocks, [text], until, trouble=health, page=page, short_titles=tuple(short))


def _row(scene: Scene, key: ApiKey, names: Sequence[str], most: Decimal, column: tuple[str, ...]) -> Row:
    """Return the row of a key: with a limit the used part of it as a gauge, else a bar of its spend against the leader's."""
    usd, used, name = _spent(scene, key), _used(scene, key), name_cut(single_line(key.name) or words.UNKNOWN, names)
    state = _state(key)
    row = RankedRow(name.name, words.money(usd), note=state or "", column=column, shorten=name.shorten, variants=name.variants)
    if used is not None:
        note = state or _part_of_limit(key, used).removesuffix(" of limit")
        share = float(min(Decimal(1), used))
        return replace(row, share=share, tone=_tone(used), note=note, is_note_in_bar=state is None)
    return replace(row, share=float(usd / most) if usd is not None and most > 0 and state is None else None)


def _read_out(scene: Scene, key: ApiKey) -> str:
    used, name, state = _used(scene, key), single_line(key.name) or words.UNKNOWN, _state(key)
    limit = "" if key.limit_usd is None else f", its limit is {words.money(key.limit_usd)}"
    if used is not None and key.limit_usd is not None and key.limit_usd > 0:
        limit = f", {words.percent(used * 100)} of its limit of {words.money(key.limit_usd)}"
    return f"{name} {words.money(_spent(scene, key))}{limit}" + (f" ({state})" if state else "")


def _state(key: ApiKey) -> str | None:
    """Return why the key may not be used, in a word; None if it may."""
    return "expired" if key.expired else "disabled" if key.disabled else None


def _part_of_limit(key: ApiKey, used: Decimal) -> str:
    if key.limit_usd is not None and key.limit_usd <= 0:
        return "limit $0"
    return f"{words.percent(used * 100)} of limit"


def _used(scene: Scene, key: ApiKey) -> Decimal | None:
    return limit_share(scene.snapshot, key, scene.now)


def _tone(used: Decimal) -> Tone:
    return Tone.ALARM if used >= 1 else Tone.WARN if used >= WARN_SHARE else Tone.GOOD


def _spent(scene: Scene, key: ApiKey) -> Decimal | None:
    return key_usd(scene.snapshot, key, scene.choice("period"), scene.now)


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
        Option("workspace", "text", None, minimum=1, maximum=300, help="the name of one workspace; without: all"),
    ),
    cases=cases,
)
