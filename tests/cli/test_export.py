"""The history in three formats, as other programs parse them, while the store is open for writing."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from prometheus_client.parser import text_string_to_metric_families

from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Credits, Spend
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.cli.export import FORMULA, TABLES, as_csv
from openbalance_hid.history.records import AccountIdentity, EndedAlert, StoredDays, StoredSample
from openbalance_hid.history.store import HistoryStore
from tests.cli.command_line import machine, process
from tests.history.stand import spike

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
ME, BEFORE, WORK = (
    AccountIdentity("default", "new-key"),
    AccountIdentity("default", "old-key"),
    AccountIdentity("work", "its-key"),
)
AWKWARD = 'a"b\\c\nd,e'


@pytest.fixture
def env(tmp_path):
    """Return an environment with a history. The store that wrote it stays open, as the daemon's does."""
    (tmp_path / "state").mkdir(mode=0o700)
    store = HistoryStore(tmp_path / "state" / "history.sqlite3", lambda: None, lambda: NOON)
    store.write(
        BEFORE,
        StoredDays("model", {DAY: {"v/old": Spend(Decimal(9), 1, 1)}, DAY - timedelta(days=9): {"v/a": Spend(Decimal(1))}}),
    )
    store.write(ME, StoredDays("model", {DAY: {"v/a": Spend(Decimal("1.230000001"), 3, 400), "=1+1": Spend(Decimal(2))}}))
    store.write(ME, StoredDays("provider", {DAY: {AWKWARD: Spend(Decimal("3.23"))}}))
    store.write(ME, StoredDays("key", {DAY: {"laptop": Spend(Decimal("3.23"))}}))
    store.write(ME, StoredSample(NOON - timedelta(days=3), Credits(Decimal(100), Decimal("102.5"))))
    store.write(ME, StoredSample(NOON, Credits(Decimal(100), Decimal("103"))))
    store.write(WORK, StoredSample(NOON, Credits(Decimal(5), Decimal("1E-9"))))
    store.write(ME, MeterRun(NOON - timedelta(hours=2), NOON, Decimal("0.42"), NOON, Decimal(103), True))
    store.write(ME, MeterRun(NOON))
    rule = SpikeRule()
    store.write(ME, spike(rule, NOON - timedelta(days=2), Level.CRITICAL, Level.SPIKE))
    store.write(ME, EndedAlert(spike(rule).key, NOON - timedelta(days=1)))
    store.write(ME, spike(rule, NOON, Level.SPIKE))
    yield machine(tmp_path)
    store.close()


