"""The cases of the tiles as faces: snapshots and pictures' content from the plain data in each `KIND`.

The tests draw them as golden pictures and the tile gallery shows them. `COMMON` holds the cases that every tile of an account
has; a tile's own ones are in its file.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from openbalance_hid.account.alert import Alert, AlertKind
from openbalance_hid.account.amount import NOTHING, Amount
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import (
    Activity,
    ApiKey,
    Credits,
    FreeQuota,
    Health,
    HourlySpend,
    Reading,
    Sample,
    Snapshot,
    Spend,
    Today,
)
from openbalance_hid.app.key_switches import KeySwitches
from openbalance_hid.app.tile_views import KeyInteraction, TileInputs, face_of, view_of
from openbalance_hid.config.schema import DEFAULT_ACCOUNT, FrozenMap, TileConfig
from openbalance_hid.tiles.command import command_of
from openbalance_hid.tiles.kind import CASE_TIME, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.scene import Privacy
from openbalance_hid.tiles.spike_alert import rule_of
from openbalance_hid.tiles.view import Flash, KeyFace

PAGES: Final = ("main", "models", "all the money")
TROUBLES: Final = tuple(health for health in Health if health not in (Health.OK, Health.PREPARING))
NOTHING_KNOWN: Final = ("credits", "activity", "today", "keys", "free_quota")
UNTOUCHED: Final = KeyInteraction()
TOUCHES: Final[Mapping[str, KeyInteraction]] = {
    "pressed": KeyInteraction(pressed=True),
    "half held": KeyInteraction(pressed=True, progress=0.5),
    "refreshing under the finger": KeyInteraction(pressed=True, progress=1.0, refreshing=True),
    "refreshing": KeyInteraction(refreshing=True),
    "done": KeyInteraction(flash=Flash.DONE),
    "failed": KeyInteraction(flash=Flash.FAILED),
}
MODELS: Final = (
    ("anthropic/claude-sonnet-4.5", "0.36"),
    ("openai/gpt-5-mini", "0.21"),
    ("google/gemini-2.5-flash", "0.17"),
    ("anthropic/claude-opus-4.1", "0.12"),
    ("deepseek/deepseek-chat-v3.1", "0.09"),
    ("qwen/qwen3-coder-480b-a35b-instruct", "0.05"),
)
MODELS_TODAY: Final = (("anthropic/claude-sonnet-4.5", "0.7"), ("openai/gpt-5-mini", "0.3"))
PROVIDERS: Final = (("Anthropic", "0.41"), ("OpenAI", "0.21"), ("Google AI Studio", "0.17"), ("Amazon Bedrock", "0.21"))
OWN_KEY_SHARES: Final = {"anthropic/claude-sonnet-4.5": "0.11", "Anthropic": "0.11"}  # own-key cost for each dollar of credits
API_KEYS: Final = (  # name, share of today's spend, limit in USD and what is left of it
    ("laptop", "0.55", None, None),
    ("ci", "0.25", "50", "27"),
    ("notebook", "0.15", "10", "1.20"),
    ("shared-prototype-key", "0.05", "5", "0"),
)
REQUESTS_PER_USD, TOKENS_PER_USD = 40_000, 87_000_000
STEP: Final = timedelta(minutes=15)  # from one sample to the next
HOUR: Final = timedelta(hours=1)
HALF_DAY: Final = timedelta(hours=12)
OLD, STALE = timedelta(minutes=31.5), timedelta(minutes=61.5)  # 2.1 and 4.1 refresh intervals


def cases_of(kind: TileKind) -> tuple[TileCase, ...]:
    """Return the cases of a tile: the common ones of an account first, then its own."""
    return (*(_common_cases() if kind.has_account else ()), *kind.cases())


def face_of_case(kind: TileKind, case: TileCase, theme: str, touch: KeyInteraction = UNTOUCHED) -> KeyFace:
    """Return the face as the app makes it; a failure of the tile becomes its "Tile error"."""
    tile = TileConfig(kind.name, theme=theme, label=case.label, options=FrozenMap({**kind.case_options, **case.options}))
    alerts = {}
    if case.acknowledged is not None:
        level, rule = case.acknowledged, rule_of(case.options)
        alert = Alert(AlertKind.SPIKE, DEFAULT_ACCOUNT, level, CASE_TIME, acknowledged=level, rule=rule)
        alerts[alert.key] = alert
    switches = KeySwitches()
    switches.latest |= {case.switch.identity: case.switch} if case.switch is not None else {}
    snapshot = switches.applied(snapshot_of(case.account))
    runs = {DEFAULT_ACCOUNT: case.run} if case.run is not None else {}
    switchable = frozenset({DEFAULT_ACCOUNT} if case.may_switch else ())
    accounts = {DEFAULT_ACCOUNT: snapshot}
    commands = {command_of({**kind.defaults(), **tile.options}): case.command} if case.command is not None else {}
    inputs = TileInputs(accounts, alerts, runs, case.privacy, PAGES, case.page, switches.latest, switchable, commands=commands)
    view, _ = view_of(tile, inputs, CASE_TIME + case.later, case.turn)
    return face_of(view, touch)


def snapshot_of(account: CaseAccount) -> Snapshot:
    """Return the snapshot that was taken of the account at `CASE_TIME`."""
    today, by_provider = (
        {name: Spend(Decimal(account.today) * Decimal(share), byok=_byok(name, account.today)) for name, share in shares}
        for shares in (MODELS_TODAY, PROVIDERS)
    )
    values = {
        "credits": Credits(Decimal(account.bought), Decimal(account.used)),
        "activity": Activity(_days(account.days, MODELS), _days(account.days, PROVIDERS)),
        "today": Today(CASE_TIME.date(), today, by_provider=by_provider),
        "keys": _api_keys(Decimal(account.today)) if account.has_api_keys else (),
        "free_quota": FreeQuota() if account.free_quota is None else FreeQuota(*account.free_quota),
    }
    readings: dict[str, Reading[Any]] = {}
    for name, value in values.items():
        health = account.refused.get(name, account.health)
        if name not in account.unknown:
            readings[name] = Reading(value, CASE_TIME, health)
        else:
            readings[name] = Reading(health=Health.PREPARING if health is Health.OK else health)
    return Snapshot(
        account=DEFAULT_ACCOUNT,
        started_at=CASE_TIME - timedelta(seconds=account.running_s),
        interval_s=account.interval_s,
        health=account.health,
        budget_usd=None if account.budget is None else Decimal(account.budget),
        samples=_samples(account),
        hours=_hours(account),
        polls=1,
        **readings,
    )


def _common_cases() -> tuple[TileCase, ...]:
    ended = MeterRun(CASE_TIME - timedelta(minutes=47), CASE_TIME - timedelta(minutes=5), Decimal("0.4213"), CASE_TIME)
    starting = CaseAccount(health=Health.PREPARING, unknown=NOTHING_KNOWN, sampled_h=0, running_s=20)
    with_value = {health: CaseAccount(health=health) for health in TROUBLES}
    without_value = {health: CaseAccount(health=health, unknown=NOTHING_KNOWN, sampled_h=0) for health in TROUBLES}
    return (
        TileCase("ok"),
        TileCase("old", later=OLD),
        TileCase("stale", later=STALE),
        TileCase("preparing", starting),
        TileCase("masked", privacy=Privacy.ON, run=ended),
        TileCase("tile error", CaseAccount(interval_s=0)),  # no real account has it: every age is divided by it
        *(
            case
            for health in TROUBLES
            for case in (
                TileCase(f"{words_of(health)}, last value", with_value[health]),
                TileCase(f"{words_of(health)}, no value", without_value[health]),
            )
        ),
        *(  # the longest words and the usual ones; the others are no different
            TileCase(f"{words_of(health)}, old value", with_value[health], later=STALE)
            for health in (Health.KEY_REJECTED, Health.OFFLINE)
        ),
    )


def words_of(health: Health) -> str:
    """Return the name that a trouble has in the names of cases."""
    return health.value.replace("_", " ")


def _days(amounts: Iterable[str], shares: Iterable[tuple[str, str]]) -> dict[date, dict[str, Spend]]:
    """Return the spend of each day, split by name; the first amount is yesterday's, a day without spend has no row."""
    days: dict[date, dict[str, Spend]] = {}
    for age, amount in enumerate(amounts, start=1):
        if Decimal(amount) > 0:
            parts = {name: Decimal(amount) * Decimal(share) for name, share in shares}
            days[CASE_TIME.date() - timedelta(days=age)] = {
                name: Spend(usd, int(usd * REQUESTS_PER_USD), int(usd * TOKENS_PER_USD), _byok(name, amount))
                for name, usd in parts.items()
            }
    return days


