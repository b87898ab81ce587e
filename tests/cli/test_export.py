"""The history in three formats, as other programs parse them, while the store is open for writing."""

import csv
import io
import json
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from openbalance_hid.account.amount import NOTHING, Amount
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Credits, Spend
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.cli.export_formats import FORMULA, as_csv
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


def test_days_without_a_dimension_are_totals_with_each_amount_once(env):
    rows = table(exported(env, "days", "csv"))
    assert list(rows[0]) == ["account", "day", "spend_usd", "requests", "tokens", "byok_usd", "byok_lower_bound"]
    assert [(row["day"], row["spend_usd"], row["requests"]) for row in rows] == [
        ("2026-11-11", "1", "0"),
        ("2026-11-20", "3.230000001", "3"),
    ]


@pytest.mark.parametrize(
    ("by", "parts"),
    [
        ("model", {("2026-11-11", "v/a", "1"), ("2026-11-20", "'=1+1", "2"), ("2026-11-20", "v/a", "1.230000001")}),
        ("provider", {("2026-11-20", AWKWARD, "3.23")}),
        ("key", {("2026-11-20", "laptop", "3.23")}),
    ],
)
def test_days_are_split_by_one_dimension_and_the_newest_row_of_a_key_counts(env, by, parts):
    rows = table(exported(env, "days", "csv", "--by", by))
    assert list(rows[0]) == ["account", "day", by, "spend_usd", "requests", "tokens", "byok_usd", "byok_lower_bound"]
    assert {(row["day"], row[by], row["spend_usd"]) for row in rows} == parts


@pytest.mark.parametrize(
    "args", [("samples", "--by", "model"), ("runs", "--by", "key"), ("now", "--since", "2026-11-01"), ("days", "--by", "app")]
)
def test_options_that_make_no_sense_together_are_a_usage_error(env, args):
    what, *more = args
    done = process(env, "export", "--what", what, "--format", "csv", *more)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 2)


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
    row = {"account": "x", "day": "x", "name": before + start, "spend_usd": 1}
    text = "".join(as_csv(tuple(row), [row]))
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


WHATS = ["days", "samples", "runs", "spikes"]


@pytest.mark.parametrize("what", WHATS)
def test_prometheus_text_has_each_series_once_and_no_times(env, what):
    families = list(text_string_to_metric_families(exported(env, what, "prometheus")))
    assert families
    assert all(family.type == "gauge" and family.documentation and family.samples for family in families)
    series = [(each.name, tuple(sorted(each.labels.items()))) for family in families for each in family.samples]
    assert len(set(series)) == len(series), "each series once"
    assert all(each.timestamp is None for family in families for each in family.samples)


@pytest.mark.parametrize("what", WHATS)
def test_openmetrics_has_the_time_of_each_sample_and_an_end(env, what):
    text = exported(env, what, "openmetrics")
    assert text.endswith("# EOF\n")
    families = list(openmetrics.text_string_to_metric_families(text))
    assert families
    assert all(each.timestamp is not None for family in families for each in family.samples)


def test_prometheus_has_whole_names_and_the_newest_sample(env):
    (days, *_) = text_string_to_metric_families(exported(env, "days", "prometheus", "--by", "provider"))
    assert {each.labels["provider"]: each.value for each in days.samples} == {AWKWARD: 3.23}
    samples = {family.name: family for family in text_string_to_metric_families(exported(env, "samples", "prometheus"))}
    assert {each.labels["account"]: each.value for each in samples["openbalance_sample_balance_usd"].samples} == {
        "default": -3,
        "work": 4.999999999,
    }


