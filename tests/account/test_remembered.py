"""Results that are kept for an account."""

import gc
import weakref

from openbalance_hid.account.remembered import NEWEST, RESULTS, remembered, remembered_by_account
from openbalance_hid.account.snapshot import Snapshot
from tests.build import snapshot


class Reply:
    """Compared by identity, as an answer of `/activity` is."""


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
    for seen in (first, *(snapshot() for _ in range(NEWEST)), first):
        health_and(seen, 1)
    assert len(calls) == NEWEST + 2
    for number in range(RESULTS + 1):
        assert health_and(first, number).endswith(f" {number}")


def test_the_snapshots_of_a_hundred_accounts_are_kept_beside_each_other():
    health_and, calls = counted()
    seen = [snapshot(account=f"account-{number}") for number in range(100)]
    for _ in range(3):
        for each in seen:
            health_and(each, 1)
    assert len(calls) == 100


def test_results_of_an_account_are_apart_from_those_of_others():
    computed = []
    newest = remembered_by_account(lambda reply: computed.append(reply) or len(computed))
    reply = Reply()
    assert [newest("work", reply), newest("work", reply), newest("private", reply)] == [1, 1, 2]


def test_an_old_reply_is_freed_as_soon_as_newer_ones_have_come():
    newest = remembered_by_account(id)
    old = Reply()
    newest("work", old)
    freed = weakref.ref(old)
    del old
    for _ in range(NEWEST):
        newest("work", Reply())
    gc.collect()
    assert freed() is None
