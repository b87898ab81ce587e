"""kill -9 at any moment: the history opens, with all samples but perhaps the last, and with complete days and alerts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from random import Random

from openbalance_hid.account.alert import AlertKind
from openbalance_hid.account.sample_thinning import thin
from openbalance_hid.history.records import AccountIdentity
from openbalance_hid.secret import Secret
from tests.history.stand import ME, NOW, store_at
from tests.torture.amounts import amounts
from tests.torture.figures import Figures
from tests.torture.polling_process import BEGIN, INTERVAL, Clock, account, alert_text
from tests.waiting import PATIENCE_S, until

LATE = timedelta(minutes=30)  # of the last rows of a day in the sample account's /activity, as in OpenRouter's
SETTLED_AFTER = timedelta(hours=1)  # from midnight on; then the whole day has been read
ROOT = Path(__file__).parents[2]
MODELS = 20


def kill_a_writer(path: Path, first: int, after: int, slice_s: float) -> int:
    """Let a writer report `after` numbers, kill it a moment later, and return the last number that it reported."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.history.writer", str(path), str(first)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(after):
        process.stdout.readline()
    try:
        process.wait(slice_s)  # a moment of any length
    except subprocess.TimeoutExpired:
        process.kill()
    reported = process.stdout.read().split()
    process.stdout.close()
    assert process.wait() == -9
    return int(reported[-1]) if reported else first + after - 1


@amounts("kills", short=20, long=500)
def test_a_killed_writer_loses_at_most_its_last_sample(tmp_path, caplog, kills: int, seed: int, figures: Figures):
    rng = Random(seed)
    path = tmp_path / "history.sqlite3"
    kept = -1
    for _ in range(kills):
        kept = kill_a_writer(path, kept + 1, rng.randrange(4), rng.random() / 20)
        store = store_at(path)
        numbers = [int(each.credits.total_usage_usd) for each in store.samples(ME)]
        assert numbers == list(range(len(numbers))), "none is missing, none is twice"
        assert kept < len(numbers) <= kept + 2, "all that were reported, and perhaps the one that was being written"
        assert [each.at for each in store.samples(ME)] == [NOW + timedelta(seconds=number) for number in numbers]
        days = store.days(ME, "model")
        store.close()
        assert {len(names) for names in days.values()} <= {MODELS}, "no day is incomplete"
        assert len(days) in (0, 30)
        assert len({spend.usd for names in days.values() for spend in names.values()}) <= 1, "days are replaced together"
        kept = len(numbers) - 1
        figures.tell(tried=1, survived=1, samples=len(numbers))
    assert caplog.text == ""
    assert kept > 0


class ForkServer:
    """Forks polling processes one after the other, and kills each of them."""

    def __init__(self, process: "subprocess.Popen[str]", said: Path) -> None:
        self._process, self._said = process, said

    def kill_one(self, first: int, polls: int, slice_s: float) -> list[str]:
        """Fork a process that starts with poll `first`, kill it a moment after `polls` polls, and return its lines."""
        self._said.write_text("")
        child = int(self._send(str(first)))
        until(lambda: self._said.read_text().count("kept") >= polls, self._said.read_text)
        time.sleep(slice_s)
        os.kill(child, signal.SIGKILL)
        assert self._send("") == "-9"
        return self._said.read_text().splitlines()

    def _send(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def fork_server(path: Path) -> Iterator[ForkServer]:
    said = path.with_name("said")
    words = [sys.executable, "-m", "tests.torture.polling_process", str(path), str(said)]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield ForkServer(process, said)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


@amounts("kills", short=6, long=500)
def test_a_daemon_killed_while_it_polls_loses_at_most_its_last_sample(
    tmp_path: Path, caplog, kills: int, seed: int, figures: Figures
) -> None:
    rng, clock = Random(seed), Clock()
    sample = account(clock)
    who = AccountIdentity("default", Secret(sample.key).fingerprint)
    path = tmp_path / "history.sqlite3"
    known: set[datetime] = set()
    seen: set[str] = set()
    alert = "none"
    number = under_way = 0
    with fork_server(path) as server:
        for _ in range(kills):
            said = server.kill_one(number, rng.randrange(3), rng.random() / 12)
            begun = [int(line.split()[1]) for line in said if line.startswith("poll")]
            kept = [int(line.split()[1]) for line in said if line.startswith("kept")]
            number = begun[-1] if begun else number
            clock.number = number
            store = store_at(path)
            found = [each.at for each in store.samples(who)]
            assert len(set(found)) == len(found), "none is twice"
            certain = known | {BEGIN + each * INTERVAL for each in kept}
            assert thin(certain, clock.utc()) <= set(found) <= certain | {BEGIN + each * INTERVAL for each in begun}
            under_way += len({BEGIN + each * INTERVAL for each in begun} - set(found) - certain)
            known = set(found)
            for day, names in store.days(who, "model").items():
                start = datetime.combine(day, clock_time(), UTC)
                end = start + timedelta(days=1)
                possible = [end, end - LATE] if clock.utc() < end + SETTLED_AFTER else [end]
                wanted = [sum(use.usd for use in sample.state().ledger.uses(start, last)) for last in possible]
                assert sum(spend.usd for spend in names.values()) in wanted, f"{day} is incomplete"
            states = [alert, *(line.split()[1] for line in said if line.startswith("alert"))]
            if kept:
                before = said[: said.index(f"kept {kept[-1]}")]
                states = states[sum(line.startswith("alert") for line in before) :]
            now = next(
                (alert_text(each) for each in store.recall(who, clock.utc()).alerts if each.kind is AlertKind.SPIKE), "none"
            )
            figures.tell(tried=1, survived=1, samples=len(found), polls=number + 1, cut_short=under_way, alerts=len(seen))
            alert = now
            seen.add(now)
            assert now in states
            store.close()
    assert caplog.text == ""
    assert seen - {"none"}, "the account was spiking"
