"""Every real tile in every state it can be in: snapshots in, through the tiles and the board, faces out.

Nothing is made by hand here: what these scenes show is what an owner would see. Names are stable: the golden pictures are
kept under them. Faces made by hand, for what no tile says today, are in `faces`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from openbalance_hid.account.episode import Episode
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Health, Reading, Sample, Snapshot, Spend
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.app.tile_views import NOBODYS, KeyInteraction, TileInputs, face_of, view_of
from openbalance_hid.config.schema import FrozenMap, TileConfig
from openbalance_hid.tiles import TILES as ALL_TILES
from openbalance_hid.tiles.scene import Privacy
from openbalance_hid.tiles.states import OLD_INTERVALS, STALE_INTERVALS
from openbalance_hid.tiles.view import Flash, KeyFace
from tests.build import INTERVAL_S, NOON, Usd, activity, api_key, days_back, samples, snapshot, usd

THEMES = ("dark", "light")
TROUBLES = tuple(health for health in Health if health not in (Health.OK, Health.PREPARING))
TILES = tuple(name for name in ALL_TILES if name not in NOBODYS)  # those that have the states of an account
OLD, STALE = (timedelta(seconds=INTERVAL_S * (count + 0.1)) for count in (OLD_INTERVALS, STALE_INTERVALS))

SHARES: Mapping[str, str] = {
    "anthropic/claude-sonnet-4.5": "0.36",
    "openai/gpt-5-mini": "0.21",
    "google/gemini-2.5-flash": "0.17",
    "anthropic/claude-opus-4.1": "0.12",
    "deepseek/deepseek-chat-v3.1": "0.09",
    "qwen/qwen3-coder-480b-a35b-instruct": "0.05",
}
PROVIDERS: Mapping[str, str] = {"Anthropic": "0.41", "OpenAI": "0.21", "Google AI Studio": "0.17", "Amazon Bedrock": "0.21"}
DAYS = ("3.40", "2.85", "1.10", "0.95", "3.05", "4.20", "2.60", "3.30", "1.25", "0", "2.95", "3.75")  # newest first


UNTOUCHED = KeyInteraction()
PAGES = ("main", "models", "all the money")


@dataclass(frozen=True)
class Case:
    """One key: the tile, what is known of the account, when it is looked at, what the finger does."""

    tile: str
    seen: Snapshot
    now: datetime = NOON
    options: Mapping[str, Any] = field(default_factory=dict)
    turn: int = 0
    episode: Episode | None = None
    touch: KeyInteraction = UNTOUCHED
    page: int = 0  # of the three in PAGES
    privacy: Privacy = Privacy.OFF
    run: MeterRun | None = None  # of the meter


def face(case: Case, theme: str) -> KeyFace:
    """The face as the board makes it; a tile's failure becomes its "Tile error"."""
    tile = TileConfig(case.tile, theme=theme, options=FrozenMap(case.options))
    episodes = {("default", SpikeRule()): case.episode} if case.episode is not None else {}
    runs = {"default": case.run} if case.run is not None else {}
    known = TileInputs({"default": case.seen}, episodes, runs, case.privacy, PAGES, case.page)
    view, _ = view_of(tile, known, case.now, case.turn)
    return face_of(view, case.touch)


def mixed(days: Mapping[date, Mapping[str, Usd]], shares: Mapping[str, str] = SHARES) -> dict[date, dict[str, Usd]]:
    """The days' spend shared out among six models, or others."""
    totals = {day: sum(map(usd, models.values())) for day, models in days.items()}
    return {day: {name: total * usd(share) for name, share in shares.items()} for day, total in totals.items()}


def paced(today: Usd, yesterday_by_now: Usd, rest_of_yesterday: Usd) -> tuple[Sample, ...]:
    """Samples every quarter of an hour since 36 hours ago, even within each stretch of twelve hours."""
    readings, usage = [], usd("22.00")
    for begin, spent in ((36, yesterday_by_now), (24, rest_of_yesterday), (12, today)):
        start = NOON - timedelta(hours=begin)
        readings += [(start + step * timedelta(minutes=15), usage + usd(spent) * step / 48) for step in range(48)]
        usage += usd(spent)
    return samples([*readings, (NOON, usage)])


