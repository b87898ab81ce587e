"""The sheet that designers and reviewers look at: every tile in every situation it tells apart, as faces with names.

A situation is a row of a table: an account and what has happened to it. Each tile is put into all of them, and into its own
options; faces that a tile has shown already are left out. Not here: how a sheet looks (`render.sheet`).
"""

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from openbalance_hid.account.days import ACTIVITY_DAYS
from openbalance_hid.account.episode import Episode
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Activity, ApiKey, Credits, Health, Reading, Sample, Snapshot, Spend, Today
from openbalance_hid.account.spend import midnight
from openbalance_hid.account.spike import Level
from openbalance_hid.app.tile_views import KeyInteraction, TileInputs, face_of, masked_by, scene_of
from openbalance_hid.config.schema import DEFAULT_ACCOUNT, FrozenMap, TileConfig
from openbalance_hid.simulator.openrouter.sample_data import SampleLedger
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.scene import Privacy, TileKind
from openbalance_hid.tiles.spike_alert import rule_of
from openbalance_hid.tiles.states import tile_error
from openbalance_hid.tiles.view import Flash, KeyFace
from tools.contact_sheet import Group, SheetPanel, contact_sheet

AT: Final = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)  # a Wednesday afternoon: always the same one, so that sheets compare
INTERVAL: Final = timedelta(minutes=15)
SAMPLED: Final = timedelta(hours=49)  # reaches back to yesterday's midnight, so that today is compared with yesterday
HISTORY: Final = 45  # days of the usual account


TROUBLES: Final = {
    Health.NO_KEY: "no key",
    Health.NOT_MANAGEMENT_KEY: "wrong key",
    Health.KEY_REJECTED: "rejected",
    Health.OFFLINE: "offline",
    Health.RATE_LIMITED: "rate limited",
    Health.SERVER_ERROR: "server error",
}
UNTOUCHED: Final = KeyInteraction()


class Situation(Struct, frozen=True):
    """One row: an account, how long after its last poll it is looked at, and what is done to the key."""

    name: str
    snapshot: Snapshot
    later: timedelta = timedelta()
    touch: KeyInteraction = UNTOUCHED
    options: Mapping[str, object] = field(default_factory=dict)  # for the tiles that have them
    label: str | None = None
    turn: int = 0
    acknowledged: Level = Level.NORMAL
    stripe: int | None = None
    privacy: Privacy = Privacy.OFF
    run: MeterRun | None = None  # of the meter
    calling: bool = False  # only for tiles that call for the eye in it


def sheet_png(width: int, height: int, themes: tuple[str, ...] = ("dark", "light")) -> bytes:
    """PNG file with every tile in every situation, for keys of `width` × `height` pixels at real size; one panel a theme."""
    panels = []
    for theme in themes:
        groups = [Group(kind.name, kind.help, tuple(cells_of(kind, theme))) for kind in TILES.values()]
        groups.append(Group("any tile", "when it has a bug", (("tile error", KeyFace(tile_error("balance", theme))),)))
        panels.append(SheetPanel(f"{theme.capitalize()} theme", f"keys of {width} × {height} px, real size", tuple(groups)))
    with BytesIO() as out:
        contact_sheet(panels, width, height).save(out, "PNG", compress_level=7)  # a quarter of the time of 9, for 3 % more
        return out.getvalue()


def cells_of(kind: TileKind, theme: str) -> Iterator[tuple[str, KeyFace]]:
    """Name and face of everything that a tile shows in a way of its own; the usual one first."""
    seen = set()
    for situation in (*situations(), *_options_of(kind)):
        face = _face(kind, situation, theme)
        if situation.calling and not face.view.attention:
            continue
        looks = replace(face, view=replace(face.view, text=""))
        if looks not in seen:
            seen.add(looks)
            yield situation.name, face


def _face(kind: TileKind, situation: Situation, theme: str) -> KeyFace:
    options = {name: situation.options.get(name, default) for name, default in kind.defaults().items()}
    tile = TileConfig(kind.name, theme=theme, label=situation.label, options=FrozenMap(options))
    seen = Episode(AT, situation.acknowledged, situation.acknowledged)
    runs = {DEFAULT_ACCOUNT: situation.run} if situation.run is not None else {}
    known = TileInputs({DEFAULT_ACCOUNT: situation.snapshot}, runs=runs, privacy=situation.privacy)
    now = AT + situation.later
    if kind.name == "spike-alert":
        known = replace(known, episodes={(DEFAULT_ACCOUNT, rule_of(options)): seen})
    view = kind.view(scene_of(tile, known, now, situation.turn))  # a bug is raised: it must not stand on a sheet unseen
    return face_of(replace(masked_by(known.privacy, view), stripe=situation.stripe), situation.touch)


