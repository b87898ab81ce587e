"""Disabling and enabling a key: against a server that refuses, loses and damages anything, nothing is done twice or falsely."""

import hashlib
import json

import pytest

from bench.row_acting import false_reports
from openbalance_hid.account.key_switching import SwitchStage
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.key_writing import switch_key
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.key_changes import KeyFault
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_answers import key_hash
from openbalance_hid.simulator.openrouter.scenarios import ResponseFault

LAPTOP = key_hash(0)
OK = None
LOST_BEFORE = KeyFault(False, 500, ResponseFault.GARBAGE)
LOST_AFTER = KeyFault(True, damage=ResponseFault.GARBAGE)
QUICK = HttpLimits(connect_s=2, read_s=2, total_s=2)


@pytest.fixture
def sample():
    with SampleAccount() as made:
        yield made


def refusal(status: int) -> KeyFault:
    return KeyFault(False, status)


def switched(
    sample: SampleAccount, *faults: KeyFault | None, disables: bool = True, read_first: bool = False, hash_: str = LAPTOP
):
    sample.key_changes.faults.clear()
    sample.key_changes.faults.extend(faults)
    with Client(Secret(sample.key), sample.url, limits=QUICK) as client:
        return switch_key(client, hash_, disables, read_first, lambda _: None)


def requests(sample: SampleAccount) -> list[str]:
    return [request.method for request in sample.requests if request.path.startswith("/keys/")]


def is_disabled(sample: SampleAccount) -> bool:
    return sample.key_changes.disabled.get(LAPTOP, False)


def test_a_write_has_disabled_alone_and_is_read_back(sample):
    outcome = switched(sample)
    assert (outcome.stage, outcome.disabled) == (SwitchStage.DONE, True)
    patch, get = [request for request in sample.requests if request.path.startswith("/keys/")]
    assert (patch.method, patch.path, json.loads(patch.body)) == ("PATCH", f"/keys/{LAPTOP}", {"disabled": True})
    assert (get.method, get.path) == ("GET", f"/keys/{LAPTOP}")
    assert switched(sample, disables=False).disabled is False
    assert sample.key_changes.writes == [(LAPTOP, True), (LAPTOP, False)]


@pytest.mark.parametrize("status", [400, 401, 403, 409, 429, 500, 503])
def test_a_refusal_is_no_success_and_is_sent_once(sample, status):
    outcome = switched(sample, refusal(status))
    assert (outcome.stage, outcome.disabled) == (SwitchStage.FAILED, False)
    assert f"answered {status}" in outcome.message
    assert LAPTOP not in outcome.message
    assert requests(sample) == ["PATCH", "GET"]


def test_a_lost_answer_is_read_and_never_sent_again(sample):
    assert switched(sample, LOST_AFTER).stage is SwitchStage.DONE
    assert requests(sample) == ["PATCH", "GET"]
    sample.key_changes.disabled.clear()
    outcome = switched(sample, LOST_BEFORE)
    assert (outcome.stage, outcome.disabled) == (SwitchStage.FAILED, False)
    assert requests(sample).count("PATCH") == 2


def test_a_state_that_cannot_be_read_is_unknown(sample):
    outcome = switched(sample, OK, *[refusal(500)] * 10)
    assert (outcome.stage, outcome.disabled) == (SwitchStage.UNKNOWN, None)
    assert requests(sample).count("PATCH") == 1


def test_a_key_in_another_workspace_is_switched_by_its_hash_and_never_moved(sample):
    with Client(Secret(sample.key), sample.url, limits=QUICK) as client:
        (workspace,) = [each for each in client.workspaces() if each.name == "Research"]
        (key,) = client.keys(workspace)
    for disables in (True, False):
        outcome = switched(sample, disables=disables, hash_=key.hash)
        assert (outcome.stage, outcome.disabled) == (SwitchStage.DONE, disables)
    bodies = [json.loads(each.body) for each in sample.requests if each.method == "PATCH"]
    assert bodies == [{"disabled": True}, {"disabled": False}], "no workspace_id, which would move the key"
    assert sample.key_changes.writes == [(key.hash, True), (key.hash, False)]


