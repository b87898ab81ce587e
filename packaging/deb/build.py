"""Build a .deb from the wheel in `dist/`: the program and its packages in a folder of their own, for this system's Python.

Debian lacks some of the packages or has older ones: those of `packaging/locks/run.txt` are included, checked by their hashes.
Run it with `make deb`; the last line of the output is the path of the file.
"""

import gzip
import os
import shutil
import subprocess
import sys
import textwrap
import tomllib
from datetime import UTC, datetime
from email.parser import HeaderParser
from email.utils import format_datetime
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAME = "openbalance-hid"
HOME = f"usr/lib/{NAME}"
PYTHON = os.environ.get("DEB_PYTHON", "/usr/bin/python3")  # of the system: the package depends on it
MAINTAINER = (
    f"{os.environ.get('DEBFULLNAME', f'the {NAME} maintainers')} <{os.environ.get('DEBEMAIL', f'maintainers@{NAME}.invalid')}>"
)
REVISION = 1
CHANGES = f"""\
{NAME} ({{version}}) unstable; urgency=medium

  * Built by the project itself; its changes are in changelog.gz.

 -- {MAINTAINER}  {{date}}
"""
BUNDLED = f"""

Below /{HOME} are packages of the Python Package Index under licences of their own. Copyright by their authors;
their full texts are in the .dist-info folder of each, those of GNU in /usr/share/common-licenses/LGPL-2.1:

"""
WITHOUT_A_DECK = "Without a deck: openbalance-hid demo."


def main() -> None:
    build = ROOT / "build/deb"
    shutil.rmtree(build, ignore_errors=True)
    stage = build / "root"
    (wheel,) = (ROOT / "dist").glob("*.whl")
    version = f"{wheel.name.split('-')[1]}-{REVISION}"
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or last_change()
    python = output_of(PYTHON, "-c", "import sys; print(*sys.version_info[:2], sep='.')")
    site = install(stage, wheel, python)
    commands(stage)
    documents(stage, site, version, int(epoch))
    for script in ("postinst", "prerm", "postrm"):
        write(stage / "DEBIAN" / script, (HERE / script).read_text(), 0o755)
    write(stage / "DEBIAN/control", control(stage, version, python, libraries(build, stage)))
    write(
        stage / "DEBIAN/md5sums",
        output_of("sh", "-c", f"cd {stage} && find usr -type f -print0 | sort -z | xargs -0 md5sum") + "\n",
    )
    file = ROOT / "dist" / f"{NAME}_{version}_{architecture()}.deb"
    run(
        "dpkg-deb",
        "--root-owner-group",
        "-Zxz",
        "--build",
        str(stage),
        str(file),
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
    )
    print(file)


