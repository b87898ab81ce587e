"""`meter`: a taxi meter. A tap starts it, it counts the dollars of this task, a tap stops it.

    poll_seconds  60    how often the balance is requested while it runs; the response may be a minute old

It counts all spend of the account while it runs, through restarts, and for a minute after the stop, until the last spend of
the task is booked. `~` marks an amount of which a part may belong to the time just before or after, or that a refund or reset
made too low. The last run stays on the key; all runs are in the history (`export --what runs`).
"""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import ToggleMeter
from openbalance_hid.tiles.kind import CASE_TIME, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import faded, notice_view, shown_age, trouble, value_view
from openbalance_hid.tiles.view import Hero, Icon, Line, TileView, Tone

IDLE = (Hero("Start", Tone.INK, Icon.PLAY), Line("cost of a task"))


def view(scene: Scene) -> TileView:
    """Return amount, duration and state of the run, or the reason why there is none."""
    snapshot, run, now = scene.snapshot, scene.run, utc_now(scene.snapshot, scene.now)
    state = _state(run)
    title = "Meter" if scene.label is None else scene.label
    health = trouble(scene, snapshot.credits)
    measured_at = snapshot.credits.measured_at
    if snapshot.credits.value is None:
        return notice_view(scene, title, health)
    if run is not None and run.is_settled:
        measured_at = None  # a final amount does not age
    elif run is not None and measured_at is not None:  # it is requested more often, so its number is old sooner
        snapshot = replace(snapshot, interval_s=min(snapshot.interval_s, float(str(scene.options["poll_seconds"]))))
        measured_at = max(measured_at, run.started_at)
    if run is None:
        return value_view(scene, title, IDLE, ["Meter, a tap starts it"], measured_at, trouble=health)
    hero, lines = _amount(run), _state_lines(run, now)
    text = f"Meter {state.lower()}, {hero.text} in {_lasted(run, now)}"
    age = shown_age(snapshot, measured_at, scene.now)
    shown = (faded(lines[0], age), lines[1])
    return value_view(replace(scene, snapshot=snapshot), title, (hero, *shown), [text], measured_at, trouble=health)


def _state(run: MeterRun | None) -> str:
    if run is None:
        return "Meter"
    return "Running" if run.is_running else "Stopped" if run.is_settled else "Settling"


def _amount(run: MeterRun) -> Hero:
    text = ("~" if run.approximate and run.usd is not None else "") + words.money(run.usd)
    return Hero(text)


def _state_lines(run: MeterRun, now: datetime) -> tuple[Line, Line]:
    """Return the state, with its sign, and the duration."""
    lasted = Line(_lasted(run, now))
    if run.is_running:
        return Line("running", Tone.ACCENT, Icon.PLAY), lasted
    if not run.is_settled:
        return Line("not final", Tone.MUTED, Icon.HOURGLASS), lasted
    return Line("stopped" if run.usd is not None else "uncounted", Tone.MUTED, Icon.STOP), lasted


def _lasted(run: MeterRun, now: datetime) -> str:
    """Return the duration, in whole minutes while it runs: the key is drawn again once a minute."""
    seconds = ((run.ended_at or now) - run.started_at).total_seconds()
    return "<1 m" if run.is_running and seconds < 60 else words.age(seconds)


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    running = MeterRun(CASE_TIME - timedelta(minutes=12), None, Decimal("0.4213"), CASE_TIME)
    stopped = replace(running, started_at=CASE_TIME - timedelta(minutes=47), ended_at=CASE_TIME - timedelta(minutes=5))
    return (
        TileCase("running", run=running),
        TileCase("just begun", run=MeterRun(CASE_TIME)),
        TileCase("running, offline", CaseAccount(health=Health.OFFLINE), run=running),
        TileCase("running, old", later=timedelta(minutes=2), run=running),
        TileCase("running, stale", later=timedelta(minutes=4), run=running),
        TileCase("running, large", run=replace(running, usd=Decimal("1234.5"), approximate=True)),
        TileCase("settling", run=replace(running, ended_at=CASE_TIME)),
        TileCase("stopped", run=stopped),
        TileCase("stopped, approximate", run=replace(stopped, approximate=True)),
        TileCase("stopped, not counted", run=replace(stopped, usd=None)),
    )


KIND = TileKind(
    "meter",
    "a taxi meter: what one task costs, from a tap to a tap",
    view,
    ToggleMeter(),
    (Option("poll_seconds", "int", 60, minimum=15, maximum=3600, help="how often the balance is requested while it runs"),),
    cases=cases,
)