def test_openmetrics_dates_a_day_at_its_end_and_a_sample_at_its_instant(env):
    (days, *_) = openmetrics.text_string_to_metric_families(exported(env, "days", "openmetrics"))
    assert [float(each.timestamp) for each in days.samples] == [
        datetime(2026, 11, day, 23, 59, 59, tzinfo=UTC).timestamp() for day in (11, 20)
    ]
    samples = {each.name: each for each in openmetrics.text_string_to_metric_families(exported(env, "samples", "openmetrics"))}
    at = [float(each.timestamp) for each in samples["openbalance_sample_balance_usd"].samples]
    assert at == [(NOON - timedelta(days=3)).timestamp(), NOON.timestamp(), NOON.timestamp()]


def test_now_without_a_daemon_is_the_last_balance_and_says_so(env):
    rows = {(row["account"], row["metric"]): row["value"] for row in table(exported(env, "now", "csv"))}
    assert rows["", "openbalance_up"] == "0"
    assert rows["default", "openbalance_balance_usd"] == "-3"
    assert rows["default", "openbalance_measured_timestamp_seconds"] == f"{NOON.timestamp():.1f}"
    assert json.loads(exported(env, "now", "json"))["now"][0] == {
        "account": None, "metric": "openbalance_up", "period": None, "endpoint": None, "value": 0, "measured_at": None
    }  # fmt: skip


def test_since_omits_older_rows(env):
    assert {row["day"] for row in table(exported(env, "days", "csv", "--since", "2026-11-20"))} == {"2026-11-20"}
    assert len(table(exported(env, "samples", "csv", "--since", "2026-11-22"))) == 2
    assert len(table(exported(env, "runs", "csv", "--since", "2026-11-23"))) == 0
    assert len(table(exported(env, "spikes", "csv", "--since", "2026-11-21"))) == 1


def test_a_file_is_written_and_the_history_is_unchanged(env, tmp_path):
    before = (tmp_path / "state" / "history.sqlite3").read_bytes()
    done = process(env, "export", "--what", "days", "--format", "csv", "-o", str(tmp_path / "days.csv"))
    assert (done.returncode, done.stdout, "2 days" in done.stderr) == (0, "", True)
    assert (tmp_path / "days.csv").read_bytes() == exported(env, "days", "csv").replace("\n", "\r\n").encode()
    assert (tmp_path / "state" / "history.sqlite3").read_bytes() == before


@pytest.mark.parametrize("content", [None, b"", b"no database at all, but a text" * 99])
def test_without_a_readable_history_the_error_is_two_lines(tmp_path, content):
    if content is not None:
        (tmp_path / "state").mkdir(mode=0o700)
        (tmp_path / "state" / "history.sqlite3").write_bytes(content)
    done = process(machine(tmp_path), "export", "--what", "days", "--format", "json")
    assert (done.returncode, done.stdout) == (78, "")
    assert len(done.stderr.splitlines()) == 2
    assert ("there is no history yet" in done.stderr) == (not content)


def test_own_key_cost_is_apart_and_what_is_not_known_of_it_is_empty(env, tmp_path):
    with closing(HistoryStore(tmp_path / "state" / "history.sqlite3", lambda: None, lambda: NOON)) as store:
        own = {"v/a": Spend(Decimal(1), byok=Amount(Decimal("2.5"))), "v/b": Spend(Decimal(2), byok=NOTHING)}
        store.write(ME, StoredDays("model", {DAY + timedelta(days=1): own, DAY: {**own, "v/c": Spend(Decimal(4))}}))
    rows = [
        (row["day"], row["spend_usd"], row["byok_usd"], row["byok_lower_bound"]) for row in table(exported(env, "days", "csv"))
    ]
    assert rows == [("2026-11-11", "1", "", ""), ("2026-11-20", "7", "2.5", "1"), ("2026-11-21", "3", "2.5", "0")]
    parts = table(exported(env, "days", "csv", "--by", "model", "--since", "2026-11-20"))
    assert [(row["model"], row["byok_usd"]) for row in parts[:3]] == [("v/a", "2.5"), ("v/b", "0"), ("v/c", "")]
    text = exported(env, "days", "openmetrics")
    assert 'openbalance_day_byok_usd{account="default"} 2.5 ' in text
