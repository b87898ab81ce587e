"""`examples/one-deck.toml` under the hardened service: the account, programs, media, a light and a tile of another package."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.command_recipes import ONE_DECK, SHOWN, TOKEN_FILE, home_assistant, written_scripts
from tests.kernel.attached_decks import AttachedDecks, expected, texts_in_status, until_key_shows
from tests.kernel.guest import PATIENCE_S
from tests.kernel.recipe import OWNER
from tests.kernel.states import Machine
from tests.music_player import SONGS
from tests.waiting import until

pytestmark = pytest.mark.kernel

HOME_ASSISTANT_PORT = 8123  # its own, as in the recipe
LIMIT_S = 300  # of a program: the guest is a hundred times slower than a usual machine when this one is busy
UNIT = "openbalance-hid-command-"
# Their pictures are known in advance. The runway's follows the time, and the other tiles are of programs.
ACCOUNT_TILES = {0: "balance", 1: "today", 2: "monthly-spend", 4: "spike-alert"}
MUSIC, DESK = 10, 11
SHOWN_IN_GUEST = {**SHOWN, 6: "Mail, 1", 7: "Project, Exit"}  # no repository
# Prints the sandbox and the unit of the process that runs it.
SEEN = """\
sed -n 's/^NoNewPrivs:[^0-9]*/privileges /p' /proc/self/status >> ~/seen
sed 's,.*/,,' /proc/self/cgroup >> ~/seen
"""


@pytest.fixture
def lights() -> dict[str, str]:
    return {"light.desk": "off"}


@pytest.fixture
def furnished(serving: Machine, lights: dict[str, str], tmp_path: Path) -> Iterator[Machine]:
    """The guest with all that the example names: scripts, mail, a player, a light, the example package."""
    guest = serving.guest
    guest.put([_example_wheel(tmp_path)], "/tmp/example")
    guest.run("app/bin/pip install --quiet --no-index --no-deps /tmp/example/*.whl")
    scripts = written_scripts(tmp_path)
    scripts["deck-light"].write_text(scripts["deck-light"].read_text().replace("#!/bin/sh\n", f"#!/bin/sh\n{SEEN}"))
    guest.put(list(scripts.values()), "~/bin")
    (tmp_path / "deck-light.curl").write_text(f"{TOKEN_FILE}max-time = {LIMIT_S}\n")
    guest.put([tmp_path / "deck-light.curl"], "~/.config")
    guest.put([Path(__file__).parents[1] / "music_player.py"], "~/player")
    guest.run("mkdir -p ~/Maildir/new ~/project && touch ~/Maildir/new/one && chmod 755 ~/bin")
    guest.run("systemd-run --user --quiet ~/app/bin/python ~/player/music_player.py")
    guest.root("echo '127.0.0.1 homeassistant.local' >> /etc/hosts")
    with home_assistant(lights) as port:
        guest.reach(HOME_ASSISTANT_PORT, port)
        yield serving


def test_one_deck_has_tiles_of_all_kinds_under_the_hardened_service(
    furnished: Machine, account: SampleAccount, lights: dict[str, str], tmp_path: Path
) -> None:
    guest = furnished.guest
    example = ONE_DECK.read_text(encoding="utf-8").replace("/home/me", f"/home/{OWNER}")
    patient = example.replace('tile = "command"\n', f'tile = "command"\nlimit_seconds = {LIMIT_S}\n')
    (tmp_path / "config.toml").write_text(patient)
    furnished.configure(tmp_path / "config.toml")
    with AttachedDecks(guest, "mk2-scissor") as attached:
        deck = attached.plug()
        _until_texts(furnished, deck, SHOWN_IN_GUEST)
        for key, tile in expected(account, deck, _account_tiles(tmp_path / "account.toml")).items():
            until_key_shows(deck, key, tile)
        assert len({deck.glass(key).tobytes() for key in SHOWN_IN_GUEST}) == len(SHOWN_IN_GUEST), "two keys show the same"
        (plugin,) = furnished.status()["plugins"]
        assert (plugin["tile"], plugin["trouble"]) == ("wall-clock", None)

        _tap(deck, DESK)
        _until_texts(furnished, deck, {DESK: "Desk, on"})
        assert lights == {"light.desk": "on"}
        furnished.command(f"hold {MUSIC}")
        _until_texts(furnished, deck, {MUSIC: f"Music, {SONGS[1]}"})
        _tap(deck, MUSIC)
        assert guest.until("playerctl status | grep Paused") == "Paused\n"
        assert deck.faults == []

    service = guest.run("systemctl --user show --property=MainPID --value openbalance-hid").strip()
    assert guest.run(f"grep NoNewPrivs /proc/{service}/status").split() == ["NoNewPrivs:", "1"]
    privileges, units = guest.run("cat ~/seen").splitlines()[::2], guest.run("cat ~/seen").splitlines()[1::2]
    assert set(privileges) == {"privileges 0"}
    assert all(unit.startswith(UNIT) for unit in units)
    assert len(units) == len(set(units)) >= 3, "at least: shown, toggled, shown again, each in a unit of its own"


def test_the_service_in_use_is_as_exposed_as_the_documentation_states(serving: Machine) -> None:
    words = serving.guest.run("systemd-analyze --user security --no-pager openbalance-hid.service")
    (line,) = (line for line in words.splitlines() if "Overall exposure level" in line)
    assert float(line.rpartition(": ")[2].split()[0]) <= 6.2


def _until_texts(machine: Machine, deck: VirtualDeck, wanted: dict[int, str]) -> None:
    found: dict[int, str] = {}

    def are_shown() -> bool:
        found.update(texts_in_status(machine.status(), deck.serial))
        return all(words in found.get(key, "") for key, words in wanted.items())

    until(are_shown, lambda: f"the keys show {found}; log: {machine.log()}", PATIENCE_S)


def _account_tiles(file: Path) -> Path:
    """Write a configuration with the tiles of the account alone."""
    keys = "".join(f'[[decks.keys]]\nkey = {key}\ntile = "{tile}"\n' for key, tile in ACCOUNT_TILES.items())
    file.write_text(f'[[decks]]\nrest = "blank"\n{keys}')
    return file


def _tap(deck: VirtualDeck, key: int) -> None:
    deck.press(key)
    deck.release(key)


def _example_wheel(folder: Path) -> Path:
    words = ["build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ONE_DECK.with_name("example-tile"))]
    ended = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel
