"""A long history: it is written row by row, and a terminal shows the progress."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid.account.snapshot import Spend
from openbalance_hid.cli.export_formats import ROWS_A_PIECE, as_csv, as_json
from openbalance_hid.history.reader import open_reader
from openbalance_hid.history.records import AccountIdentity, StoredDays
from openbalance_hid.history.store import HistoryStore
from tests.cli.command_line import machine
from tests.waiting import PATIENCE_S

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAYS, MODELS = 60, 100  # more rows than without a progress bar
COLUMNS = ("account", "day", "model", "spend_usd")


def endless() -> Iterator[Mapping[str, Any]]:
    for number in count():
        yield {"account": "default", "day": date(2026, 11, 1), "model": f"v/{number}", "spend_usd": Decimal(number)}


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment with a history of two keys of one account."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "state").mkdir(mode=0o700)
    store = HistoryStore(folder / "state" / "history.sqlite3", lambda: None, lambda: NOON)
    spent = {f"v/{number}": Spend(Decimal(number) / 8, number, number) for number in range(MODELS)}
    for key, ages in (("old", range(DAYS // 2, DAYS)), ("new", range(DAYS // 2 + 1))):
        store.write(
            AccountIdentity("default", key), StoredDays("model", {NOON.date() - timedelta(days=1 + age): spent for age in ages})
        )
    store.close()
    return machine(folder)


@pytest.mark.parametrize("pieces", [as_csv(COLUMNS, endless()), as_json("days", COLUMNS, endless())], ids=["csv", "json"])
def test_rows_are_written_before_the_last_one_is_read(pieces: Iterator[str]) -> None:
    written = "".join(islice(pieces, 3))
    assert f"v/{3 * ROWS_A_PIECE - 1}" in written
    assert f"v/{3 * ROWS_A_PIECE}" not in written


@pytest.mark.parametrize("length", [0, 1, 2, ROWS_A_PIECE - 1, ROWS_A_PIECE, ROWS_A_PIECE + 1, 2 * ROWS_A_PIECE])
def test_the_pieces_are_one_document(length: int) -> None:
    rows = list(islice(endless(), length))
    read = json.loads("".join(as_json("days", COLUMNS, rows)))
    assert [each["model"] for each in read["days"]] == [each["model"] for each in rows]
    table = list(csv.DictReader(io.StringIO("".join(as_csv(COLUMNS, rows)), newline="")))
    assert [each["model"] for each in table] == [each["model"] for each in rows]
    whole = {"days": [{**each, "day": "2026-11-01", "spend_usd": f"{each['spend_usd']}"} for each in rows]}
    assert "".join(as_json("days", COLUMNS, rows)) == json.dumps(whole, indent=1) + "\n", "the form of before"


def test_days_are_read_one_by_one_in_order(env: Mapping[str, str]) -> None:
    with open_reader(Path(env["OPENBALANCE_STATE_DIR"], "history.sqlite3"), None) as reader:
        rows = [(each.day, each.name) for each in reader.days("model")]
        assert rows == sorted(rows)
        assert len(rows) == len(set(rows)) == DAYS * MODELS
        assert reader.count_days("model") >= len(rows)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_terminal_shows_the_progress_and_a_pipe_does_not(env: Mapping[str, str], form: str, tmp_path: Path) -> None:
    file = tmp_path / "out"
    call = [
        sys.executable,
        "-m",
        "openbalance_hid",
        "export",
        "--what",
        "days",
        "--by",
        "model",
        "--format",
        form,
        "-o",
        str(file),
    ]
    main, terminal = pty.openpty()
    subprocess.run(call, env={**env, "TERM": "xterm"}, stdout=terminal, stderr=terminal, timeout=PATIENCE_S, check=True)
    os.close(terminal)
    shown = b""
    with suppress(OSError):  # Linux: EIO at the end of a terminal
        while piece := os.read(main, 65_536):
            shown += piece
    os.close(main)
    assert b"Exporting" in shown
    assert b"100%" in shown
    assert f"{DAYS} days".encode() in shown
    with_bar = file.read_bytes()
    piped = subprocess.run(call, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert (piped.stdout, piped.stderr) == ("", f"{file}: {DAYS} days\n")
    assert file.read_bytes() == with_bar
