"""The history's thread and a poller's ledger: whoever keeps does not wait, whoever recalls waits a moment."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.counter import spent_between, ticks
from openbalance_hid.account.snapshot import Activity, Credits, Health, Reading, Sample, Snapshot
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.history.keeper import MOST_JOBS, AccountHistory, History, open_history
from openbalance_hid.history.records import EndedAlert, StoredAccount, StoredDays
from tests.history.stand import ME, NOW, spend, spike, store_at

KEY, OTHER_KEY = ME.fingerprint, "another key's"
RULE = SpikeRule()
DAY = date(2026, 11, 20)
BEGUN = Snapshot("default", NOW - timedelta(seconds=3), 900.0)
MONO_S = 5000.0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "history.sqlite3"


@pytest.fixture
def history(path):
    made = open_history(path, lambda folder: folder.mkdir(mode=0o700, exist_ok=True))
    made.start()
    yield made
    made.stop(30)


def polled(usage: str = "25.75", minutes: int = 0, days: Activity | None = None, begun: Snapshot = BEGUN) -> Snapshot:
    """A snapshot after a good poll."""
    at = NOW + timedelta(minutes=minutes)
    sample = Sample(at, MONO_S + 60 * minutes, Decimal(100), Decimal(usage))
    return replace(
        begun,
        health=Health.OK,
        credits=Reading(Credits(Decimal(100), Decimal(usage)), at, Health.OK),
        activity=Reading(days, at, Health.OK) if days is not None else Reading(),
        samples=(sample,),
    )


def ledger_of(history: History, key: str = KEY) -> AccountHistory:
    ledger = history.for_account("default")
    ledger.recall(key, BEGUN, NOW, MONO_S)
    return ledger


def recalled(history: History, minutes: int = 1, mono_s: float = 7.0, key: str = KEY) -> Snapshot:
    return history.for_account("default").recall(key, BEGUN, NOW + timedelta(minutes=minutes), mono_s)[0]


def test_a_first_start_knows_nothing(history):
    assert recalled(history) == BEGUN


def test_the_next_start_begins_with_the_last_values_and_their_true_age(history):
    days = Activity({DAY: {"v/m": spend("1.5")}}, {DAY: {"P": spend("1.5")}})
    ledger_of(history).keep(polled("7.25", days=days))
    begun = recalled(history)
    assert begun.health is begun.credits.health is begun.activity.health is Health.PREPARING
    assert begun.credits.value == Credits(Decimal(100), Decimal("7.25"))
    assert begun.credits.measured_at == begun.activity.measured_at == NOW
    assert begun.activity.value == days
    assert begun.started_at == BEGUN.started_at


def test_samples_from_before_are_spaced_on_the_new_clock_as_on_the_wall(history):
    ledger = ledger_of(history)
    for minutes, usage in ((0, "1"), (15, "1.5"), (30, "2.5")):
        ledger.keep(polled(usage, minutes))
    samples = recalled(history, minutes=45, mono_s=7.0).samples
    assert [each.mono_s for each in samples] == [7.0 - 60 * 45, 7.0 - 60 * 30, 7.0 - 60 * 15]
    stretch = spent_between(ticks(samples), NOW, NOW + timedelta(minutes=30))
    assert stretch is not None
    assert stretch.usd == Decimal("1.5")


def test_another_key_begins_with_nothing(history):
    ledger_of(history).keep(polled())
    assert recalled(history, key=OTHER_KEY) == BEGUN


def test_a_late_word_of_the_key_before_does_not_enter_the_new_one(history):
    ledger = history.for_account("default")
    ledger.recall(KEY, BEGUN, NOW, MONO_S)
    newer = replace(BEGUN, started_at=NOW)
    ledger.recall(OTHER_KEY, newer, NOW, MONO_S)
    ledger.keep(polled(begun=BEGUN))
    ledger.store(BEGUN.started_at, spike(RULE))
    assert history.query(lambda store: store.recall(ME, NOW)) == StoredAccount()
    assert recalled(history, key=OTHER_KEY) == BEGUN


def test_nothing_is_kept_before_the_key_is_known(history):
    history.for_account("default").keep(polled())
    assert recalled(history) == BEGUN


def test_days_are_written_when_they_change_and_only_then(history):
    written: list[dict] = []
    ledger = ledger_of(history)
    enqueue = history.enqueue

    def listen(store) -> None:
        write = store.write

        def note(who, record) -> None:
            if isinstance(record, StoredDays):
                written.append({record.kind: (sorted(record.days), sorted(record.gone))})
            write(who, record)

        store.write = note

    enqueue(listen)
    earlier = DAY - timedelta(days=1)
    ledger.keep(polled(days=Activity({earlier: {"v/m": spend("1")}, DAY: {"v/m": spend("2")}})))
    ledger.keep(polled(minutes=1, days=Activity({earlier: {"v/m": spend("1")}, DAY: {"v/m": spend("3")}})))
    ledger.keep(polled(minutes=2, days=Activity({earlier: {"v/m": spend("1")}})))
    begun = recalled(history, minutes=3)
    assert [each["model"] for each in written if "model" in each] == [([earlier, DAY], []), ([DAY], []), ([], [DAY])]
    assert begun.activity.value == Activity({earlier: {"v/m": spend("1")}})
    assert begun.activity.measured_at == NOW + timedelta(minutes=2)


def test_days_that_a_snapshot_no_longer_holds_stay_in_the_file(history, path):
    ledger = ledger_of(history)
    old = DAY - timedelta(days=399)
    ledger.keep(polled(days=Activity({old: {"v/m": spend("1")}, DAY: {"v/m": spend("2")}})))
    ledger.keep(polled(minutes=1, days=Activity({DAY: {"v/m": spend("2")}, DAY + timedelta(days=1): {"v/m": spend("2")}})))
    history.stop(30)
    store = store_at(path)
    assert old in store.days(ME, "model")
    store.close()


def test_an_episode_comes_back_as_it_was_seen_last_and_not_when_it_is_over(history):
    ledger = ledger_of(history)
    alert = spike(RULE, NOW, Level.CRITICAL, Level.SPIKE)
    ledger.store(BEGUN.started_at, alert)
    assert history.for_account("default").recall(KEY, BEGUN, NOW, MONO_S)[1].alerts == (alert,)
    ledger.store(BEGUN.started_at, EndedAlert(alert.key, NOW))
    assert history.for_account("default").recall(KEY, BEGUN, NOW, MONO_S)[1].alerts == ()


def test_stopping_writes_what_waits(path):
    history = open_history(path, lambda folder: folder.mkdir(mode=0o700))
    history.start()
    ledger = ledger_of(history)
    for minutes in range(200):
        ledger.keep(polled(str(minutes), minutes))
    history.stop(30)
    history.stop(30)
    history.enqueue(lambda store: pytest.fail("after the end nothing is done"))
    assert history.query(lambda store: store.recall(ME, NOW)) == StoredAccount()
    store = store_at(path)
    assert len(store.samples(ME)) == 200
    store.close()


def test_a_disk_that_hangs_holds_nobody_up(path, caplog):
    free, busy = threading.Event(), threading.Event()

    def hang(store) -> None:
        busy.set()
        free.wait()

    history = open_history(path, lambda folder: folder.mkdir(mode=0o700))
    history.start()
    ledger = ledger_of(history)
    history.enqueue(hang)
    busy.wait()
    try:
        assert history.query(lambda store: store.recall(ME, NOW), limit_s=0.01) == StoredAccount()
        for minutes in range(MOST_JOBS + 10):
            ledger.keep(polled("1", minutes))
        assert caplog.text.count("the disk does not keep up") == 1
        assert caplog.text.count("no answer within 0.01 s") == 1
    finally:
        free.set()
        history.stop(30)
    assert "history" not in {thread.name for thread in threading.enumerate()}


def test_one_bad_entry_costs_only_itself(history, caplog):
    ledger = ledger_of(history)
    history.enqueue(lambda store: store.write(ME, None))
    ledger.keep(polled("3"))
    assert recalled(history).credits.value == Credits(Decimal(100), Decimal(3))
    assert caplog.text.count("history: internal error; going on") == 1


def test_the_thread_has_a_name_and_ends(path):
    history = open_history(path, lambda folder: folder.mkdir(mode=0o700))
    history.start()
    assert "history" in {thread.name for thread in threading.enumerate()}
    history.stop(30)
    assert "history" not in {thread.name for thread in threading.enumerate()}


def test_one_that_never_began_can_be_stopped(path):
    open_history(path, lambda folder: folder).stop()
    assert not path.exists()
