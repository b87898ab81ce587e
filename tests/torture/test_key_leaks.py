"""A key used by the whole product, with all logging on, is found nowhere but in its own store afterwards."""

from __future__ import annotations

import shutil
import signal
import sys
from itertools import cycle
from pathlib import Path

import pytest
import requests

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.desktop.secret_service import gnome_keyring, lock
from tests.main_job.daemon_process import DaemonProcess, environment, page_of, started
from tests.main_job.key_search import KeySearch, core_dumps, desktop, monitored, raw_reply, spies, typed_on_a_terminal
from tests.private_bus import needs_dbus, private_bus
from tests.torture.amounts import amounts
from tests.torture.fault_proxy import FaultProxy, instead
from tests.torture.figures import Figures
from tests.waiting import PATIENCE_S, until

RUN = ("run", "--deck", "virtual", "--port", "0", "--log-level", "debug")
NO_BROWSER = (*RUN, "--no-browser")
BARS = ("plain", "json", "waybar", "polybar", "i3blocks", "tmux", "xbar")


def home(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment with all directories below the folder, in which started programs record their arguments."""
    for name in ("home", "tmp", "run"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    places = {
        "HOME": folder / "home", "TMPDIR": folder / "tmp", "XDG_CONFIG_HOME": folder / "home", "SPY_LOG": folder / "spied",
        "XDG_RUNTIME_DIR": folder / "tmp",
    }  # fmt: skip
    path = f"{folder / 'bin'}:{environment(folder)['PATH']}"
    return environment(folder, **{name: str(place) for name, place in places.items()}, PATH=path, **more)


def ended(search: KeySearch, running: DaemonProcess, number: int = signal.SIGTERM) -> None:
    running.end(number)
    assert running.process.stdout is not None
    search.note(f"log of a run that ended by {number}", running.log, running.process.stdout.read())


MISTYPED = (
    ("accounts", "--json"), ("accounts", "forget", "KEY"), ("setup", "--account", "KEY"), ("page", "KEY"), ("KEY",),
    ("refresh", "--account", "KEY"), ("export", "--what", "KEY", "--format", "csv"), ("preview", "--scenario", "KEY"),
    ("run", "--deck", "KEY"), ("run", "--config", "/KEY"), ("simulate", "--serial", "KEY"), ("guard", "--min-balance", "KEY"),
    ("bar", "--account", "KEY"), ("press", "KEY"), ("config", "check", "KEY"), ("service", "KEY"), ("run", "--KEY"),
)  # fmt: skip
PASTED = (
    'theme = "KEY"', '"KEY" = 1', "KEY", "[KEY", '[accounts."KEY"]', '[[decks]]\nserial = "KEY"\nx = 1',
    '[[decks.keys]]\nkey = 0\ntile = "KEY"', '[[decks.keys]]\nkey = 0\ntile = "usage"\naccount = "KEY"',
)  # fmt: skip


@amounts("few", short=3, long=0)
def test_a_key_that_is_typed_piped_mistyped_or_pasted_is_never_repeated(
    tmp_path: Path, seed: int, figures: Figures, few: int
) -> None:
    spies(tmp_path / "bin", "systemctl", "systemd-run", "xdg-open")
    with SampleAccount() as account:
        search = KeySearch(account.key, tmp_path, few, seed)
        key, env = account.key, home(tmp_path, OPENBALANCE_API_URL=account.url)
        shown, code = typed_on_a_terminal(env, "setup", "--store", "file", text=key)
        search.note("terminal", shown)
        assert (code, b"stored in" in shown) == (0, True), shown
        for wrong in search.some((key[:-1], f"{key} {key}", f"{key}\u202e", key * 9, f"x{key}", f"{key}\n{key}", key.upper())):
            search.ask(env, "setup", "--stdin", "--store", "file", "--account", "wrong", typed=wrong)
        search.ask(env, "setup", "--stdin", typed=key)  # a keyring that stores nothing
        search.ask({**env, "OPENBALANCE_API_URL": f"http://{key}@evil.example/"}, "setup", "--stdin", typed=key)
        search.ask({**env, "OPENBALANCE_API_URL": "http://127.0.0.1:9/"}, "setup", "--stdin", "--store", "file", typed=key)
        assert search.ask(env, "accounts").stdout.startswith(f"default  …{key[-4:]}")
        for words in search.some(MISTYPED):
            words = tuple(word.replace("KEY", key) for word in words)
            assert search.ask(env, *words).returncode in ((0,) if "--json" in words else (2, 69)), words
        others = cycle((("config", "show"), NO_BROWSER, ("doctor",), ("preview", "-o", "/dev/null")))
        for text in search.some(PASTED):
            (tmp_path / "config.toml").write_text(text.replace("KEY", key))
            for words in (("config", "check"), next(others)):
                assert search.ask(env, *words).returncode not in (0, 1), (text, words, search.seen[" ".join(words)])
        (tmp_path / "config.toml").unlink()
    search.note_files(*(tmp_path / "state" / "keys").glob("*.key"))
    assert (tmp_path / "state" / "keys" / "default.key").read_text().strip() == key
    figures.tell(tried=len(search.seen), survived=len(search.seen) - len(search.found()), lost=len(search.found()))
    assert search.found() == []


EVIL = (
    b"HTTP/1.1 401 KEY\r\nConnection: close\r\nContent-Length: 38\r\n\r\n" + b'{"error":{"message":"who is KEY, eh?"}}',
    b'HTTP/1.1 403 No\r\nConnection: close\r\nWWW-Authenticate: Bearer KEY\r\n\r\n{"error":{"message":"KEY KEY"}}',
    b"HTTP/1.1 302 Go\r\nConnection: close\r\nLocation: http://127.0.0.1:9/KEY\r\nSet-Cookie: a=KEY\r\n\r\n",
    b"HTTP/1.1 500 KEY\r\nConnection: close\r\n\r\n<html>KEY</html>",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nGET /api/v1 HTTP/1.1\nAuthorization: Bearer KEY\n",
    b"HTTP/1.1 200 KEY\r\nConnection: close\r\nContent-Length: KEY\r\nKEY\r\n: KEY\r\nTransfer-Encoding: KEY\r\n\r\nKEY",
    b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"data":{"total_credits":"KEY","total_usage":"KEY","KEY":1}}',
    b"KEY / KEY KEY\r\n\r\n",
    b'HTTP/1.1 429 KEY\r\nConnection: close\r\nRetry-After: KEY\r\nDate: KEY\r\n\r\n{"error":"KEY"}',
)
NAMED = (
    b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"data":[{"date":"2026-11-20","model":"a/KEY","endpoint_id":"KEY",'
    b'"provider_name":"KEY","usage":1,"requests":1},{"hash":"KEY","name":"KEY","label":"KEY","usage":1,"limit_reset":"KEY"}]}'
)


@needs_dbus
@amounts("few", short=3, long=0)
def test_a_key_used_by_daemon_and_children_and_repeated_by_a_server_is_found_nowhere(
    tmp_path: Path, seed: int, figures: Figures, few: int
) -> None:
    spies(tmp_path / "bin", "systemctl", "systemd-run", "xdg-open", "notify-send")
    (tmp_path / "bus").mkdir()
    names = [f"a{number}" for number in range(len(EVIL))]
    tiles = [
        ("spike-alert", "default"),
        ("balance", "default"),
        ("api-keys", "default"),
        *(("balance", name) for name in names),
    ]
    keys = "".join(
        f'[[decks.keys]]\nkey = {number}\ntile = "{tile}"\naccount = "{name}"\n' for number, (tile, name) in enumerate(tiles)
    )
    config = "".join(f"[accounts.{name}]\n" for name in names) + "[[decks]]\n" + keys
    with (
        core_dumps(tmp_path),
        private_bus(tmp_path / "bus") as bus,
        desktop(bus) as received,
        SampleAccount("critical") as account,
        FaultProxy(account.url) as proxy,
    ):
        key, search = account.key, KeySearch(account.key, tmp_path, few, seed)
        env = home(tmp_path, OPENBALANCE_API_URL=account.url, DBUS_SESSION_BUS_ADDRESS=bus, OPENROUTER_MANAGEMENT_KEY=key)
        with started(env, *RUN) as running, page_of(running) as page:  # a daemon without trouble, and its browser
            page.until_key(3, "Critical")
            page.tap(0)
            until(lambda: any("Notify" in words for words in received))
            until(lambda: len(list(tmp_path.glob("spied.*"))) >= 2)
            for path in ("/", "/deck.js", "/deck.json", "/keys/0.png", "/nowhere", "/events"):
                answer = requests.get(running.address(path), timeout=PATIENCE_S)
                search.note(f"page {path}", str(answer.headers), answer.content)
            search.note("websocket", *map(str, page.seen))
            use_everything(search, env, running)
            Path(env["OPENBALANCE_CONFIG"]).write_text(f'theme = "{key}"\n')
            search.ask(env, "reload")
            running.process.send_signal(signal.SIGHUP)
            page.until(lambda _: "found" in running.log)
            search.ask(env, "status")
            ended(search, running, signal.SIGABRT)
        Path(env["OPENBALANCE_CONFIG"]).write_text(config)
        env |= {f"OPENROUTER_MANAGEMENT_KEY_{name.upper()}": key for name in names} | {"OPENBALANCE_API_URL": proxy.url}
        evil = cycle(instead(raw.replace(b"KEY", key.encode())) for raw in EVIL)
        proxy.faults = dict.fromkeys(("/credits", "/key"), lambda answer, peer: next(evil)(answer, peer))
        proxy.faults |= dict.fromkeys(("/activity", "/keys", "/analytics/query"), instead(NAMED.replace(b"KEY", key.encode())))
        for number in (signal.SIGTERM, signal.SIGKILL):
            with started(env, *NO_BROWSER) as running, page_of(running) as page:
                page.until(lambda page: all("Preparing" not in page.texts.get(tile, "Preparing") for tile in range(len(tiles))))
                search.note("websocket", *map(str, page.seen))
                use_everything(search, env, running)
                ended(search, running, number)
        search.note("desktop", *received)
        assert sum(proxy.done.values()) >= 2 * len(EVIL)
    (tmp_path / "config.toml").unlink()
    search.note_files()
    figures.tell(tried=len(search.seen), survived=len(search.seen) - len(search.found()), lost=len(search.found()))
    assert len(search.seen) > 40
    assert search.found() == []


@needs_dbus
@pytest.mark.skipif(shutil.which("gnome-keyring-daemon") is None, reason="gnome-keyring is not installed")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # secretstorage leaves it to the collector
@amounts("few", short=3, long=0)
def test_a_key_in_a_keyring_is_not_even_readable_on_the_bus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, figures: Figures, few: int
) -> None:
    spies(tmp_path / "bin", "systemctl", "systemd-run", "xdg-open", "notify-send")
    for folder in ("bus", "owner"):
        (tmp_path / folder).mkdir()
    with (
        core_dumps(tmp_path),
        private_bus(tmp_path / "bus") as bus,
        monitored(bus) as received,
        desktop(bus),
        SampleAccount("critical") as account,
    ):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
        key, search = account.key, KeySearch(account.key, tmp_path, few, seed)
        env = home(tmp_path, OPENBALANCE_API_URL=account.url, DBUS_SESSION_BUS_ADDRESS=bus)
        del env["PYTHON_KEYRING_BACKEND"]  # the library chooses the backend
        with gnome_keyring(bus, tmp_path / "owner"):
            shown, code = typed_on_a_terminal(env, "setup", text=key)
            search.note("terminal", shown)
            assert (code, b"stored in the keyring" in shown) == (0, True), shown
            search.ask(env, "setup", "--stdin", "--account", "work", typed=key)
            with started(env, *RUN) as running, page_of(running) as page:
                page.until_key(3, "Critical")
                page.tap(0)
                until(lambda: len(list(tmp_path.glob("spied.*"))) >= 2)
                use_everything(search, env, running)
                search.note("websocket", *map(str, page.seen))
                search.ask(env, "accounts", "--json")
                search.ask(env, "accounts", "forget", "work")
                lock()
                for words in (("refresh",), ("accounts",), ("doctor", "--json")):
                    search.ask(env, *words)
                ended(search, running, signal.SIGABRT)
        with started(env, *NO_BROWSER) as running, page_of(running) as page:  # the keyring is no longer available
            page.until_key(0, "Set up")
            search.ask(env, "setup", "--stdin", typed=key)
            ended(search, running)
        assert all(any(member in message for message in received) for member in ("CreateItem", "GetSecret"))
        search.note("bus", *received)
    search.note_files()
    assert list((tmp_path / "owner").rglob("*.keyring")), "the keyring's own file, which is searched like all others"
    figures.tell(tried=len(search.seen), survived=len(search.seen) - len(search.found()), lost=len(search.found()))
    assert search.found() == []


COMMANDS = (
    ("status",), ("status", "--json"), ("guard", "--no-spike"), ("devices",), ("config", "show"), ("accounts",), ("doctor",),
    ("doctor", "--json"), ("service", "print"), ("service", "print", "--headless"), ("service", "status"), ("udev", "install"),
    *(("bar", "--format", kind) for kind in BARS), ("service", "install"), ("preview", "-o", "/dev/null"),
    *(("export", "--what", what, "--format", "csv") for what in ("days", "samples", "runs", "spikes")),
)  # fmt: skip


def use_everything(search: KeySearch, env: dict[str, str], running: DaemonProcess) -> None:
    """Use every command and every request of the control socket, and note what the system shows of the process."""
    place = Path(env["OPENBALANCE_RUNTIME_DIR"]) / "control.sock"
    process = Path(f"/proc/{running.process.pid}")
    for file in (*process.glob("task/*/comm"), process / "cmdline"):
        search.note("names of threads", file.read_bytes() if file.exists() else b"")
    for command in ("status", "accounts", "refresh", "preview", "identify", "reload", "nonsense", "watch"):
        search.note(f"socket {command}", raw_reply(place, command=command))
    for command, key in (("press", 0), ("hold", 1), ("press", "x"), ("page", None)):
        search.note(f"socket {command}", raw_reply(place, command=command, key=key, name="x"))
    for words in search.some(COMMANDS):
        assert search.ask(env, *words).returncode != 1, (words, search.seen[" ".join(words)])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_key_that_was_written_somewhere_would_be_found(tmp_path: Path) -> None:
    search = KeySearch("sk-or-v1-" + "0123456789abcdef" * 4, tmp_path)
    assert search.found() == []
    for written in (search.key, search.key[:45], search.key[-32:]):
        (tmp_path / "log").write_text(f"x{written}y")
        search.seen.clear()
        search.note_files()
        assert search.found() != []
