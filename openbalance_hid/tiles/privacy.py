"""`privacy`: masks every amount, on every deck and in the menu bar's line. A tap toggles; masked amounts show while it is held.

Amounts stay masked after a restart. Names, states, ratios, percentages, days and the shapes of bars stay visible (`masked`).
Output for programs stays exact: `status --json`, `guard` and `export` mask nothing.
"""

from openbalance_hid.tiles.actions import TogglePrivacy
from openbalance_hid.tiles.kind import TileCase, TileKind
from openbalance_hid.tiles.scene import Privacy, Scene
from openbalance_hid.tiles.view import Icon, Notice, TileView, Tone

NOTICES = {
    Privacy.OFF: Notice(Icon.EYE, "Shown", Tone.MUTED, "tap to hide"),
    Privacy.ON: Notice(Icon.EYE_OFF, "Hidden", Tone.ACCENT, "hold to peek"),
    Privacy.PEEK: Notice(Icon.EYE, "Shown", Tone.WARN, "while held"),
}


def view(scene: Scene) -> TileView:
    """Return whether amounts are masked, and how to change it."""
    notice = NOTICES[scene.privacy]
    title = "Amounts" if scene.label is None else scene.label
    return TileView(scene.tile, title, (notice,), f"Amounts {notice.words.lower()}, {notice.detail}", scene.theme)


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("shown"),
        TileCase("hidden", privacy=Privacy.ON),
        TileCase("peeking", privacy=Privacy.PEEK),
    )


KIND = TileKind("privacy", "masks every amount", view, TogglePrivacy(), cases=cases, has_account=False)
