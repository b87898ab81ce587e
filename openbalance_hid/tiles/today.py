"""`today`: spend so far in this UTC day, against the same time yesterday, and today's leading model.

    by       model
    byok     off, apart     apart: own-key (BYOK) cost as a second amount, in place of the leading model

Where no samples reach back to midnight and OpenRouter does not report the day, it is the spend `since hh:mm` (UTC).
A tap opens the activity page.
"""

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.byok import byok_usd
from openbalance_hid.account.leaders import leaders
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spend import today_since, today_usd, trend
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.comparison import comparison_line, read_comparison
from openbalance_hid.tiles.kind import IDLE, NOT_POLLED, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.name_cuts import NameCut, model_cut
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.ranking import BYOK, OWN_KEY
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import age_words, faded, notice_view, shown_age, trouble, value_view
from openbalance_hid.tiles.view import Hero, Line, TileView, Tone


def view(scene: Scene) -> TileView:
    """Return amount, comparison and leading model, or the reason why there are none."""
    snapshot = scene.snapshot
    title = scene.label or "Today"
    spent = today_usd(snapshot, scene.now)
    if spent.usd is None and snapshot.credits.value is None:
        return notice_view(scene, title, trouble(scene, snapshot.credits))
    health = trouble(scene, snapshot.today) if spent.usd is None or snapshot.health is not Health.OK else Health.OK
    since = today_since(snapshot, scene.now) if spent.lower_bound and snapshot.today.value is None else None
    compared = trend(snapshot, scene.now)
    if since is not None:
        spent, line = Amount(since[0], measured_at=spent.measured_at), Line(f"since {since[1]:%H:%M}")
        spoken: str | None = f"since {since[1]:%H:%M} UTC"
    elif compared is not None and compared.basis == "today":
        line, spoken = comparison_line(compared), read_comparison(compared)
    else:
        line, spoken = None, None
    first = leaders(snapshot, "today", "spend", scene.now)
    # Models are reported later than amounts: no model is named while the rest could be another one's.
    most = _leader_line(model_cut(snapshot, first[0].name)) if first and first[0].is_certain else None
    own, own_spoken = _own_key(scene)
    if own is not None and health is Health.OK:
        health = trouble(scene, snapshot.today)
    age = shown_age(snapshot, snapshot.credits.measured_at, scene.now)
    shown = (line, most) if own is None else (own, line or most)  # three lines would make the amount small
    below = [faded(each, age) if each is line else each for each in shown if each is not None]
    text = [f"{title} (UTC) {words.money(spent)}", own_spoken, spoken, most]
    return value_view(scene, title, (Hero(words.money(spent)), *below), text, snapshot.credits.measured_at, trouble=health)


def _leader_line(leader: NameCut) -> Line:
    return Line(f"mostly {leader.name}", Tone.INK, shorten=leader.shorten, variants=(leader.name, *leader.variants))


def _own_key(scene: Scene) -> tuple[Line | None, str | None]:
    """Return the own-key cost of today and its words for the accessible text; None where it is not shown."""
    if scene.choice("byok") == "off":
        return None, None
    byok = byok_usd(scene.snapshot, "today", scene.now)
    amount = words.money(byok)
    line = Line(f"{OWN_KEY} {amount}", Tone.INK, variants=(f"own {amount}",))
    spoken = f"{OWN_KEY} {amount}{age_words(scene.snapshot, byok.measured_at, scene.now)}"
    return faded(line, shown_age(scene.snapshot, byok.measured_at, scene.now)), spoken


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("nothing spent", CaseAccount(today="0")),
        TileCase("more", CaseAccount(today="12.35")),
        TileCase("since the first sample", CaseAccount(sampled_h=4, unknown=NOT_POLLED)),
        TileCase("own key apart", options={"byok": "apart"}),
        TileCase("own key not known", CaseAccount(unknown=("today",)), options={"byok": "apart"}),
        TileCase("no activity", IDLE),
    )


KIND = TileKind(
    "today",
    "spend so far today (UTC), against the same time yesterday",
    view,
    OpenPage(WebPage.ACTIVITY),
    (Option("by", "choice", "model", choices=("model",), help="what is ranked"), BYOK),
    cases=cases,
)
