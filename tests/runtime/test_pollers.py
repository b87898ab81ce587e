"""The daemon and its past: what was known is on the keys at once, with its age, and what was seen stays seen."""

import queue
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.snapshot import Health, Snapshot, Spend
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Store
from openbalance_hid.app.events import GestureRequested, HistoryLoaded
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.config.private_directory import private_dir
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.history.keeper import History, open_history
from openbalance_hid.history.records import AccountIdentity, EndedAlert, StoredDays
from openbalance_hid.history.store import HistoryStore
from openbalance_hid.openrouter.client import Client
from openbalance_hid.runtime.pollers import Pollers
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.tiles.formatting import money
from tests.build import NOON, day_of_samples, days_back, snapshot
from tests.history.stand import spike
from tests.main_job.daemon_process import ask, environment, page_of, started
from tests.waiting import PATIENCE_S, threads_named, until

KEY = "OPENROUTER_MANAGEMENT_KEY"
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens
RULE = SpikeRule()
DECK = "SIM1"
RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0")


class Life:
    """One run of the accounts over a history on disk, without deck and main thread."""

    def __init__(self, history: History, key: str, url: str, hold_s: float) -> None:
        self.inbox: queue.SimpleQueue[Snapshot | HistoryLoaded] = queue.SimpleQueue()
        self.accounts = Pollers({"default": 900.0}, lambda _: Client(Secret(key), url), self.inbox.put, history, hold_s=hold_s)

    def until_polled(self) -> tuple[list[Snapshot], list[HistoryLoaded]]:
        """Everything published up to the end of the first turn."""
        snapshots: list[Snapshot] = []
        recalled: list[HistoryLoaded] = []
        while not snapshots or snapshots[-1].polls == 0:
            word = self.inbox.get(timeout=PATIENCE_S)
            (recalled if isinstance(word, HistoryLoaded) else snapshots).append(word)
        return snapshots, recalled


@contextmanager
def life(folder: Path, key: str, url: str, hold_s: float = 0.0) -> Iterator[Life]:
    history = open_history(folder / "state" / "history.sqlite3", private_dir)
    history.start()
    one = Life(history, key, url, hold_s)
    one.accounts.start()
    try:
        yield one
    finally:
        one.accounts.stop()
        history.stop(PATIENCE_S)


def test_a_failed_first_poll_keeps_the_values_of_the_run_before(tmp_path):
    with SampleAccount() as account:
        with life(tmp_path, account.key, account.url) as first:
            before = first.until_polled()[0][-1]
        with life(tmp_path, account.key, NOWHERE) as second:
            snapshots, _ = second.until_polled()
    after = snapshots[-1]
    assert after.health is Health.OFFLINE
    assert after.credits.value == before.credits.value
    assert after.today.value == before.today.value
    assert after.credits.measured_at == before.credits.measured_at
    assert after.activity.value == before.activity.value
    assert after.activity.measured_at == before.activity.measured_at
    assert [each.at for each in after.samples] == [each.at for each in before.samples]
    first_word = next(each for each in snapshots if each.credits.value is not None)
    assert (first_word.health, first_word.polls) == (Health.PREPARING, 0), "before the network has answered"


def test_the_first_request_waits_for_the_first_pictures_and_the_history_does_not(tmp_path):
    with SampleAccount() as account:
        with life(tmp_path, account.key, account.url) as first:
            before = first.until_polled()[0][-1]
        requests = len(account.requests)
        with life(tmp_path, account.key, account.url, hold_s=PATIENCE_S) as second:
            recalled = second.inbox.get(timeout=PATIENCE_S)
            while not isinstance(recalled, Snapshot) or recalled.credits.value is None:
                recalled = second.inbox.get(timeout=PATIENCE_S)
            assert (recalled.polls, recalled.credits.value) == (0, before.credits.value)
            assert len(account.requests) == requests
            second.accounts.allow_requests()
            assert second.until_polled()[0][-1].polls == 1


def test_a_first_request_that_waits_ends_with_the_program(tmp_path):
    with SampleAccount() as account, life(tmp_path, account.key, account.url, hold_s=PATIENCE_S) as one:
        one.inbox.get(timeout=PATIENCE_S)
        one.accounts.stop(PATIENCE_S)
        assert not threads_named("poll default")


def test_the_counter_goes_on_where_it_was(tmp_path):
    with SampleAccount() as account:
        for runs in (1, 2, 3):
            with life(tmp_path, account.key, account.url) as one:
                assert len(one.until_polled()[0][-1].samples) == runs


def test_another_key_under_the_name_begins_with_nothing(tmp_path):
    with SampleAccount() as account, life(tmp_path, account.key, account.url) as first:
        first.until_polled()
    with life(tmp_path, "sk-or-v1-" + "0" * 64, NOWHERE) as second:
        last = second.until_polled()[0][-1]
    assert (last.credits.value, last.activity.value, last.samples) == (None, None, ())


