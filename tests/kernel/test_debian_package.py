"""The Debian package, from its installation by root to its purge: what is between is the ordinary user's."""

import shutil
import subprocess
from pathlib import Path

import pytest

from openbalance_hid.simulator.sample_account import SampleAccount
from tests.kernel.desk import Desk, expected, is_black, until_stands
from tests.kernel.recipe import PYTHON
from tests.kernel.states import CONFIG, Machine
from tests.kernel.wheels import ROOT

pytestmark = pytest.mark.kernel

CHANGED = '[[decks]]\n[[decks.keys]]\nkey = 3\ntile = "balance"\ntheme = "light"\n'
# Every file of the system; not what the system itself writes when a package comes or goes.
FILES = "find / -xdev -type f -not -path '/var/l[io][bg]/*' -not -path '/var/cache/*' -not -path '/tmp/*' | sort"


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
    guest = bare.guest
    before = guest.root(FILES)
    guest.put([deb], "/tmp/deb")
    guest.root(f"dpkg --install /tmp/deb/{deb.name}")
    bare.configure(CONFIG)
    bare.command("setup --stdin --store file", typed=f"{account.key}\n")
    bare.command("service install")
    with Desk(guest, "mk2-scissor") as desk:
        deck = desk.plug()  # nobody has asked for a rule: the package has brought it
        until_stands(deck, expected(account, deck))

        (tmp_path / "config.toml").write_text(CHANGED)
        bare.configure(tmp_path / "config.toml")
        until_stands(deck, expected(account, deck, tmp_path / "config.toml"))

        bare.command("service uninstall")
        assert is_black(deck)
        bare.command("accounts forget default")
        guest.root("dpkg --purge openbalance-hid")
        left = set(guest.root(FILES).splitlines()) - set(before.splitlines())
        assert {file for file in left if "openbalance" in file or not file.startswith(("/home/", "/run/"))} <= {
            "/home/owner/.config/openbalance-hid/config.toml",
            *(file for file in left if file.startswith("/home/owner/.local/state/openbalance-hid/history.sqlite3")),
        }, "the owner's own configuration and history stay, nothing else does"