def exported(env, what, form, *more):
    done = process(env, "export", "--what", what, "--format", form, *more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def table(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_days_are_by_model_provider_and_key_and_the_newest_row_of_a_key_counts(env):
    rows = table(exported(env, "days", "csv"))
    assert list(rows[0]) == ["account", "day", "by", "name", "spend_usd", "requests", "tokens"]
    told = {(row["day"], row["by"], row["name"]): row["spend_usd"] for row in rows}
    assert told == {
        ("2026-11-11", "model", "v/a"): "1",
        ("2026-11-20", "model", "'=1+1"): "2",
        ("2026-11-20", "model", "v/a"): "1.230000001",
        ("2026-11-20", "provider", AWKWARD): "3.23",
        ("2026-11-20", "key", "laptop"): "3.23",
    }


def test_negative_amounts_stay_numbers_in_a_spreadsheet(env):
    assert [row["balance_usd"] for row in table(exported(env, "samples", "csv"))] == ["-2.5", "-3", "4.999999999"]


SEPARATORS = (",", ";", "\t", "|")
STARTS = ("=1+1", "+1", "-1", "@SUM(1)", "＝1+1", "\t=1+1", ' "=1+1"', '"=1+1"', "plain")


def cells(text: str, separator: str) -> list[str]:
    """Return every cell as a spreadsheet with that separator reads it, without blanks before it."""
    return [cell.lstrip(' "') for row in csv.reader(io.StringIO(text), delimiter=separator) for cell in row]


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("before", ["", "a;", "a\t", "a|", "a,", 'a;"', "a; ", "a\n"])
def test_no_name_starts_a_formula_in_a_cell_whatever_the_separator(before: str, start: str, separator: str) -> None:
    row = dict.fromkeys(("account", "day", "by"), "x") | {"name": before + start, "spend_usd": 1, "requests": 2, "tokens": 3}
    text = as_csv("days", TABLES["days"], [row])
    if separator == ",":
        (name,) = (read["name"] for read in csv.DictReader(io.StringIO(text)))
        assert name.replace("'", "") == before + start, "only apostrophes are added"
        assert not name.startswith(FORMULA)
    else:
        assert [cell for cell in cells(text, separator) if cell.startswith(FORMULA)] == []


def test_json_has_the_same_rows_with_amounts_as_text_and_unknown_as_null(env):
    assert json.loads(exported(env, "runs", "json"))["runs"] == [
        {"account": "default", "started_at": "2026-11-22T10:00:00Z", "ended_at": "2026-11-22T12:00:00Z", "spend_usd": "0.42",
         "approximate": True},
        {"account": "default", "started_at": "2026-11-22T12:00:00Z", "ended_at": None, "spend_usd": None, "approximate": False},
    ]  # fmt: skip
    spikes = json.loads(exported(env, "spikes", "json"))["spikes"]
    assert [(each["highest"], each["acknowledged"], each["ended_at"]) for each in spikes] == [
        ("critical", "spike", "2026-11-21T12:00:00Z"),
        ("spike", "normal", None),
    ]


@pytest.mark.parametrize("what", ["days", "samples", "runs", "spikes"])
def test_the_official_prometheus_parser_accepts_every_table(env, what):
    families = list(text_string_to_metric_families(exported(env, what, "prometheus")))
    assert families
    assert all(family.type == "gauge" and family.documentation and family.samples for family in families)
    told = [(each.name, tuple(sorted(each.labels.items())), each.timestamp) for family in families for each in family.samples]
    assert len(set(told)) == len(told), "each series once an instant"


def test_prometheus_has_whole_names_and_the_times_of_samples(env):
    days = next(text_string_to_metric_families(exported(env, "days", "prometheus")))
    assert {each.labels["name"]: each.value for each in days.samples if each.labels["by"] == "provider"} == {AWKWARD: 3.23}
    samples = {family.name: family for family in text_string_to_metric_families(exported(env, "samples", "prometheus"))}
    last = [each for each in samples["openbalance_samples_balance_usd"].samples if each.labels["account"] == "work"]
    assert [(each.value, float(each.timestamp)) for each in last] == [(4.999999999, NOON.timestamp())]


def test_since_omits_older_rows(env):
    assert {row["day"] for row in table(exported(env, "days", "csv", "--since", "2026-11-20"))} == {"2026-11-20"}
    assert len(table(exported(env, "samples", "csv", "--since", "2026-11-22"))) == 2
    assert len(table(exported(env, "runs", "csv", "--since", "2026-11-23"))) == 0
    assert len(table(exported(env, "spikes", "csv", "--since", "2026-11-21"))) == 1


def test_a_file_is_written_and_the_history_is_unchanged(env, tmp_path):
    before = (tmp_path / "state" / "history.sqlite3").read_bytes()
    done = process(env, "export", "--what", "days", "--format", "csv", "-o", str(tmp_path / "days.csv"))
    assert (done.returncode, done.stdout, "5 days" in done.stderr) == (0, "", True)
    assert (tmp_path / "days.csv").read_bytes() == exported(env, "days", "csv").replace("\n", "\r\n").replace(
        AWKWARD.replace('"', '""').replace("\n", "\r\n"), AWKWARD.replace('"', '""')
    ).encode()
    assert (tmp_path / "state" / "history.sqlite3").read_bytes() == before


@pytest.mark.parametrize("content", [None, b"", b"no database at all, but a text" * 99])
def test_without_a_readable_history_the_error_is_two_lines(tmp_path, content):
    if content is not None:
        (tmp_path / "state").mkdir(mode=0o700)
        (tmp_path / "state" / "history.sqlite3").write_bytes(content)
    done = process(machine(tmp_path), "export", "--what", "days", "--format", "json")
    assert (done.returncode, done.stdout) == (78, "")
    assert len(done.stderr.splitlines()) == 2