def test_an_account_that_is_forgotten_begins_with_nothing(tmp_path):
    with SampleAccount() as account, life(tmp_path, account.key, account.url) as one:
        one.until_polled()
        one.accounts.restart("default", forget=True)
        assert len(one.until_polled()[0][-1].samples) == 1


def test_days_beyond_the_reach_of_the_api_come_from_the_history(tmp_path):
    today = datetime.now(UTC).date()
    with SampleAccount() as account:
        store = HistoryStore(tmp_path / "state" / "history.sqlite3", lambda: private_dir(tmp_path / "state"))
        who = AccountIdentity("default", Secret(account.key).fingerprint)
        old = today - timedelta(days=90)
        store.write(
            who, StoredDays("model", {old: {"v/old": Spend(Decimal("4.5"))}}, read_at=datetime.now(UTC) - timedelta(days=80))
        )
        store.close()
        with life(tmp_path, account.key, account.url) as one:
            activity = one.until_polled()[0][-1].activity.value
    assert activity.by_model[old]["v/old"].usd == Decimal("4.5")
    assert activity.newest == today - timedelta(days=1)


def test_an_acknowledged_alert_is_acknowledged_after_a_restart(tmp_path):
    alert = spike(RULE, datetime.now(UTC), Level.CRITICAL, Level.CRITICAL, notified=Level.SPIKE)
    with SampleAccount() as account:
        with life(tmp_path, account.key, account.url) as first:
            begun = first.until_polled()[0][-1].started_at
            first.accounts.store(Store("default", begun, alert))
        with life(tmp_path, account.key, NOWHERE) as second:
            snapshots, recalled = second.until_polled()
    assert [each.alerts for each in recalled] == [(alert,)]
    assert {each.started_at for each in recalled} == {snapshots[-1].started_at}


# --- the controller ---


def spiking(now: datetime = NOON, **more) -> Snapshot:
    return snapshot(now, days=days_back([2] * 6, now), taken=day_of_samples(20, now), **more)


def new_controller(seen: Snapshot) -> Controller:
    made = Controller(Config(), {"default": seen}, Moment(NOON, 1000.0))
    made.step(DeckArrived(DECK, "mk2", 15), Moment(NOON, 1000.0))
    return made


def stored(effects: list) -> list[Store]:
    return [effect for effect in effects if isinstance(effect, Store)]


def spike_key(made: Controller) -> int:
    return next(key for key, tile in made.key_tiles[DECK].items() if tile.tile == "spike-alert")


def test_each_change_of_an_alert_is_stored_once():
    made, now = new_controller(snapshot(days=days_back([2] * 6), taken=day_of_samples(2))), Moment(NOON, 1001.0)
    hot = replace(spiking(), started_at=made.snapshots["default"].started_at)
    begun = stored(made.step(hot, now))
    assert [(each.account, each.record) for each in begun] == [("default", spike(RULE, NOON, Level.CRITICAL))]
    assert begun[0].started_at == hot.started_at
    assert stored(made.step(hot, now)) == []
    seen = stored(made.step(GestureRequested(spike_key(made), Gesture.TAP), now))
    assert [each.record for each in seen] == [spike(RULE, NOON, Level.CRITICAL, Level.CRITICAL)]
    assert stored(made.step(GestureRequested(spike_key(made), Gesture.TAP), now)) == []


def test_an_acknowledged_alarm_is_silent_after_a_restart_and_one_that_rose_is_not():
    for acknowledged, silent in ((Level.CRITICAL, True), (Level.SPIKE, False)):
        made, now = new_controller(snapshot(days=days_back([2] * 6), taken=day_of_samples(2))), Moment(NOON, 1001.0)
        begun = made.snapshots["default"].started_at
        known = spike(RULE, NOON - timedelta(hours=2), Level.SPIKE, acknowledged)
        assert stored(made.step(HistoryLoaded("default", begun, (known,)), now)) == [], "what was recalled is not stored again"
        made.step(replace(spiking(), started_at=begun), now)
        face = made.faces[DECK, spike_key(made)]
        assert "Critical" in face.view.text
        assert face.view.pulse is not silent
        assert made.tile_inputs.alerts[known.key].since == NOON - timedelta(hours=2)


def test_an_alert_by_a_rule_that_no_tile_has_any_more_ends():
    """Else it would be found again with the rule, weeks later, and take the news out of a new spike."""
    other = SpikeRule(threshold=Decimal(2))
    made, now = new_controller(snapshot(days=days_back([2] * 6), taken=day_of_samples(2))), Moment(NOON, 1001.0)
    begun = made.snapshots["default"].started_at
    gone, known = (spike(rule, NOON - timedelta(hours=2)) for rule in (other, RULE))
    made.step(HistoryLoaded("default", begun, (gone, known)), now)
    records = stored(made.step(replace(spiking(), started_at=begun), now))
    assert {type(each.record) for each in records if each.record.key == gone.key} == {EndedAlert}
    assert {each.record.since for each in records if each.record.key == known.key} == {known.since}
    assert made.tile_inputs.alerts.keys() == {known.key}


