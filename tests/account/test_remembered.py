"""Results that are kept for a snapshot."""

from openbalance_hid.account.remembered import RESULTS, SNAPSHOTS, remembered
from openbalance_hid.account.snapshot import Snapshot
from tests.build import snapshot


def counted():
    calls = []

    @remembered
    def health_and(seen: Snapshot, number: int) -> str:
        calls.append(number)
        return f"{seen.health.value} {number}"

    return health_and, calls


def test_a_result_is_computed_once_for_a_snapshot_and_its_arguments():
    health_and, calls = counted()
    seen = snapshot()
    assert [health_and(seen, 1), health_and(seen, 1), health_and(seen, 2)] == ["ok 1", "ok 1", "ok 2"]
    assert calls == [1, 2]


def test_an_equal_snapshot_is_another_one():
    health_and, calls = counted()
    assert [health_and(snapshot(), 1), health_and(snapshot(), 1)] == ["ok 1", "ok 1"]
    assert calls == [1, 1]


def test_only_the_last_snapshots_and_so_many_results_are_kept():
    health_and, calls = counted()
    first = snapshot()
    for seen in (first, *(snapshot() for _ in range(SNAPSHOTS)), first):
        health_and(seen, 1)
    assert len(calls) == SNAPSHOTS + 2
    for number in range(RESULTS + 1):
        assert health_and(first, number).endswith(f" {number}")
