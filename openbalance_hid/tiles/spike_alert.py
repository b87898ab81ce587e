"""`spike-alert`: whether spend is unusually high: icon and word, below them the model that causes it, and the ratio.

    threshold     3.0    times the mean active day: amber from here, red from twice this
    floor_usd     1.00   below this much in the window nothing is a spike
    window_hours  24     the rolling window
    burst         true   also watch the last hour
    notify        true   also notify
    attention     pulse  steady: Critical fills the key without pulsing

`~` marks a ratio from too few samples. A tap acknowledges: the inverted colours end, the word stays.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.account.alert import calls_for_attention
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spike import Level, SpikeRule, SpikeVerdict, judge
from openbalance_hid.account.usual_spend import ENOUGH_DAYS
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import Acknowledge
from openbalance_hid.tiles.kind import IDLE, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import (
    TileState,
    age_text,
    notice_view,
    plain_notice,
    shown_age,
    trouble,
    trouble_line,
    value_view,
)
from openbalance_hid.tiles.view import Age, Hero, Icon, Line, Shorten, TileView, Tone

LEVELS = {
    Level.NORMAL: ("Normal", Icon.CHECK, Tone.GOOD),
    Level.SPIKE: ("Spike", Icon.WARNING, Tone.WARN),
    Level.CRITICAL: ("Critical", Icon.WARNING, Tone.ALARM),
}


def rule_of(options: Mapping[str, object]) -> SpikeRule:
    """Return the rule that the options of a tile describe; a missing option has its default."""
    given = {**KIND.defaults(), **options}
    threshold, floor_usd, hours = (Decimal(str(given[name])) for name in ("threshold", "floor_usd", "window_hours"))
    return SpikeRule(threshold, floor_usd, hours, bool(given["burst"]))


def view(scene: Scene) -> TileView:
    """Return the verdict of the last successful poll, or the reason why there is none."""
    snapshot = scene.snapshot
    title = scene.label or "Spike"
    health = trouble(scene, snapshot.activity)
    verdict = judge(snapshot, scene.now, rule_of(scene.options))
    if verdict.level is Level.GATHERING:
        return plain_notice(scene, title, TileState("Gathering baseline", Icon.HOURGLASS, Tone.MUTED, _gathered(verdict)))
    if verdict.level is Level.PREPARING:
        return notice_view(scene, title, health)
    word, icon, tone = LEVELS[verdict.level]
    measured_at = snapshot.credits.measured_at
    age = shown_age(snapshot, measured_at, scene.now)
    if age is Age.STALE:  # old data never shows a green tick
        icon, tone = Icon.CLOCK, Tone.MUTED
    ratio = Line(
        ("~" if verdict.approximate else "") + f"{words.times(verdict.ratio)} {verdict.lane}",
        Tone.INK,
        strong=True,
    )
    driver = _driver_line(verdict)
    line = trouble_line(health)
    below = line or driver
    if age is Age.STALE and measured_at is not None:  # the accessible text has the age anyway
        line, below = None, Line(age_text(measured_at, scene.now), Tone.MUTED, Icon.CLOCK)
    blocks = (Hero(word, tone, icon), *(() if below is None else (below,)), ratio)
    calls = age is not Age.STALE and calls_for_attention(scene.alert, verdict.level)
    return replace(
        value_view(scene, scene.label or "", blocks, [f"{title}: {word}", ratio, driver, line], measured_at),
        attention=calls,
        pulse=calls and verdict.level is Level.CRITICAL and scene.choice("attention") == "pulse",
    )


def _driver_line(verdict: SpikeVerdict) -> Line | None:
    driver = verdict.driver
    if driver is None:
        return None
    name = words.model_names([driver.name])[0]
    how_much = "new" if driver.times is None else ("~" if driver.approximate else "") + words.times(driver.times)
    return Line(f"{name} {how_much}", Tone.INK, shorten=Shorten.MIDDLE, variants=(name,))


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
        Option("burst", "bool", True, help="also watch the last hour"),
        Option("notify", "bool", True, help="also notify"),
        Option("attention", "choice", "pulse", choices=("pulse", "steady"), help="whether Critical pulses"),
    ),
    cases=cases,
)