def test_alerts_of_the_account_before_are_neither_stored_nor_ended():
    made, now = new_controller(snapshot(days=days_back([2] * 6), taken=day_of_samples(2))), Moment(NOON, 1001.0)
    made.step(replace(spiking(), started_at=made.snapshots["default"].started_at), now)
    anew = Snapshot("default", NOON + timedelta(seconds=1), 900.0)
    assert stored(made.step(anew, now)) == []
    assert made.tile_inputs.alerts == {}
    assert stored(made.step(HistoryLoaded("default", NOON - timedelta(days=1), (spike(RULE, NOON),)), now)) == []
    assert made.tile_inputs.alerts == {}, "a word of the account before, which came late"


# --- the whole daemon -----------------------------------------------------------------------------------------------------


def age(folder: Path, back: timedelta) -> None:
    """As if the daemon had been stopped that long ago."""
    with closing(sqlite3.connect(folder / "state" / "history.sqlite3")) as db:
        shift = back // timedelta(microseconds=1)
        db.execute("UPDATE samples SET at = at - ?", (shift,))
        db.execute(
            "UPDATE accounts SET activity_read_at = activity_read_at - ?, today_read_at = today_read_at - ?", (shift, shift)
        )
        db.commit()


def test_after_a_restart_offline_the_keys_show_the_last_values_and_their_age(tmp_path):
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, **{KEY: account.key})
        with started(env, *RUN) as running, page_of(running) as page:
            page.until_key(0, "$74.25")
            running.until_polled()
            known = running.status()["accounts"]["default"]
            spent, is_bound = known["spend_usd"], "30d" in known["lower_bounds"]
            monthly = f"Spent 30 d {money(Amount(Decimal(spent['30d']), lower_bound=is_bound))}"
            page.until_key(2, monthly)
            assert running.end() == 0
        env["OPENBALANCE_API_URL"] = NOWHERE
        with started(env, *RUN) as running, page_of(running) as page:
            page.until_key(2, "Offline")
            assert page.texts[2].startswith(f"{monthly}, ")
            assert running.status()["accounts"]["default"]["spend_usd"] == spent
            assert running.end() == 0
        age(tmp_path, timedelta(minutes=70))
        with started(env, *RUN) as running, page_of(running) as page:
            page.until_key(0, "Offline")
            page.until_key(2, "Offline")
            assert page.texts[0].startswith("Balance $74.25")
            assert "70 m old" in page.texts[0]
            assert page.texts[2].startswith("Spent 30 d ≥ $")
            status = running.status()["accounts"]["default"]
            assert (status["health"], status["stale"]) == ("offline", True)
            assert round(Decimal(status["balance_usd"]), 2) == Decimal("74.25")
            assert running.end() == 0
            assert "Traceback" not in running.log
            assert account.key not in running.log
    assert account.key.encode() not in b"".join(each.read_bytes() for each in (tmp_path / "state").iterdir())


def test_a_daemon_that_was_killed_begins_with_its_last_values(tmp_path):
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, **{KEY: account.key})
        with started(env, *RUN) as running, page_of(running) as page:
            page.until_key(0, "$74.25")
            page.until_key(2, "Spent 30 d ≥ $")
            kept_all(tmp_path)
            running.process.kill()
            running.process.wait(PATIENCE_S)
        (tmp_path / "run" / "control.sock").unlink(missing_ok=True)
        env["OPENBALANCE_API_URL"] = NOWHERE
        with started(env, *RUN) as running, page_of(running) as page:
            page.until_key(0, "Offline")
            page.until_key(2, "Offline")
            assert page.texts[0].startswith("Balance $74.25")
            assert page.texts[2].startswith("Spent 30 d ≥ $")


def kept_all(folder: Path) -> None:
    """Waits until the history has the completed days: they are the last to be kept in a turn."""
    with closing(sqlite3.connect(folder / "state" / "history.sqlite3")) as db:
        until(lambda: db.execute("SELECT 1 FROM days WHERE kind = 'provider'").fetchone(), "nothing was kept")


def test_without_a_usable_directory_it_runs_on_memory_and_says_so_once(tmp_path):
    (tmp_path / "state").mkdir(mode=0o755)
    (tmp_path / "state").chmod(0o755)
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, **{KEY: account.key})
        with started(env, *RUN) as running, page_of(running) as page:
            page.until_key(0, "$74.25")
            running.until_logged("is open to others: mode 0755; what comes is kept in memory only until it can be written")
            assert running.end() == 0
            assert running.log.count("history ") == 1
    assert list((tmp_path / "state").iterdir()) == []


def test_the_demo_leaves_the_users_history_alone(tmp_path):
    with started(environment(tmp_path), "demo", "--no-browser", "--port", "0") as running, page_of(running) as page:
        page.until_key(0, "$74.25")
        assert not (tmp_path / "state").exists()
        assert running.end() == 0
    assert not (tmp_path / "state").exists()
    assert ask(environment(tmp_path), "status").returncode == 69
