"""Hostile names (terminal escapes, markup, formulas) from the account to each output."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from openbalance_hid.cli.bar.formats import FORMATS
from openbalance_hid.cli.bar.line import BarLine
from openbalance_hid.cli.export_formats import FORMULA
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.cli.bar.bar_programs import i3blocks_block, needs_i3blocks, needs_pango, needs_tmux, pango_text, tmux_status
from tests.main_job.daemon_process import DaemonProcess, environment, page_of, started
from tests.torture.altered_json import dumped
from tests.torture.fault_proxy import FaultProxy, with_body

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07", "\x9b31m\x90q\x9c", "\u202eeman\u2066", "two\nlines", "back\r\x08\x7f", "\u2028\u2029\x85",
    "x" * 1_000_000, "<b>bold</b>&amp;<span size='x'>", "#(touch owned)#[fg=red]#{pane_id}#S",
    "a | bash=/bin/sh param1=-c param2=owned refresh=true", "--- below",
    ":mushroom: \\e[31m", "%{A1:reboot:}click%{A}%{F#f00}", "=1+1", "+1", "-1", "@SUM(1)", "＝1+1", "a;=1+1",
    '"} 1\nevil{a="b"} 1', "\\",
    "{{token}}<script>alert(1)</script>", "a,b;c\td", "\u200b\u200d\ufeff", "\U000e0041tag", "sk-or-v1-" + "ab" * 32,
)  # fmt: skip
RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0")


def renamed(body: bytes) -> bytes:
    """Return a reply in which every model, provider and key has a hostile name."""
    whole = json.loads(body, parse_float=Decimal)
    rows = whole["data"]["data"] if "data" in whole["data"] else whole["data"]
    names = sorted({row.get("model", row.get("name")) for row in rows})
    for row in rows:
        name = HOSTILE[names.index(row.get("model", row.get("name"))) % len(HOSTILE)]
        row |= {field: name for field in ("model", "model_permaslug", "provider_name", "name") if field in row}
    return dumped(whole).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """Start a daemon on an account with a critical spend and hostile names."""
    folder = tmp_path_factory.mktemp("hostile")
    with SampleAccount("critical", keys=len(HOSTILE)) as account, FaultProxy(account.url) as proxy:
        proxy.faults = dict.fromkeys(("/activity", "/keys", "/analytics/query"), with_body(renamed))
        env = environment(folder, OPENBALANCE_API_URL=proxy.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, *RUN) as made:
            with page_of(made) as page:
                page.until_key(3, "Critical")
                page.until(lambda page: any("Keys today" in text for text in page.texts.values()))
            yield made


def output_of(running: DaemonProcess, *words: str) -> str:
    done = running.ask(*words)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def unprintable(text: str) -> set[str]:
    """Return the characters that move a cursor, change the direction of writing or are invisible."""
    return {
        letter for letter in text if letter != "\n" and unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    }


@pytest.mark.parametrize(
    "words",
    [
        ("status",), ("status", "--json"), ("accounts",), ("devices",), ("config", "check"), ("config", "show"), ("bar",),
        ("doctor", "--json"), *(("bar", "--format", kind) for kind in FORMATS),
        *(
            ("export", "--what", "days", "--by", by, "--format", kind)
            for by in ("model", "provider", "key") for kind in ("json", "csv", "prometheus", "openmetrics")
        ),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_output_contains_a_control_character(running: DaemonProcess, words: tuple[str, ...]) -> None:
    done = running.ask(*words)
    assert done.returncode in (0, 69, 77), done.stderr  # doctor: no deck, or no permission to open it
    assert unprintable((done.stdout + done.stderr).replace("\r\n", "\n")) == set()
    assert "abab" not in done.stdout


def test_the_log_contains_no_control_character(running: DaemonProcess) -> None:
    assert unprintable(running.log) == set()


@needs_pango
def test_pango_finds_no_markup_in_waybars_text_and_tooltip(running: DaemonProcess) -> None:
    printed = json.loads(output_of(running, "bar", "--format", "waybar"))
    plain_text = json.loads(output_of(running, "bar", "--format", "json"))
    assert pango_text(printed["text"]) == plain_text["text"]
    shown = pango_text(printed["tooltip"])
    assert shown is not None
    assert shown.splitlines()[:-1] == plain_text["tooltip"].splitlines()[:-1], "the last line is the age"
    assert pango_text("<b>bold</b>") == "bold"
    assert pango_text("a & b") is None


NAME = "#(touch owned)#[fg=red]##[x]#{pane_id}#S %H %{F#f00}<b>&amp; | x=y \\ \"'$(touch owned)`touch owned` END"


def line(text: str, tone: str = "warn") -> BarLine:
    return BarLine("normal", "✓", text, "$74", tone, ("normal",), (text,), "default")


@needs_pango
def test_pango_shows_a_name_unchanged() -> None:
    assert pango_text(json.loads(FORMATS["waybar"](line(NAME), ("x",)))["text"]) == f"✓ {NAME}"


@needs_i3blocks
def test_i3blocks_passes_a_name_unchanged_and_starts_nothing(tmp_path: Path) -> None:
    shown = f"✓ {NAME}".replace('"', "”").replace("\\", "∖")  # it has no escapes
    block = i3blocks_block(FORMATS["i3blocks"](line(NAME), ("x",)), tmp_path)
    assert (block["full_text"], block.get("markup", "none"), block["color"]) == (shown, "none", "#ffb82e")
    assert not (tmp_path / "owned").exists()
    assert not Path("owned").exists()


@needs_tmux
@pytest.mark.parametrize("tone", ["ink", "warn"])
def test_tmux_shows_a_name_unchanged_and_starts_nothing(tmp_path: Path, tone: str) -> None:
    with tmux_status(FORMATS["tmux"](line(NAME, tone), ("x",)), tmp_path) as shown:
        assert shown == f"✓ {NAME}"
    assert not (tmp_path / "owned").exists()
    assert not Path("owned").exists()


def test_xbar_starts_and_opens_only_its_own_entries(running: DaemonProcess) -> None:
    parameters: dict[str, set[str]] = {}
    for row in output_of(running, "bar", "--format", "xbar").splitlines():
        assert row == "---" or not row.startswith("-")
        for word in shlex.split(row.partition(" | ")[2]):
            parameters.setdefault(word.partition("=")[0], set()).add(word.partition("=")[2])
    assert len(parameters["shell"]) == 1
    assert parameters.keys() & {"bash", "param5", "image", "templateImage", "dropdown"} == set()
    assert {address.split("/")[2] for address in parameters["href"]} == {"openrouter.ai"}


def test_polybar_finds_no_tag_in_a_name(running: DaemonProcess) -> None:
    for text in (output_of(running, "bar", "--format", "polybar"), FORMATS["polybar"](line(NAME), ("x",))):
        assert {tag[0] for tag in re.findall(r"%\{(.*?)\}", text)} <= {"A", "F"}
        assert len(re.findall(r"%\{F", text)) == 2


@pytest.mark.parametrize("by", ["model", "provider"])
def test_csv_has_no_formula_and_prometheus_no_second_series(running: DaemonProcess, by: str) -> None:
    days = ("export", "--what", "days", "--by", by, "--format")
    rows = list(csv.DictReader(io.StringIO(output_of(running, *days, "csv"))))
    assert len({row[by] for row in rows}) > 5
    assert [row for row in rows if row[by].startswith(FORMULA)] == []
    assert {row[by][:2] for row in rows if "1+1" in row[by]} <= {"'=", "'＝"}
    for family in text_string_to_metric_families(output_of(running, *days, "prometheus")):
        assert family.name.startswith("openbalance_day_")
        assert {sample.name for sample in family.samples} == {family.name}
        assert {frozenset(sample.labels) for sample in family.samples} == {frozenset({"account", "day", by})}