# --- the table -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def situations() -> tuple[Situation, ...]:
    """The table. What the finger does comes last; the same for every tile."""
    usual, wild, wilder = _account("74.25"), _account("74.25", runaway=3.1), _account("61.90", runaway=8.1)
    low = {"low_usd": Decimal(10)}
    runs = MeterRun(AT - timedelta(minutes=12), None, Decimal("0.4213"), AT)
    ran = replace(runs, started_at=AT - timedelta(minutes=47), ended_at=AT - timedelta(minutes=5))
    return (
        Situation("usual", usual),
        Situation("another day", _account("21.05", seed=3)),
        Situation("just started", replace(usual, samples=usual.samples[-1:])),
        Situation("next page", usual, turn=1),
        Situation("last page", usual, turn=2),
        Situation("own label", usual, label="Side project"),
        Situation("low balance", _account("4.60"), options=low),
        Situation("very low", _account("1.20"), options=low),
        Situation("negative", _account("-2.40")),
        Situation("large", _account("1234567.89", scale=900.0)),
        Situation("spike", wild),
        Situation("spike, seen", wild, acknowledged=Level.SPIKE),
        Situation("critical", wilder),
        Situation("critical, off-beat", wilder, touch=KeyInteraction(dimmed=True)),
        Situation("critical, seen", wilder, acknowledged=Level.CRITICAL),
        Situation("new account", _account("4.60", days=1, scale=0.1)),
        Situation("no activity", _account("10", days=0)),
        Situation("activity refused", _without_activity(usual)),
        Situation("preparing", Snapshot(DEFAULT_ACCOUNT, AT, INTERVAL.total_seconds())),
        *(Situation(TROUBLES[health], _troubled(None, health)) for health in TROUBLES),
        *(Situation(f"{TROUBLES[health]}, value kept", _troubled(usual, health)) for health in TROUBLES),
        Situation("old", usual, later=INTERVAL * 2.5),
        Situation("stale", usual, later=INTERVAL * 5),
        Situation("offline for hours", _troubled(usual, Health.OFFLINE), later=timedelta(hours=3)),
        Situation("stale critical", wilder, later=INTERVAL * 5),
        Situation("first account", usual, stripe=0),
        Situation("second account", usual, stripe=1),
        Situation("masked", usual, privacy=Privacy.ON, run=ran),
        Situation("masked, peeking", usual, privacy=Privacy.PEEK),
        Situation("running", usual, run=runs),
        Situation("running, just begun", usual, run=MeterRun(AT)),
        Situation("running, offline", _troubled(usual, Health.OFFLINE), run=runs),
        Situation("running, old", usual, later=timedelta(minutes=2), run=runs),
        Situation("settling", usual, run=replace(runs, ended_at=AT)),
        Situation("stopped", usual, run=ran),
        Situation("stopped, dear", usual, run=replace(ran, usd=Decimal("1234.5"), approximate=True)),
        Situation("stopped, not counted", usual, run=MeterRun(ran.started_at, ran.ended_at, None, AT)),
        Situation("pressed", usual, touch=KeyInteraction(pressed=True)),
        Situation("held, a third", usual, touch=KeyInteraction(pressed=True, progress=1 / 3)),
        Situation("held, nearly", usual, touch=KeyInteraction(pressed=True, progress=11 / 12)),
        Situation("refreshing", usual, touch=KeyInteraction(refreshing=True)),
        Situation("updated", usual, touch=KeyInteraction(flash=Flash.DONE)),
        Situation("failed", usual, touch=KeyInteraction(flash=Flash.FAILED)),
        Situation("critical, pressed", wilder, touch=KeyInteraction(pressed=True, progress=1 / 3), calling=True),
    )


def _options_of(kind: TileKind) -> Iterator[Situation]:
    """The usual account under every choice of the tile's options, and its whole numbers at both ends."""
    usual = situations()[0].snapshot
    choices = {option.name: option.choices for option in kind.options if option.choices}
    for values in product(*choices.values()):
        wanted = dict(zip(choices, values, strict=True))
        own = [value for name, value in wanted.items() if value != kind.defaults()[name]]
        yield Situation(", ".join(own) or "defaults", usual, options=wanted)
    for option in kind.options:
        if option.kind == "int":
            for value in (option.minimum, option.maximum):
                yield Situation(f"{option.name} {value}", usual, options={option.name: value})


