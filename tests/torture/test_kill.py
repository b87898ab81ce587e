"""kill -9 at any moment: the history opens, and all but the last sample is there."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from random import Random

from tests.history.stand import ME, NOW, store_at
from tests.torture.amounts import amounts
from tests.torture.figures import Figures

ROOT = Path(__file__).parents[2]
MODELS = 20


def kill_a_writer(path: Path, first: int, after: int, slice_s: float) -> int:
    """Lets a writer say `after` numbers, and a moment later kills it; the last number that it said to be kept."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.history.writer", str(path), str(first)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(after):
        process.stdout.readline()
    try:
        process.wait(slice_s)  # a moment of any length: somewhere between two of its sentences
    except subprocess.TimeoutExpired:
        process.kill()
    said = process.stdout.read().split()
    process.stdout.close()
    assert process.wait() == -9
    return int(said[-1]) if said else first + after - 1


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
        assert kept < len(numbers) <= kept + 2, "all that were said to be kept, and perhaps the one that it was just writing"
        assert [each.at for each in store.samples(ME)] == [NOW + timedelta(seconds=number) for number in numbers]
        days = store.days(ME, "model")
        store.close()
        assert {len(names) for names in days.values()} <= {MODELS}, "no day is torn"
        assert len(days) in (0, 30)
        assert len({spend.usd for names in days.values() for spend in names.values()}) <= 1, "days are replaced together"
        kept = len(numbers) - 1
        figures.tell(tried=1, survived=1, samples=len(numbers))
    assert caplog.text == ""
    assert kept > 0
