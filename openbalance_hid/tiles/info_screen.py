"""The small screen of the Neo: account, balance and its age. Not a tile: it has no options.

Several accounts of a deck are shown one after another; a touch does nothing.
"""

from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import age_text, faded, notice_view, shown_age, trouble, trouble_line
from openbalance_hid.tiles.view import Hero, Line, TileView, Tone


def view(scene: Scene) -> TileView:
    """Return the account, the balance and its age, or the trouble."""
    snapshot = scene.snapshot
    title = "OpenRouter" if snapshot.account == "default" else single_line(snapshot.account)
    health = trouble(scene, snapshot.credits)
    account, measured_at = snapshot.credits.value, snapshot.credits.measured_at
    if account is None or measured_at is None:
        return notice_view(scene, title, health)
    balance = words.money(account.balance_usd)
    age = shown_age(snapshot, measured_at, scene.now)
    seconds = (scene.now - measured_at).total_seconds()
    since = "just now" if abs(seconds) < 60 else age_text(measured_at, scene.now).replace(" old", " ago")
    below = faded(trouble_line(health), age)
    lines = (Line(since),) if below is None else (below, Line(since))
    return TileView(
        "screen",
        title,
        (Hero(balance, Tone.ALARM if account.balance_usd < 0 else Tone.INK), *lines),
        f"{title}: {balance}, {since}" + (f", {below.text}" if below is not None else ""),
        scene.theme,
        age,
    )