def account(
    today: Usd = "1.20", by_now: Usd = "1.60", rest: Usd = "1.80", days: tuple[str, ...] = DAYS, **more: Any
) -> Snapshot:
    """A usual working day of a usual account, unless said otherwise."""
    used = {"Claude Sonnet 4.5": usd(today) * usd("0.7"), "GPT-5 Mini": usd(today) * usd("0.3")}
    given = {"days": mixed(days_back(days)), "today": used, "taken": paced(today, by_now, rest), **more}
    spent = usd(today)
    keys = [
        api_key("laptop", spent * usd("0.55")),
        api_key("ci", spent * usd("0.25"), 50, 27),
        api_key("notebook", spent * usd("0.15"), 10, "1.20"),
        api_key("shared-prototype-key", spent * usd("0.05"), 5, 0),
    ]
    made = snapshot(keys=keys, **given)
    booked = replace(activity(given["days"]), by_provider=activity(mixed(days_back(days), PROVIDERS)).by_model)
    return replace(made, activity=replace(made.activity, value=booked))


def troubled(seen: Snapshot, health: Health) -> Snapshot:
    """The same account after a turn that ended in trouble: every value is still there."""
    return replace(
        seen,
        health=health,
        credits=replace(seen.credits, health=health),
        activity=replace(seen.activity, health=health),
        today=replace(seen.today, health=health),
        keys=replace(seen.keys, health=health),
    )


USUAL = account()
NEVER = snapshot(balance=None, health=Health.PREPARING, started=NOON - timedelta(seconds=20))
RUNS = MeterRun(NOON - timedelta(minutes=12), None, usd("0.4213"), NOON)
RAN = replace(RUNS, started_at=NOON - timedelta(minutes=47), ended_at=NOON - timedelta(minutes=5))
IDLE = snapshot(days={}, taken=paced(0, 0, 0))
JUMPED, RUNAWAY = account("9.20", "1.60", "1.80"), account("23.00", "1.60", "1.80")
BUSY = replace(
    USUAL,
    activity=Reading(
        replace(
            activity({}),
            by_model={
                NOON.date() - timedelta(days=1): {
                    name: Spend(usd(share), int(usd(share) * 40_000), int(usd(share) * 87_000_000))
                    for name, share in SHARES.items()
                }
            },
        ),
        NOON,
        Health.OK,
    ),
)


def _of_every_tile(tile: str) -> dict[str, Case]:
    cases = {
        "ok": Case(tile, USUAL),
        "old": Case(tile, USUAL, NOON + OLD),
        "stale": Case(tile, USUAL, NOON + STALE),
        "preparing": Case(tile, NEVER),
        "masked": Case(tile, USUAL, privacy=Privacy.ON, run=RAN),
        "tile error": Case(tile, replace(USUAL, interval_s=0.0)),  # which no account has: every age divides by it
    }
    for health in TROUBLES:
        trouble = health.value.replace("_", " ")
        cases[f"{trouble}, last value"] = Case(tile, troubled(USUAL, health))
        cases[f"{trouble}, no value"] = Case(tile, snapshot(balance=None, health=health))
    for health in (Health.KEY_REJECTED, Health.OFFLINE):  # the longest word and the usual one; the others are no different
        trouble = health.value.replace("_", " ")
        cases[f"{trouble}, old value"] = Case(tile, troubled(USUAL, health), NOON + STALE)
    return {f"{tile}: {name}": case for name, case in cases.items()}


def _balance(name: str, seen: Snapshot, **options: Any) -> dict[str, Case]:
    return {f"balance: {name}": Case("balance", seen, options=options)}


def _spike(name: str, seen: Snapshot, now: datetime = NOON, known: Level | None = None, **options: Any) -> dict[str, Case]:
    episode = Episode(NOON, known, acknowledged=known) if known is not None else None
    return {f"spike-alert: {name}": Case("spike-alert", seen, now, options, episode=episode)}


