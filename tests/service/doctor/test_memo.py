"""A value that is computed once, whatever the number of threads that need it."""

from __future__ import annotations

import threading

import pytest

from openbalance_hid.service.doctor.context import Memo


def test_a_value_or_an_exception_is_computed_once_for_all_threads():
    computed = []
    memo = Memo(lambda: computed.append(1) or 7)
    threads = [threading.Thread(target=memo) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (memo(), computed) == (7, [1])
    failing = Memo(lambda: computed.append(2) or int("x"))
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            failing()
    assert computed == [1, 2]