# --- accounts ------------------------------------------------------------------------------------------------------------


def _account(balance_usd: str, days: int = HISTORY, scale: float = 1.0, runaway: float = 0.0, seed: int = 1) -> Snapshot:
    """An account as a daemon knows it that has watched for two days. Arguments as of `SampleLedger`."""
    today = AT.date()
    ledger = SampleLedger(seed, today - timedelta(days=days), scale if days else 0.0, runaway, today - timedelta(days=1))
    by_model: dict[Any, dict[str, Spend]] = {}
    by_provider: dict[Any, dict[str, Spend]] = {}
    for use in ledger.uses(midnight(today - timedelta(days=ACTIVITY_DAYS)), midnight(today)):
        tokens = use.requests * (use.model.prompt_tokens + use.model.completion_tokens)
        spend = Spend(use.usd, use.requests, tokens)
        for sums, name in ((by_model, use.model.slug), (by_provider, use.endpoint.provider)):
            day = sums.setdefault(use.day, {})
            day[name] = day.get(name, Spend()) + spend
    labels: dict[str, Spend] = {}
    for use in ledger.uses(midnight(today), AT):
        labels[use.model.label] = labels.get(use.model.label, Spend()) + Spend(use.usd, use.requests)
    samples = _samples(ledger, Decimal(balance_usd))
    last = samples[-1]
    return Snapshot(
        DEFAULT_ACCOUNT,
        AT - SAMPLED,
        INTERVAL.total_seconds(),
        Health.OK,
        key_hint="1a2b",
        credits=Reading(Credits(last.total_credits_usd, last.total_usage_usd), AT, Health.OK),
        activity=Reading(Activity(by_model, by_provider), AT, Health.OK),
        today=Reading(Today(today, labels), AT, Health.OK),
        keys=Reading(_keys(sum((spend.usd for spend in labels.values()), Decimal(0))), AT, Health.OK),
        samples=samples,
    )


def _keys(today_usd: Decimal) -> tuple[ApiKey, ...]:
    """Three keys that share the day's spend; two have a limit, and one of them is close to it."""
    table = (("laptop", "0.62", None, None), ("ci", "0.27", "50", "31"), ("notebook", "0.11", "10", "1.40"))
    made = []
    for name, share, limit, left in table:
        usd = today_usd * Decimal(share)
        whole, rest = (None if text is None else Decimal(text) for text in (limit, left))
        made.append(ApiKey(name, name, usd * 40, usd, usd * 3, usd * 14, whole, rest, "monthly" if limit else None))
    return tuple(made)


def _samples(ledger: SampleLedger, balance_usd: Decimal) -> tuple[Sample, ...]:
    """One an interval until `AT`, at which `balance_usd` is left."""
    usage_usd = ledger.spent_usd(AT)
    credits_usd, steps = usage_usd + balance_usd, SAMPLED // INTERVAL
    samples = []
    for step in range(steps + 1):
        at = AT - step * INTERVAL
        samples.append(Sample(at, (steps - step) * INTERVAL.total_seconds(), credits_usd, usage_usd))
        usage_usd -= sum((use.usd for use in ledger.uses(at - INTERVAL, at)), Decimal(0))
    return tuple(reversed(samples))


def _troubled(known: Snapshot | None, health: Health) -> Snapshot:
    """The account after a failed poll; None: nothing was known before, and the first minute is over."""
    before = known or Snapshot(DEFAULT_ACCOUNT, AT - SAMPLED, INTERVAL.total_seconds())
    return replace(
        before,
        health=health,
        credits=replace(before.credits, health=health),
        activity=replace(before.activity, health=health),
        today=replace(before.today, health=health),
        keys=replace(before.keys, health=health),
    )


def _without_activity(known: Snapshot) -> Snapshot:
    refused: Reading[Any] = Reading(health=Health.SERVER_ERROR)
    return replace(known, activity=refused, today=refused, keys=refused)


def main() -> None:
    """Write the sheet of one key size: `python -m tools.tile_gallery 72x72 FILE.png`."""
    size, file = sys.argv[1:]
    width, _, height = size.partition("x")
    Path(file).write_bytes(sheet_png(int(width), int(height or width)))


if __name__ == "__main__":
    main()
