"""The Debian package: installed by root, used by an ordinary user, purged by root."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.kernel.attached_decks import AttachedDecks, expected, is_black, until_shown
from tests.kernel.guest import PATIENCE_S, Guest
from tests.kernel.recipe import PYTHON
from tests.kernel.states import API, CONFIG, Machine
from tests.kernel.wheels import ROOT
from tests.waiting import until

pytestmark = pytest.mark.kernel

CHANGED = '[[decks]]\nrest = "blank"\n[[decks.keys]]\nkey = 3\ntile = "balance"\ntheme = "light"\n'
NEEDS_A_DESKTOP = {"pages", "notifications"}  # which the guest does not have
# Without the files that the system itself writes when a package is installed or removed.
FILES = "find / -xdev -type f -not -path '/var/l[io][bg]/*' -not -path '/var/cache/*' -not -path '/tmp/*'"
OURS = "find /var/lib -name '*openbalance*'"


@pytest.fixture(scope="module")
def deb(image: object) -> Path:
    version = "import sys; print('%d.%d' % sys.version_info[:2])"
    ours = subprocess.run(["/usr/bin/python3", "-c", version], capture_output=True, text=True, check=False).stdout.strip()
    if ours != PYTHON or shutil.which("dpkg-shlibdeps") is None:
        pytest.skip(f"the guest's package is built where Debian's python3 is {PYTHON}: apt install dpkg-dev")
    made = subprocess.run(["make", "--silent", "deb"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return Path(made.stdout.splitlines()[-1])


def test_the_package_serves_an_ordinary_user_and_leaves_nothing_behind(
    bare: Machine, account: SampleAccount, deb: Path, tmp_path: Path
) -> None:
    before = files(bare.guest)
    install(bare.guest, deb)
    bare.configure(CONFIG)
    bare.command("setup --stdin --store file", typed=f"{account.key}\n")
    drop_in = "/etc/systemd/user/openbalance-hid.service.d"
    bare.guest.root(f"mkdir -p {drop_in} && printf '[Service]\\nEnvironment={API}\\n' > {drop_in}/test.conf")
    bare.command("service install")
    with AttachedDecks(bare.guest, "mk2-scissor") as attached:
        deck = attached.plug()  # no command for the rules: the package installs them
        until_shown(deck, expected(account, deck))
        checks = doctor(bare)
        failing = {check["name"] for check in checks if check["verdict"] != "ok"}
        assert failing == NEEDS_A_DESKTOP, checks

        (tmp_path / "config.toml").write_text(CHANGED)
        bare.configure(tmp_path / "config.toml")
        until_shown(deck, expected(account, deck, tmp_path / "config.toml"))

        bare.command("service uninstall")
        assert is_black(deck)
    bare.guest.root(f"rm -r {drop_in}")
    bare.command("accounts forget default")
    bare.guest.root("dpkg --purge openbalance-hid")
    left = {file for file in files(bare.guest) - before if "openbalance" in file}
    state = "/home/owner/.local/state/openbalance-hid"
    history = {file for file in left if file.startswith(f"{state}/history.sqlite3")}
    stay = {"/home/owner/.config/openbalance-hid/config.toml", f"{state}/daemon.lock"}
    assert left - history == stay, "only configuration, history and the file of the lock stay"


def test_the_headless_service_gets_its_key_from_systemd_and_a_purge_removes_it(
    bare: Machine, account: SampleAccount, deb: Path
) -> None:
    guest = bare.guest
    before = files(guest)
    install(guest, deb)
    guest.root("systemctl stop getty@tty1")  # the user logs out at the seat
    _, command, *_ = bare.command("service install --headless").split("\n\n")
    asking = 'systemd-ask-password "Management key:"'
    assert asking in command
    guest.run(command.replace(asking, "cat"), typed=f"{account.key}\n")  # there is no terminal here
    guest.root("mkdir /etc/systemd/system/openbalance-hid.service.d")
    guest.root(f"printf '[Service]\\nEnvironment={API}\\n' > /etc/systemd/system/openbalance-hid.service.d/test.conf")
    guest.put([CONFIG], "/tmp/config")
    guest.root(
        "cp /tmp/config/config.toml /etc/openbalance-hid/ && systemctl daemon-reload && systemctl restart openbalance-hid"
    )
    with AttachedDecks(guest, "mk2-scissor") as attached:
        deck = attached.plug()
        until_shown(deck, expected(account, deck))
        guest.root("systemctl stop openbalance-hid")
        assert is_black(deck)
    guest.root("rm -r /etc/systemd/system/openbalance-hid.service.d && dpkg --purge openbalance-hid")
    assert {file for file in files(guest) - before if "openbalance" in file} == set()


def doctor(machine: Machine) -> list[dict[str, str]]:
    """Return the checks, each with an answer: on a busy machine the guest is too slow for the limits of some."""
    found: list[list[dict[str, str]]] = []

    def is_answered() -> bool:
        found.append(json.loads(machine.tried("doctor --json").stdout)["checks"])
        return not any("no answer" in check["found"] for check in found[-1])

    until(is_answered, lambda: f"some checks never answer: {found[-1]}", PATIENCE_S)
    return found[-1]


def install(guest: Guest, deb: Path) -> None:
    guest.put([deb], "/tmp/deb")
    guest.root(f"dpkg --install /tmp/deb/{deb.name}")


def files(guest: Guest) -> set[str]:
    """Return the files of the whole system that matter here."""
    return {*guest.root(FILES).splitlines(), *guest.root(OURS).splitlines()}
