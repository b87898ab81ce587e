"""`blank`: a dark key, in every theme. A tap does nothing."""

from openbalance_hid.tiles.actions import Nothing
from openbalance_hid.tiles.kind import TileKind
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.view import TileView


def view(scene: Scene) -> TileView:
    """Return an empty view."""
    return TileView(scene.tile, scene.label or "", (), scene.label or "blank", scene.theme)


KIND = TileKind("blank", "nothing", view, Nothing(), has_account=False)
