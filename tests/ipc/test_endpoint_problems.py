"""Problems of single endpoints are in `status` and `doctor`: an outage beside a good balance, rows that cannot be read."""

from msgspec.structs import replace

from openbalance_hid.cli.control import status_lines
from openbalance_hid.ipc.control_client import endpoint_problems
from openbalance_hid.service.doctor.daemon_checks import assess_daemon
from tests.build import NOON, days_back, snapshot
from tests.ipc.test_status import status_of


def endpoint(health: str = "ok", message: str | None = None, dropped_rows: int = 0) -> dict[str, object]:
    return {"health": health, "message": message, "measured_at": None, "stale": False, "dropped_rows": dropped_rows}


def test_an_endpoint_that_fails_alone_and_rows_that_are_left_out_have_a_line_each():
    endpoints = {"credits": endpoint(), "activity": endpoint("server_error", "504"), "keys": endpoint(dropped_rows=2)}
    assert endpoint_problems({"health": "ok", "endpoints": endpoints}) == [
        "activity: server error (504)",
        "keys: left out 2 rows of the answer that cannot be read",
    ]
    incomplete = {"keys": endpoint("ok", "without the workspace Research: 403")}
    assert endpoint_problems({"health": "ok", "endpoints": incomplete}) == [
        "keys: incomplete: without the workspace Research: 403"
    ]
    assert endpoint_problems({"health": "offline", "endpoints": {"credits": endpoint("offline")}}) == []


def test_status_and_doctor_show_the_rows_that_are_left_out():
    seen = snapshot(days=days_back([1, 2, 3]))
    reply = status_of(replace(seen, activity=replace(seen.activity, dropped_rows=1)))
    words = "activity: left out 1 row of the answer that cannot be read"
    assert words in [line.strip() for line in status_lines(reply, NOON)]
    assert words in [check.found for check in assess_daemon(reply, None, reply["version"])]
