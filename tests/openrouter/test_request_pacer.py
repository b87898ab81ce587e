"""The requests of many accounts: spread over time, balances first, and none waits where there are few."""

import heapq
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest

from openbalance_hid.errors import OfflineError
from openbalance_hid.openrouter.cadence import CROWD, spread
from openbalance_hid.openrouter.request_pacer import AHEAD_S, BALANCE, LONGEST_WAIT_S, RequestPacer

OTHERS = [f"/other-{number}" for number in range(8)]
ALLOWED_A_SECOND = 50
ANSWER_S = 0.05  # of the server


class Accounts:
    """So many accounts in virtual time: each sends its requests one after the other, as the pacer lets it."""

    def __init__(self, count: int, requests: Sequence[str], starts_s: float = 0.0) -> None:
        self.now_s = 100.0
        self.sent: list[tuple[float, str]] = []
        pacer, rng = RequestPacer(lambda: self.now_s), Random(1)
        # Time of the next call, number of the account, its requests so far, the wait after a refusal.
        calls = [(100.0 + starts_s * rng.random(), number, 0, AHEAD_S) for number in range(count)]
        heapq.heapify(calls)
        while calls:
            self.now_s, number, done, again_s = heapq.heappop(calls)
            at_s = pacer.book(requests[done])
            if at_s is None:
                heapq.heappush(calls, (self.now_s + again_s, number, done, min(2 * again_s, LONGEST_WAIT_S)))
                continue
            self.sent.append((at_s, requests[done]))
            if done + 1 < len(requests):
                heapq.heappush(calls, (at_s + ANSWER_S, number, done + 1, AHEAD_S))

    def most_in_a_second(self) -> int:
        times = sorted(at_s for at_s, _ in self.sent)
        return max(bisect_left(times, at_s + 1.0) - number for number, at_s in enumerate(times))

    def last_s(self, path: str) -> float:
        return max(at_s for at_s, each in self.sent if each == path) - 100.0


@pytest.mark.parametrize("count", [100, 200, 500])
def test_many_accounts_start_with_their_balances_and_never_flood_the_server(count: int) -> None:
    accounts = Accounts(count, [BALANCE, *OTHERS])
    assert len(accounts.sent) == count * (1 + len(OTHERS))
    assert accounts.last_s(BALANCE) <= max(6.0, count / 40)
    assert accounts.most_in_a_second() <= ALLOWED_A_SECOND
    assert count * len(OTHERS) / 30 <= accounts.last_s(OTHERS[-1]) <= count * len(OTHERS) / 20 + 10, "spread over a minute"


def test_two_hundred_balances_are_known_after_six_seconds() -> None:
    assert Accounts(200, [BALANCE]).last_s(BALANCE) <= 6.0


@pytest.mark.parametrize("starts_s", [0.5, 5.0, 60.0])
def test_balances_that_come_while_others_are_sent_go_first(starts_s: float) -> None:
    accounts = Accounts(150, [BALANCE, *OTHERS], starts_s)
    assert accounts.last_s(BALANCE) <= max(starts_s, 150 / 42) + 1.5
    assert accounts.most_in_a_second() <= ALLOWED_A_SECOND


def test_the_requests_of_one_account_do_not_wait() -> None:
    accounts = Accounts(1, [BALANCE, *OTHERS[:5]])
    assert [at_s for at_s, _ in accounts.sent] == pytest.approx([100.0 + ANSWER_S * number for number in range(6)])


def test_a_stop_ends_every_wait() -> None:
    pacer = RequestPacer()
    pacer.stop()
    pacer.wait(BALANCE)
    with pytest.raises(OfflineError):
        for _ in range(3):
            pacer.wait(BALANCE)


def test_the_polls_of_many_accounts_are_spread_over_the_interval() -> None:
    rng = Random(1)
    first = sorted(spread(900.0, 100, True, rng) for _ in range(100))
    assert 90.0 <= first[0] <= first[-1] <= 900.0
    assert max(two - one for one, two in pairwise(first)) < 60, "no gap without a poll"
    assert max(bisect_left(first, at_s + 10.0) - number for number, at_s in enumerate(first)) < 10, "nor many at once"
    assert all(850.0 <= spread(900.0, 100, False, rng) <= 900.0 for _ in range(100)), "afterwards each keeps its place"


def test_a_few_accounts_keep_the_interval_exactly() -> None:
    for accounts in range(1, CROWD):
        assert spread(900.0, accounts, True, Random(1)) == 900.0
