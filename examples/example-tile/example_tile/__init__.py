"""Two tiles for openbalance-hid: the time in a zone, and today's spend against a limit."""

from datetime import tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from openbalance_hid.tiles.interface import (
    INTERFACE_VERSION,
    Gauge,
    Hero,
    Icon,
    Line,
    Option,
    Scene,
    Tile,
    TileView,
    Tone,
    money,
)


def wall_clock(scene: Scene) -> TileView:
    """Return the time in the zone of the option; without it, the local time."""
    zone = scene.options["zone"]
    place: tzinfo | None = ZoneInfo(str(zone)) if zone else None
    now = scene.now.astimezone(place)
    title = str(zone).rpartition("/")[2].replace("_", " ") if zone else "Time"
    return TileView(title, (Hero(f"{now:%H:%M}"), Line(f"{now:%a} {now.day} {now:%b}")), f"{title} {now:%H:%M}")


def day_limit(scene: Scene) -> TileView:
    """Return what was spent today (UTC) of the limit. An amount that is not known is shown as `—`, never as zero."""
    limit, today = Decimal(str(scene.options["limit_usd"])), scene.spend["today"]
    blocks = (Hero(money(today)), Line(f"of {money(limit)}"))
    if today.usd is None:
        return TileView("Today", blocks)
    tone = Tone.ALARM if today.usd >= limit else Tone.GOOD
    over = today.usd >= limit
    words = Line("Over the limit", Tone.ALARM, Icon.WARNING, variants=("Over",)) if over else blocks[1]
    return TileView("Today", (blocks[0], Gauge(float(today.usd / limit), tone), words))


WALL_CLOCK = Tile(
    interface=INTERFACE_VERSION,
    help="the time, here or in another zone",
    view=wall_clock,
    options=(Option("zone", "text", None, minimum=1, maximum=60, help="as Europe/Berlin; without: the local time"),),
)
DAY_LIMIT = Tile(
    interface=INTERFACE_VERSION,
    help="today's spend against a limit of your own",
    view=day_limit,
    options=(Option("limit_usd", "decimal", 10, minimum=Decimal("0.01"), maximum=1_000_000, help="of a UTC day"),),
    tap="activity",
    shows_account=True,
)
