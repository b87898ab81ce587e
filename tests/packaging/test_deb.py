"""The Debian package in a fresh system, made for it in a folder: `make test-deb`, as root. This machine is not changed."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import openbalance_hid

pytestmark = pytest.mark.deb

ROOT = Path(__file__).parents[2]
HOME = "usr/lib/openbalance-hid"
OWNER = "1000:1000"
# What the system itself writes whenever a package comes or goes.
OF_THE_SYSTEM = ("var/log/", "var/cache/", "var/lib/dpkg/", "var/lib/apt/", "etc/ld.so.cache", "tmp/", "dev/", "proc/", "sys/")
# What root may have made with the commands of the program.
MADE = (
    "etc/openbalance-hid/openrouter-management-key",
    "etc/systemd/system/openbalance-hid.service",
    "etc/systemd/system/multi-user.target.wants/openbalance-hid.service",
    "etc/udev/rules.d/70-openbalance-hid-headless.rules",
    "var/lib/private/openbalance-hid/history.sqlite3",
)


@pytest.fixture(scope="module")
def deb(request: pytest.FixtureRequest) -> Path:
    file = Path(request.config.getoption("--deb")).absolute()
    assert file.is_file()
    return file


@pytest.fixture(scope="module")
def bare(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A minimal system of this machine's release, with what the package depends on, and with nothing of it."""
    if os.geteuid() or shutil.which("mmdebstrap") is None:
        pytest.skip("a fresh system needs root and mmdebstrap: apt install mmdebstrap, sudo make test-deb")
    folder = tmp_path_factory.mktemp("system")
    (codename,) = re.findall(r"^VERSION_CODENAME=(.*)$", Path("/etc/os-release").read_text(), re.MULTILINE)
    depends = said("dpkg-deb", "--field", str(deb), "Depends")
    satisfy = f"chroot $1 apt-get satisfy --yes --no-install-recommends '{depends}, man-db, bash-completion'"
    owner = "chroot $1 useradd --create-home --uid 1000 owner"
    said(
        "mmdebstrap",
        "--quiet",
        "--variant=apt",
        f"--customize-hook={satisfy}",
        f"--customize-hook={owner}",
        codename,
        str(folder / "bare"),
    )
    yield folder / "bare"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def installed(bare: Path, deb: Path) -> Path:
    return with_package(bare, deb, "installed")


def with_package(bare: Path, deb: Path, name: str) -> Path:
    system = bare.with_name(name)
    said("cp", "--archive", str(bare), str(system))
    shutil.copy(deb, system / "tmp")
    inside(system, "dpkg", "--install", f"/tmp/{deb.name}", who="0:0")
    return system


def said(*words: str) -> str:
    ended = subprocess.run(words, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, f"{words}: {ended.stdout}{ended.stderr}"
    return ended.stdout


def entering(system: Path, who: str = OWNER) -> list[str]:
    home = "/root" if who == "0:0" else "/home/owner"
    clean = [
        "env",
        "-i",
        f"HOME={home}",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL=C.UTF-8",
        "DEBIAN_FRONTEND=noninteractive",
    ]
    return ["chroot", f"--userspec={who}", str(system), *clean]


def inside(system: Path, *words: str, who: str = OWNER) -> str:
    return said(*entering(system, who), *words)


def files_of(system: Path) -> set[str]:
    found = {file.relative_to(system).as_posix() for file in system.rglob("*")}
    return {name for name in found if not name.startswith(OF_THE_SYSTEM)}


def test_lintian_finds_no_error(deb: Path) -> None:
    if shutil.which("lintian") is None:
        pytest.skip("no lintian: apt install lintian")
    ended = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", str(deb)], capture_output=True, text=True, timeout=300
    )
    assert (ended.returncode, ended.stdout) == (0, "")


def test_it_holds_neither_compiled_files_nor_a_word_of_where_it_was_built(deb: Path, tmp_path: Path) -> None:
    said("dpkg-deb", "--extract", str(deb), str(tmp_path))
    assert [file for file in tmp_path.rglob("*") if file.name == "__pycache__" or file.suffix == ".pyc"] == []
    files = [file for file in tmp_path.rglob("*") if file.is_file() and not file.is_symlink()]
    assert len(files) > 500
    assert [file for file in files if os.fsencode(ROOT) in file.read_bytes()] == []


def test_the_command_works_for_an_ordinary_user(installed: Path) -> None:
    assert inside(installed, "openbalance-hid", "--version") == f"openbalance-hid {openbalance_hid.__version__}\n"
    said_of_the_picture = inside(installed, "openbalance-hid", "preview", "-o", "/home/owner/deck.png")
    assert said_of_the_picture == "/home/owner/deck.png: sample account 'normal'\n"
    assert (installed / "home/owner/deck.png").read_bytes().startswith(b"\x89PNG")


def test_the_daemon_runs_and_answers(installed: Path) -> None:
    runtime = "OPENBALANCE_RUNTIME_DIR=/home/owner/run"
    words = [*entering(installed), runtime, "openbalance-hid", "demo", "--no-browser", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as daemon:
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline().startswith("Virtual deck: http://127.0.0.1:")
            assert inside(installed, runtime, "openbalance-hid", "status").startswith("openbalance-hid ")
        finally:
            daemon.send_signal(signal.SIGTERM)


def test_the_unit_and_the_rules_are_those_that_the_command_prints(installed: Path) -> None:
    rules = (installed / "usr/lib/udev/rules.d/70-openbalance-hid.rules").read_text()
    assert inside(installed, "openbalance-hid", "udev", "print") == rules
    assert "already installed" in inside(installed, "openbalance-hid", "udev", "install")
    for kind, option in (("user", []), ("system", ["--headless"])):
        unit = (installed / f"usr/lib/systemd/{kind}/openbalance-hid.service").read_text()
        assert inside(installed, "openbalance-hid", "service", "print", *option) == unit


def test_man_shows_the_page(installed: Path) -> None:
    assert "OpenRouter account on a Stream Deck" in inside(installed, "man", "openbalance-hid")


def test_bash_knows_how_to_complete_the_command(installed: Path) -> None:
    lazily = (
        "source /usr/share/bash-completion/bash_completion; _completion_loader openbalance-hid; complete -p openbalance-hid"
    )
    assert "_openbalance_hid_completion openbalance-hid" in inside(installed, "bash", "-c", lazily)


def test_the_program_is_compiled_when_it_is_installed(installed: Path) -> None:
    (package,) = (installed / HOME).glob("lib/python3.*/site-packages/openbalance_hid")
    assert list(package.glob("cli/__pycache__/__init__.*.pyc"))


def test_after_a_purge_nothing_is_left(bare: Path, deb: Path) -> None:
    system = with_package(bare, deb, "purged")
    inside(system, "openbalance-hid", "--version", who="0:0")
    for name in MADE:
        (system / name).parent.mkdir(parents=True, exist_ok=True)
        (system / name).write_text("")
    inside(system, "dpkg", "--install", f"/tmp/{deb.name}", who="0:0")  # once more, as at an upgrade
    inside(system, "dpkg", "--remove", "openbalance-hid", who="0:0")
    assert {name for name in MADE if (system / name).exists()} == set(MADE), "what root made stays until a purge"
    inside(system, "dpkg", "--purge", "openbalance-hid", who="0:0")
    left = {name for name in files_of(system) - files_of(bare) if (system / name).is_file() or "openbalance" in name}
    assert left == set()
