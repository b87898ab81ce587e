"""`spike-alert`: whether spend is unusually high: icon and word, below them the pace against the usual one.

Normal has a gauge of the pace with a mark at the threshold (`1.2× of 3×`); an alarm has the ratio (`9.1× usual`) and the model
that drives it.

    threshold     3.0    times the mean active day: amber from here, red from twice this
    floor_usd     1.00   below this much in the window nothing is a spike
    window_hours  24     the rolling window
    burst         true   also watch the last hours
    key_name      none   one API key, judged by the same rule from its own days; without: the whole account
    notify        true   also notify
    attention     pulse  steady: Critical fills the key without pulsing

`~` marks a ratio from too few samples. A tap acknowledges: the inverted colours end, the word stays.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.account.alert import calls_for_attention
from openbalance_hid.account.driver import Driver, driving_key
from openbalance_hid.account.evidence import find_key
from openbalance_hid.account.snapshot import ApiKey, Health
from openbalance_hid.account.spike import Level, SpikeRule, SpikeVerdict, judge, rests_on
from openbalance_hid.account.usual_spend import ENOUGH_DAYS
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import Acknowledge
from openbalance_hid.tiles.kind import IDLE, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.name_cuts import NameCut, key_titles, model_cut, name_cut
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import (
    TileState,
    absent_key,
    age_text,
    notice_view,
    plain_notice,
    shown_age,
    trouble,
    value_view,
)
from openbalance_hid.tiles.view import Age, Block, Gauge, Hero, Icon, Line, TileView, Tone

MARK = Decimal("0.75")  # where on the gauge the threshold is
LEVELS = {
    Level.NORMAL: ("Normal", Icon.CHECK, Tone.GOOD),
    Level.SPIKE: ("Spike", Icon.WARNING, Tone.WARN),
    Level.CRITICAL: ("Critical", Icon.WARNING, Tone.ALARM),
}


def rule_of(options: Mapping[str, object]) -> SpikeRule:
    """Return the rule that the options of a tile describe; a missing option has its default."""
    given = {**KIND.defaults(), **options}
    threshold, floor_usd, hours = (Decimal(str(given[name])) for name in ("threshold", "floor_usd", "window_hours"))
    key_name = given["key_name"]
    return SpikeRule(threshold, floor_usd, hours, bool(given["burst"]), None if key_name is None else str(key_name))


def view(scene: Scene) -> TileView:
    """Return the verdict of the last successful poll, or the reason why there is none."""
    snapshot = scene.snapshot
    rule = rule_of(scene.options)
    verdict = judge(snapshot, scene.now, rule, scene.alert.usual_usd if scene.alert is not None else None)
    title = scene.label or f"{_subject(rule)} {verdict.lane[:-1]} {verdict.lane[-1]}"
    health = _trouble(scene, rule)
    if rule.key_name is not None and snapshot.keys.value is not None and find_key(snapshot.keys.value, rule.key_name) is None:
        return plain_notice(scene, _subject(rule), absent_key(snapshot.keys))
    if verdict.level is Level.GATHERING:
        gathering = TileState("Gathering baseline", Icon.HOURGLASS, Tone.MUTED, _gathered(verdict))
        return plain_notice(scene, title, gathering, _short_titles(scene, rule))
    if verdict.level is Level.PREPARING:
        return notice_view(scene, title, health, _short_titles(scene, rule))
    word, icon, tone = LEVELS[verdict.level]
    measured_at = rests_on(snapshot, verdict, rule)
    age = shown_age(snapshot, measured_at, scene.now)
    blocks: tuple[Block, ...] = (
        Hero(word, tone, icon),
        *(_calm(scene, verdict) if verdict.level is Level.NORMAL else _alarm(scene, verdict)),
    )
    if age is Age.STALE and measured_at is not None:  # old data never shows a green tick
        blocks = (
            Hero(word, Tone.MUTED, Icon.CLOCK),
            Line(age_text(snapshot, measured_at, scene.now), Tone.MUTED),
            Line(f"{_ratio(verdict)} usual"),
        )
        health = Health.OK  # the key shows the age instead
    calls = age is not Age.STALE and calls_for_attention(scene.alert, verdict.level)
    key = _driving_key(scene, verdict)
    of_key = f"API key {single_line(key.name)}" if key is not None else None
    text = [f"{title}: {word}", f"{_ratio(verdict)} the usual pace", of_key, _read_driver(scene, verdict)]
    return replace(
        value_view(scene, title, blocks, text, measured_at, trouble=health, short_titles=_short_titles(scene, rule)),
        attention=calls,
        pulse=calls and verdict.level is Level.CRITICAL and scene.choice("attention") == "pulse",
    )


def _trouble(scene: Scene, rule: SpikeRule) -> Health:
    """Return the trouble of what the verdict rests on, the most important first."""
    seen = scene.snapshot
    readings = (seen.activity, seen.today) if rule.key_name is None else (seen.keys, seen.key_days, seen.activity)
    found = [trouble(scene, each) for each in readings if each is readings[0] or each.value is None]
    return next((health for health in found if health not in (Health.OK, Health.PREPARING)), found[0])


def _calm(scene: Scene, verdict: SpikeVerdict) -> tuple[Block, ...]:
    """Return the gauge of the pace, with a mark at the threshold, and both in numbers."""
    threshold = rule_of(scene.options).threshold
    share = (verdict.ratio or Decimal(0)) / threshold * MARK
    limit = f"{threshold.normalize():f}×"
    text = f"{_ratio(verdict)} of {limit}"
    return Gauge(float(min(Decimal(1), max(Decimal(0), share))), Tone.GOOD, mark=float(MARK)), Line(text)


def _alarm(scene: Scene, verdict: SpikeVerdict) -> tuple[Block, ...]:
    """Return the ratio with its label, and what drives it."""
    usual = Line(f"{_ratio(verdict)} usual", Tone.INK, strong=True)
    if (key := _driving_key(scene, verdict)) is not None:  # a key can be stopped
        name = _key_cut(scene, key.name)
        return usual, Line(name.name, Tone.INK, Icon.KEY, shorten=name.shorten, variants=name.variants)
    if verdict.driver is None:
        return (usual,)
    name = _driver_name(scene, verdict.driver)
    return usual, Line(name.name, Tone.INK, shorten=name.shorten, variants=name.variants)


def _driving_key(scene: Scene, verdict: SpikeVerdict) -> ApiKey | None:
    """Return the API key that drives a spike of the account, if one does."""
    if verdict.level is Level.NORMAL or rule_of(scene.options).key_name is not None:
        return None
    return driving_key(scene.snapshot, scene.now)


def _driver_name(scene: Scene, driver: Driver) -> NameCut:
    return _key_cut(scene, driver.name) if driver.is_key else model_cut(scene.snapshot, driver.name)


def _key_cut(scene: Scene, name: str) -> NameCut:
    return name_cut(single_line(name), [single_line(key.name) for key in scene.snapshot.keys.value or ()])


def _short_titles(scene: Scene, rule: SpikeRule) -> tuple[str, ...]:
    return () if rule.key_name is None or scene.label else key_titles(scene.snapshot, _subject(rule))


def _subject(rule: SpikeRule) -> str:
    return "Pace" if rule.key_name is None else single_line(rule.key_name)


def _ratio(verdict: SpikeVerdict) -> str:
    return ("~" if verdict.approximate else "") + words.times(verdict.ratio)


def _read_driver(scene: Scene, verdict: SpikeVerdict) -> str | None:
    """Return the model that drives the pace, and how far it is above its own usual spend."""
    driver = verdict.driver
    if driver is None or verdict.level is Level.NORMAL:
        return None
    most = f"mostly {'key ' if driver.is_key else ''}{_driver_name(scene, driver).name}"
    if not driver.is_matched:
        return most
    own = "new" if driver.times is None else ("~" if driver.approximate else "") + f"{words.times(driver.times)} its usual"
    return f"{most} ({own})"


def _gathered(verdict: SpikeVerdict) -> str:
    return f"{verdict.active_days}/{ENOUGH_DAYS}"


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    jumped, runaway = CaseAccount(today="9.20"), CaseAccount(today="23.00")
    return (
        TileCase("spike", jumped),
        TileCase("critical", runaway),
        TileCase("spike, acknowledged", jumped, acknowledged=Level.SPIKE),
        TileCase("critical, acknowledged", runaway, acknowledged=Level.CRITICAL),
        TileCase("critical, only the spike acknowledged", runaway, acknowledged=Level.SPIKE),
        TileCase("critical, old", runaway, later=timedelta(minutes=31.5)),
        TileCase("critical, stale", runaway, later=timedelta(minutes=61.5)),
        TileCase("critical, offline", replace(runaway, health=Health.OFFLINE)),
        TileCase("spike, approximate", replace(jumped, sampled_h=0)),
        TileCase("normal, approximate", CaseAccount(sampled_h=0)),
        TileCase("normal, one hour", options={"window_hours": Decimal(1)}),
        TileCase("gathering", CaseAccount(days=("2.10", "0.40"))),
        TileCase("no activity", IDLE),
    )


KIND = TileKind(
    "spike-alert",
    "normal, spike or critical: the spend rate against the mean active day",
    view,
    Acknowledge(),
    (
        Option(
            "threshold",
            "decimal",
            3,
            minimum=1.5,
            maximum=20,
            help="amber from this many times the mean day, red from twice it",
        ),
        Option(
            "floor_usd", "decimal", 1, minimum=0, maximum=1_000_000, help="below this much in the window nothing is a spike"
        ),
        Option("window_hours", "decimal", 24, minimum=0.25, maximum=24, help="the rolling window"),
        Option("burst", "bool", True, help="also watch the last hours"),
        Option("key_name", "text", None, minimum=1, maximum=300, help="the name of one API key to watch; without: the account"),
        Option("notify", "bool", True, help="also notify"),
        Option("attention", "choice", "pulse", choices=("pulse", "steady"), help="whether Critical pulses"),
    ),
    cases=cases,
)
