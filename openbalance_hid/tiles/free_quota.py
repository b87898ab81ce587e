"""`free-quota`: how many requests to free models are left today (UTC), of the account that owns the key.

The gauge is the used part: amber from 80 % on, red when none is left. A tap opens the activity page. The number is requested
only while this tile is on a deck, every two refresh intervals.
"""

from openbalance_hid.account.snapshot import FreeQuota, Health, Reading
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import TileState, notice_view, plain_notice, trouble, value_view
from openbalance_hid.tiles.view import Gauge, Hero, Icon, Line, TileView, Tone

WARN_SHARE = 0.8
NOT_PUBLISHED = TileState("Not published", Icon.CLOUD, Tone.MUTED)  # it is requested only for a tile of the publisher
NOT_REPORTED = Line("not reported")


def view(scene: Scene) -> TileView:
    """Return what is left, with the used part as a gauge, or the reason why it is unknown."""
    reading = scene.snapshot.free_quota
    title = scene.label or "Free left"
    health = trouble(scene, reading)
    if scene.snapshot.origin is not None and reading == Reading() and scene.snapshot.health is Health.OK:
        return plain_notice(scene, title, NOT_PUBLISHED)
    if reading.value is None or reading.measured_at is None:
        return notice_view(scene, title, health)
    quota = reading.value
    if reading.measured_at.date() != utc_now(scene.snapshot, scene.now).date():  # it was reset at midnight
        quota = FreeQuota(quota.limit)
    of_limit = NOT_REPORTED if quota.limit is None else Line(f"of {quota.limit:,} today", variants=(f"of {quota.limit:,}",))
    if quota.left is None:
        unknown = (Hero(words.UNKNOWN), of_limit)
        return value_view(scene, title, unknown, (f"{title} unknown", of_limit), reading.measured_at, trouble=health)
    share, tone = quota.used_share, Tone.INK
    if quota.left <= 0:
        tone = Tone.ALARM
    elif share is not None and share >= WARN_SHARE:
        tone = Tone.WARN
    below = of_limit if quota.left > 0 else Line("none left", Tone.ALARM)
    gauge = () if share is None else (Gauge(share, Tone.GOOD if tone is Tone.INK else tone),)
    text = (f"{title} (UTC) {quota.left:,}", below)
    return value_view(scene, title, (Hero(f"{quota.left:,}", tone), *gauge, below), text, reading.measured_at, trouble=health)


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("few left", CaseAccount(free_quota=(1000, 940))),
        TileCase("none left", CaseAccount(free_quota=(50, 50))),
        TileCase("not reported", CaseAccount(free_quota=None)),
    )


KIND = TileKind(
    "free-quota",
    "requests to free models that are left today (UTC)",
    view,
    OpenPage(WebPage.ACTIVITY),
    cases=cases,
)