def install(stage: Path, wheel: Path, python: str) -> Path:
    """Make a virtual environment for the final path, without compiled files; return its site-packages."""
    home = stage / HOME
    run(PYTHON, "-m", "venv", "--without-pip", str(home))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(home / "bin/python"),
        "--quiet",
        "--disable-pip-version-check",
        "install",
    ]
    lock = str(ROOT / "packaging/locks/run.txt")
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # the second pip imports what the first one has installed
    run(*pip, "--no-compile", "--require-hashes", "--only-binary", ":all:", "--requirement", lock, env=env)
    run(*pip, "--no-compile", "--no-deps", str(wheel), env=env)
    site = home / f"lib/python{python}/site-packages"
    for folder in ("bin", "include", "share"):
        shutil.rmtree(home / folder)
    (home / "lib64").unlink(missing_ok=True)
    for trace in site.glob("*.dist-info/direct_url.json"):
        trace.unlink()  # contains the path of the build
    for file in site.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)  # none is executable
    (home / "bin").mkdir()
    (home / "bin/python").symlink_to(f"../../../bin/python{python}")
    write(home / "pyvenv.cfg", f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {python}\n")
    # -I: ignores the current folder and PYTHONPATH.
    write(home / "bin" / NAME, f"#!/{HOME}/bin/python -I\nfrom openbalance_hid.__main__ import main\n\nmain()\n", 0o755)
    return site


def commands(stage: Path) -> None:
    """Write the command, its units, rules and completion to the paths of the system."""
    link = stage / "usr/bin" / NAME
    link.parent.mkdir(parents=True)
    link.symlink_to(f"../lib/{NAME}/bin/{NAME}")
    for kind in ("user", "system"):
        write(stage / f"usr/lib/systemd/{kind}/{NAME}.service", (ROOT / f"systemd/{kind}/{NAME}.service").read_text())
    rules = f"70-{NAME}.rules"
    write(stage / "usr/lib/udev/rules.d" / rules, (ROOT / "udev" / rules).read_text())
    for shell, place in (
        ("bash", f"bash-completion/completions/{NAME}"),
        ("zsh", f"zsh/vendor-completions/_{NAME}"),
        ("fish", f"fish/vendor_completions.d/{NAME}.fish"),
    ):
        write(stage / "usr/share" / place, output_of(sys.executable, "-m", "openbalance_hid", "completion", shell) + "\n")


def documents(stage: Path, site: Path, version: str, epoch: int) -> None:
    """Write the manual page, copyright, both changelogs and the overrides of lintian."""
    compressed(stage / f"usr/share/man/man1/{NAME}.1.gz", (ROOT / f"packaging/man/{NAME}.1").read_bytes())
    about = stage / f"usr/share/doc/{NAME}"
    compressed(about / "changelog.gz", (ROOT / "CHANGELOG.md").read_bytes())
    date = format_datetime(datetime.fromtimestamp(epoch, UTC))
    entry = CHANGES.format(version=version, date=date)
    compressed(about / "changelog.Debian.gz", entry.encode())
    write(about / "copyright", copyright_of(site))
    write(stage / "usr/share/lintian/overrides" / NAME, (HERE / "lintian-overrides").read_text())


def copyright_of(site: Path) -> str:
    """Return our licence, and the licence that each included package states."""
    rows = []
    for info in sorted(site.glob("*.dist-info")):
        metadata = HeaderParser().parsestr((info / "METADATA").read_text(encoding="utf-8"))
        if metadata["Name"] == NAME:
            continue
        classifiers = [each for each in metadata.get_all("Classifier", []) if each.startswith("License ::")]
        names = ", ".join(each.rpartition(" :: ")[2] for each in classifiers)
        licence = metadata["License-Expression"] or names or str(metadata["License"]).strip().partition("\n")[0]
        rows.append(f"  {metadata['Name']} {metadata['Version']}: {licence}")
    ours = (ROOT / "LICENSE").read_text().strip()
    return f"{NAME}\n\n{ours}{BUNDLED}" + "\n".join(rows) + "\n"


def libraries(build: Path, stage: Path) -> str:
    """Return the dependencies of the included libraries, as dpkg-shlibdeps finds them."""
    write(build / "debian/control", f"Source: {NAME}\n\nPackage: {NAME}\nArchitecture: any\n")
    found = [str(file) for file in sorted((stage / HOME).rglob("*.so*"))]
    inside = {f"-l{Path(file).parent}" for file in found if Path(file).parent.name.endswith(".libs")}
    dependencies = output_of(
        "dpkg-shlibdeps", "-O", "--warnings=1", "--ignore-missing-info", f"-x{NAME}", *sorted(inside), *found, cwd=build
    )
    return dependencies.partition("=")[2]


def control(stage: Path, version: str, python: str, libraries: str) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    major, minor = map(int, python.split("."))
    words = f"{project['description']}. A daemon for the desktop or for a headless machine. {WITHOUT_A_DECK}"
    description = "\n ".join(textwrap.wrap(words, 75))
    size_kib = sum(file.stat().st_size for file in stage.rglob("*") if file.is_file() and not file.is_symlink()) // 1024
    return (
        f"Package: {NAME}\nVersion: {version}\nArchitecture: {architecture()}\nMaintainer: {MAINTAINER}\n"
        f"Installed-Size: {size_kib}\n"
        f"Depends: python3 (>= {python}), python3 (<< {major}.{minor + 1}), libudev1, {libraries}\n"
        "Recommends: udev, xdg-utils\nSuggests: gnome-keyring, xdg-desktop-portal\n"
        f"Section: utils\nPriority: optional\nHomepage: https://pypi.org/project/{NAME}/\n"
        f"Description: OpenRouter account on a Stream Deck\n {description}\n"
    )


def last_change() -> str:
    """Return the time of the last commit in seconds since 1970, so that builds are reproducible."""
    try:
        return output_of("git", "-C", str(ROOT), "log", "-1", "--format=%ct")
    except (OSError, subprocess.CalledProcessError):  # a source distribution
        return str(int((ROOT / "CHANGELOG.md").stat().st_mtime))


def write(file: Path, text: str, mode: int = 0o644) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)


def compressed(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(data, 9, mtime=0))


def architecture() -> str:
    return output_of("dpkg", "--print-architecture")


def output_of(*words: str, cwd: Path | None = None) -> str:
    return subprocess.run(words, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def run(*words: str, env: dict[str, str] | None = None) -> None:
    subprocess.run(words, env=env, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    os.umask(0o022)
    main()