def _byok(name: str, day_usd: str) -> Amount:
    """Return the own-key cost of a model or provider, in proportion to the account's spend that day."""
    return Amount(Decimal(day_usd) * Decimal(OWN_KEY_SHARES[name])) if name in OWN_KEY_SHARES else NOTHING


def _api_keys(today_usd: Decimal) -> tuple[ApiKey, ...]:
    keys = []
    for name, share, limit, left in API_KEYS:
        usd = today_usd * Decimal(share)
        limits = (None if text is None else Decimal(text) for text in (limit, left))
        keys.append(ApiKey(name, name, usd * 16, usd, usd * 4, usd * 16, *limits))
    return tuple(keys)


def _hours(account: CaseAccount) -> Reading[HourlySpend]:
    if not account.hours:
        return Reading()
    first = CASE_TIME - len(account.hours) * HOUR
    usd = {first + number * HOUR: Decimal(amount) for number, amount in enumerate(account.hours)}
    return Reading(HourlySpend(CASE_TIME, usd), CASE_TIME, Health.OK)


def _samples(account: CaseAccount) -> tuple[Sample, ...]:
    """Return the samples up to `CASE_TIME`; the spend is even within each half day."""
    if not account.sampled_h:
        return ()
    before_usd = Decimal("22.00")  # used before the first sample
    readings = []
    for number, amount in enumerate((*account.yesterday, account.today)):
        begin, steps = CASE_TIME - (3 - number) * HALF_DAY, HALF_DAY // STEP
        readings += [(begin + step * STEP, before_usd + Decimal(amount) * step / steps) for step in range(steps)]
        before_usd += Decimal(amount)
    readings.append((CASE_TIME, before_usd))
    kept = readings[-1 - timedelta(hours=account.sampled_h) // STEP :]
    return tuple(Sample(at, at.timestamp(), Decimal(account.bought), used_usd) for at, used_usd in kept)