def _touched(tile: str, seen: Snapshot = USUAL) -> dict[str, Case]:
    looks = {
        "pressed": KeyInteraction(pressed=True),
        "half held": KeyInteraction(pressed=True, progress=0.5),
        "refreshing under the finger": KeyInteraction(pressed=True, progress=1.0, refreshing=True),
        "refreshing": KeyInteraction(refreshing=True),
        "done": KeyInteraction(flash=Flash.DONE),
        "failed": KeyInteraction(flash=Flash.FAILED),
    }
    return {f"{tile}: {name}": Case(tile, seen, touch=touch) for name, touch in looks.items()}


AT_REST: Mapping[str, Case] = {
    **{name: case for tile in TILES for name, case in _of_every_tile(tile).items()},
    **_balance("more today", account("2.35")),
    **_balance("same today", account("1.60")),
    **_balance("less yesterday", snapshot(days=mixed(days_back(("2.85", "3.40"))))),
    **_balance("no trend", snapshot()),
    **_balance("low", account(balance=(30, "25.20")), low_usd=10),
    **_balance("very low", account(balance=("26.95", "25.20")), low_usd=10),
    **_balance("negative", account("2.35", balance=(10, "12.40"))),
    **_balance("nothing left", account(balance=(10, 10))),
    **_balance("thousandths", account(balance=(10, "9.988"))),
    **_balance("thousands", account("312.40", balance=("20000", "7655.90"))),
    **_balance("millions", account(balance=("2000000", "765432.10"))),
    **_balance("millions owed", account(balance=(0, "1234567.80"))),
    **_balance("used 7d", USUAL, show="used", period="7d"),
    **_balance("used 30d", USUAL, show="used"),
    **_balance("used all", USUAL, show="used", period="all"),
    **_balance("used unknown", snapshot(activity_health=Health.SERVER_ERROR), show="used"),
    **_balance("percent 30d", USUAL, show="percent"),
    **_balance("percent all", USUAL, show="percent", period="all"),
    **_balance("percent small", account(balance=(5000, "25.75")), show="percent", period="all"),
    **_balance("percent above 100", account(balance=(20, "25.75")), show="percent", period="all"),
    "top-models: second page": Case("top-models", USUAL, turn=1),
    "top-models: third page": Case("top-models", USUAL, turn=2),
    "top-models: 7d": Case("top-models", USUAL, options={"period": "7d"}),
    "top-models: today": Case("top-models", USUAL, options={"period": "today"}),
    "top-models: by requests": Case("top-models", BUSY, options={"by": "requests"}),
    "top-models: by tokens": Case("top-models", BUSY, options={"by": "tokens"}),
    "top-models: one model": Case("top-models", USUAL, options={"models": 1}),
    "top-models: large": Case("top-models", account(days=("40000", "98000", "1234567"))),
    "top-models: no activity": Case("top-models", IDLE),
    "monthly-spend: today unknown": Case("monthly-spend", replace(USUAL, today=Reading(), samples=())),
    "monthly-spend: young account": Case("monthly-spend", account(days=("2.10", "0.40"))),
    "monthly-spend: fourteen days": Case("monthly-spend", USUAL, options={"bars": 14}),
    "monthly-spend: large": Case("monthly-spend", account(days=("40000", "98000", "1234567"))),
    "monthly-spend: no activity": Case("monthly-spend", IDLE),
    "usage: icon": Case("usage", USUAL, options={"display": "icon"}),
    "usage: icon, offline": Case("usage", troubled(USUAL, Health.OFFLINE), options={"display": "icon"}),
    "usage: balance": Case("usage", USUAL, options={"display": "balance"}),
    "usage: month": Case("usage", USUAL, options={"display": "usage", "period": "month"}),
    "usage: large": Case("usage", account("312.40", balance=("20000", "7655.90")), options={"period": "30d"}),
    "usage: negative": Case("usage", account(balance=(10, "12.40"))),
    "today: nothing spent": Case("today", account("0")),
    "today: more": Case("today", account("12.35")),
    "today: since the first sample": Case("today", snapshot(taken=paced("1.20", 0, 0)[-17:])),
    "today: no activity": Case("today", IDLE),
    "runway: low": Case("runway", account(balance=(40, "25.75"))),
    "runway: very low": Case("runway", account(balance=("28.75", "25.75"))),
    "runway: hours": Case("runway", account(balance=("26.95", "25.75"))),
    "runway: overdrawn": Case("runway", account(balance=(10, "12.40"))),
    "runway: years": Case("runway", account(balance=(20000, "25.75"))),
    "runway: no activity": Case("runway", IDLE),
    "providers: second page": Case("providers", USUAL, turn=1),
    "page: another": Case("page", USUAL, page=1),
    "page: this one": Case("page", USUAL),
    "page: long name": Case("page", USUAL, options={"to": PAGES[2]}),
    "providers: no activity": Case("providers", IDLE),
    "api-keys: second page": Case("api-keys", USUAL, turn=1),
    "api-keys: month": Case("api-keys", USUAL, options={"period": "month"}),
    "api-keys: one key": Case("api-keys", USUAL, options={"key_name": "laptop"}),
    "api-keys: one key, limit": Case("api-keys", USUAL, options={"key_name": "ci", "period": "month"}),
    "api-keys: one key, limit near": Case("api-keys", USUAL, options={"key_name": "notebook", "period": "week"}),
    "api-keys: one key, used up": Case("api-keys", USUAL, options={"key_name": "shared-prototype-key"}),
    "api-keys: none": Case("api-keys", replace(IDLE, keys=Reading((), NOON, Health.OK))),
    "meter: running": Case("meter", USUAL, run=RUNS),
    "meter: just begun": Case("meter", USUAL, run=MeterRun(NOON)),
    "meter: running, offline": Case("meter", troubled(USUAL, Health.OFFLINE), run=RUNS),
    "meter: running, old": Case("meter", USUAL, NOON + timedelta(minutes=2), run=RUNS),
    "meter: running, stale": Case("meter", USUAL, NOON + timedelta(minutes=4), run=RUNS),
    "meter: running, large": Case("meter", USUAL, run=replace(RUNS, usd=usd("1234.5"), approximate=True)),
    "meter: settling": Case("meter", USUAL, run=replace(RUNS, ended_at=NOON)),
    "meter: stopped": Case("meter", USUAL, run=RAN),
    "meter: stopped, approximate": Case("meter", USUAL, run=replace(RAN, approximate=True)),
    "meter: stopped, not counted": Case("meter", USUAL, run=MeterRun(RAN.started_at, RAN.ended_at, None, NOON)),
    "privacy: shown": Case("privacy", USUAL),
    "privacy: hidden": Case("privacy", USUAL, privacy=Privacy.ON),
    "privacy: peeking": Case("privacy", USUAL, privacy=Privacy.PEEK),
    **_spike("spike", JUMPED),
    **_spike("critical", RUNAWAY),
    **_spike("spike, acknowledged", JUMPED, known=Level.SPIKE),
    **_spike("critical, acknowledged", RUNAWAY, known=Level.CRITICAL),
    **_spike("critical, only the spike acknowledged", RUNAWAY, known=Level.SPIKE),
    **_spike("critical, old", RUNAWAY, NOON + OLD),
    **_spike("critical, stale", RUNAWAY, NOON + STALE),
    **_spike("critical, offline", troubled(RUNAWAY, Health.OFFLINE)),
    **_spike("spike, approximate", replace(JUMPED, samples=())),
    **_spike("normal, approximate", replace(USUAL, samples=())),
    **_spike("normal, one hour", USUAL, window_hours=1),
    **_spike("gathering", account(days=("2.10", "0.40"))),
    **_spike("no activity", IDLE),
}
TOUCHED: Mapping[str, Case] = {
    **_touched("balance"),
    **{f"{name}, calling": case for name, case in _touched("spike-alert", RUNAWAY).items() if "refreshing under" not in name},
}
SCENES: Mapping[str, Case] = {**AT_REST, **TOUCHED}