def test_a_refused_write_alone_leaves_the_key_and_its_list_readable(sample):
    outcome = switched(sample, refusal(403))
    assert (outcome.stage, outcome.disabled, is_disabled(sample)) == (SwitchStage.FAILED, False, False)
    with Client(Secret(sample.key), sample.url, limits=QUICK) as client:
        keys = client.keys()
    assert [key.disabled for key in keys] == [False, False]
    assert requests(sample) == ["PATCH", "GET"]


def test_a_deleted_key_is_gone(sample):
    sample.key_changes.deleted.add(LAPTOP)
    assert switched(sample).stage is SwitchStage.GONE
    assert switched(sample, read_first=True).stage is SwitchStage.GONE


def test_old_data_is_read_first_and_a_key_that_is_so_already_is_not_written(sample):
    assert switched(sample, read_first=True).stage is SwitchStage.DONE
    assert requests(sample) == ["GET", "PATCH", "GET"]
    sample.requests.clear()
    assert switched(sample, read_first=True).message == "it was so already"
    assert requests(sample) == ["GET"]
    sample.requests.clear()
    assert switched(sample, refusal(503), read_first=True, disables=False).stage is SwitchStage.NOT_SENT
    assert requests(sample) == ["GET"]


def test_offline_nothing_is_reported_as_done():
    with SampleAccount("offline") as sample:
        assert switched(sample, read_first=True).stage is SwitchStage.NOT_SENT
        assert switched(sample).stage is SwitchStage.UNKNOWN
        assert not is_disabled(sample)


def test_an_accepted_write_that_changes_nothing_is_a_failure(sample):
    """A server that answers with the row of another moment."""
    row = {"data": {"hash": LAPTOP, "disabled": False}}
    sample.instead[f"/keys/{LAPTOP}"] = answer(row)
    outcome = switched(sample)
    assert (outcome.stage, outcome.disabled) == (SwitchStage.FAILED, False)
    assert "accepted" in outcome.message


def answer(row: dict):
    from openbalance_hid.simulator.openrouter.sample_answers import json as reply

    return reply(200, row)


@pytest.mark.parametrize(
    "row",
    [
        {"hash": LAPTOP},
        {"hash": LAPTOP, "disabled": None},
        {"hash": LAPTOP, "disabled": "true"},
        {"hash": LAPTOP, "disabled": 1},
        {"hash": key_hash(1), "disabled": True},
        {"disabled": True},
        [],
    ],
)
def test_a_row_of_another_key_or_without_a_state_proves_nothing(sample, row):
    sample.instead[f"/keys/{LAPTOP}"] = answer({"data": row})
    assert switched(sample).stage is SwitchStage.UNKNOWN


def test_the_management_key_is_never_the_target(sample):
    own = hashlib.sha256(sample.key.encode()).hexdigest()
    with Client(Secret(sample.key), sample.url) as client:
        for each in (own, own.upper(), own[:16]):
            assert switch_key(client, each, True, False, lambda _: None).stage is SwitchStage.FORBIDDEN
        with pytest.raises(ValueError, match="never disabled"):
            client.set_key_disabled(own, True)
        sample.key_changes.labels[LAPTOP] = f"{sample.key[:12]}...{sample.key[-3:]}"
        assert switch_key(client, LAPTOP, True, True, lambda _: None).stage is SwitchStage.FORBIDDEN
    assert "PATCH" not in requests(sample)


@pytest.mark.parametrize("hash_", ["", "../credits", "a/b", "a?b", "a b", "x" * 301, "é"])
def test_nothing_but_a_hash_becomes_a_path(sample, hash_):
    with Client(Secret(sample.key), sample.url) as client:
        assert switch_key(client, hash_, True, False, lambda _: None).stage is SwitchStage.NOT_SENT
    assert sample.requests == []


def test_in_any_order_of_faults_nothing_is_falsely_done_or_sent_twice():
    false, twice, done = false_reports(300, seed=1)
    assert (false, twice) == (0, 0)
    assert done > 50
