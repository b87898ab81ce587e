"""What an error of a request means for the account."""

from openbalance_hid.account.snapshot import Health
from openbalance_hid.errors import OfflineError, WrongClockError
from openbalance_hid.hints import clock_hint
from openbalance_hid.openrouter.outcome import result_of


def test_a_wrong_clock_is_offline_with_its_own_sign():
    wrong = result_of(WrongClockError("cannot reach openrouter.ai: …", clock_hint()))
    plain = result_of(OfflineError("cannot reach openrouter.ai: …"))
    assert (wrong.health, wrong.wrong_clock) == (Health.OFFLINE, True)
    assert (plain.health, plain.wrong_clock) == (Health.OFFLINE, False)
    assert wrong.outcome is plain.outcome
