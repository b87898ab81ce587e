"""Notifications on macOS, with replacements of its two programs that read their arguments as the real ones do."""

from __future__ import annotations

import json
import os
import queue
import sys
from pathlib import Path

import pytest

from openbalance_hid.desktop.notify import Shown, send_notification
from openbalance_hid.service.doctor.check import CheckStatus
from tests.service.doctor.doctor_context import doctor_context, results
from tests.waiting import PATIENCE_S, until_no_thread

# As AppDelegate.m of terminal-notifier 2.0 with NSUserDefaults: "-name value" pairs; a value that starts like a property list
# is no string and drops out; one that starts with "-" is the next option; one leading backslash is removed; no message: 1.
NOTIFIER = r"""
import json, os, sys
found, words = {}, sys.argv[1:]
while words:
    name = words.pop(0)
    if name.startswith("-") and words and not words[0].startswith("-"):
        value = words.pop(0)
        if value[:1] not in tuple('([{<"'):
            found[name[1:]] = value[1:] if value.startswith("\\") else value
if not found.get("message"):
    sys.exit(1)
assert not any(name.startswith(("OPENROUTER", "CREDENTIALS")) for name in os.environ)
with open(os.environ["SHOWN"], "a") as file:
    print(json.dumps([found.get("title", "Terminal"), found["message"]]), file=file)
"""
# As osascript(1): options by getopt, then the arguments of the script's run handler, in order.
OSASCRIPT = r"""
import getopt, json, os, sys
options, arguments = getopt.getopt(sys.argv[1:], "e:l:is:")
handler = dict(options)["-e"].splitlines()[0]
names = handler[handler.index("{") + 1 : handler.index("}")].split(", ")
found = dict(zip(names, arguments, strict=True))
with open(os.environ["SHOWN"], "a") as file:
    print(json.dumps([found["title"], found["body"]]), file=file)
"""
HOSTILE = (
    "-$2.40 left",
    "[work] spike",
    "(lab) 3× usual",
    "{x}",
    "<b>",
    '"quoted"',
    "\\ back",
    "",
    "*",
    "@",
    "a\nb\tc",
    "日本 ✓",
)


def program(directory: Path, name: str, text: str) -> None:
    file = directory / name
    file.write_text(f"#!{sys.executable} -S\n{text}")
    file.chmod(0o755)


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("openbalance_hid.desktop.mac_notify.HOMEBREW", str(tmp_path / "homebrew"))
    (tmp_path / "homebrew").mkdir()
    program(tmp_path, "osascript", OSASCRIPT)
    path = f"{tmp_path}:/usr/bin:/bin"
    monkeypatch.setenv("PATH", path)
    return {**os.environ, "PATH": path, "SHOWN": str(tmp_path / "shown"), "OPENROUTER_MANAGEMENT_KEY": "sk-or-v1-secret"}


def show(env: dict[str, str], title: str, body: str) -> Shown:
    reports: queue.SimpleQueue[Shown] = queue.SimpleQueue()
    send_notification(title, body, env, reports.put, {})
    found = reports.get(timeout=PATIENCE_S)
    until_no_thread("notification")
    return found


def shown(env: dict[str, str]) -> list[list[str]]:
    return [json.loads(line) for line in Path(env["SHOWN"]).read_text().splitlines()]


@pytest.mark.parametrize("installed", [False, True], ids=["osascript", "terminal-notifier"])
def test_every_text_arrives_whole_by_either_program_and_counts_as_unconfirmed(
    mac: dict[str, str], tmp_path: Path, installed: bool
):
    if installed:
        program(tmp_path / "homebrew", "terminal-notifier", NOTIFIER)
    texts = [text for text in HOSTILE if text or not installed]
    for text in texts:
        assert show(mac, "OpenRouter: Spike", text) is Shown.MAYBE
    assert shown(mac) == [["OpenRouter: Spike", " ".join(text.split())] for text in texts]


def test_terminal_notifier_takes_titles_of_every_kind(mac: dict[str, str], tmp_path: Path):
    program(tmp_path, "terminal-notifier", NOTIFIER)
    for title in filter(None, HOSTILE):
        show(mac, title, "text")
    assert shown(mac) == [[" ".join(title.split()), "text"] for title in HOSTILE if title]


def test_a_program_that_fails_or_is_missing_has_not_shown_it(mac: dict[str, str], tmp_path: Path):
    program(tmp_path, "osascript", "import sys; sys.exit(1)")
    assert show(mac, "title", "text") is Shown.NO
    (tmp_path / "osascript").unlink()
    assert show(mac, "title", "text") is Shown.NO


def test_the_doctor_shows_a_test_and_names_the_setting_that_allows_it(mac: dict[str, str], tmp_path: Path):
    context = doctor_context(tmp_path, **{name: mac[name] for name in ("PATH", "SHOWN")})
    (check,) = results(context, "notifications")
    assert (check.verdict, check.hint) == (CheckStatus.WARNING, "brew install terminal-notifier")
    assert "allow Script Editor in System Settings > Notifications" in check.found
    program(tmp_path, "terminal-notifier", NOTIFIER)
    (check,) = results(context, "notifications")
    assert check.verdict is CheckStatus.OK
    assert "allow terminal-notifier in System Settings > Notifications" in check.found
    assert [text for _, text in shown(mac)] == ["This is a test: alerts reach you here."] * 2
