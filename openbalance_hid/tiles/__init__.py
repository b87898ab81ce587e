"""What we say: one file a tile, and this table of them. Pure: a scene in, a view out."""

from openbalance_hid.tiles import (
    api_keys,
    balance,
    blank,
    meter,
    monthly_spend,
    page,
    privacy,
    providers,
    runway,
    spike_alert,
    today,
    top_models,
    usage,
)
from openbalance_hid.tiles.scene import TileKind

_KINDS = (
    balance.KIND,
    top_models.KIND,
    monthly_spend.KIND,
    spike_alert.KIND,
    usage.KIND,
    today.KIND,
    runway.KIND,
    api_keys.KIND,
    providers.KIND,
    meter.KIND,
    privacy.KIND,
    page.KIND,
    blank.KIND,
)
TILES: dict[str, TileKind] = {kind.name: kind for kind in _KINDS}
