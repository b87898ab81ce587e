"""The recipes for Arch's user repository and for Homebrew, from `pyproject.toml` and `packaging/locks/sources.toml`.

Both fetch a release of the source distribution. Its checksum is unknown before the release: zeros in its place make an
incomplete recipe fail at its first step. packaging/README.md describes how a release fills it in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from openbalance_hid import __version__

ROOT = Path(__file__).parents[1]
HOME_PAGE = "https://pypi.org/project/openbalance-hid/"
RELEASE = "https://files.pythonhosted.org/packages/source/o/openbalance-hid/openbalance_hid-{version}.tar.gz"
UNKNOWN_SHA256 = "0" * 64
SUMMARY = "OpenRouter account on a Stream Deck"

# Not packaged by Arch (AUR has an older `streamdeck`). These are pure wheels: unpacking them is enough.
BUNDLED_ON_ARCH = ("fontpkg", "fontpkg-ibm-plex-sans-condensed", "streamdeck")

# Homebrew has formulas for these; the values are their own dependencies.
HOMEBREW_FORMULAS = {"certifi": (), "pillow": (), "cryptography": ("cffi", "pycparser")}
HOMEBREW_PYTHON = "3.14"

PKGBUILD = """\
# Made by `make rendered`, from pyproject.toml and packaging/locks/sources.toml.
# Maintainer: the openbalance-hid maintainers
pkgname=openbalance-hid
pkgver={version}
pkgrel=1
pkgdesc='{description}'
arch=('any')
url='{home_page}'
license=('MIT')
depends=(
{depends}
)
makedepends=('python-build' 'python-hatchling' 'python-installer')
optdepends=(
  'xdg-utils: to open pages where the desktop has no portal'
  'gnome-keyring: to keep the key'
  'python-prometheus_client: metrics for Prometheus'
  'python-paho-mqtt: several desks over MQTT'
  'python-pygal: reports'
  'python-jinja: reports'
)
source=(
  "{release}"
{wheels}
)
noextract=({files})
sha256sums=(
  '{unknown}'
{sums}
)

build() {{
  cd "openbalance_hid-$pkgver"
  python -m build --wheel --no-isolation
}}

_completion() {{
  install -d "${{2%/*}}"
  PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(echo "$pkgdir"/usr/lib/openbalance-hid/lib/python*/site-packages) \\
    python -m openbalance_hid completion "$1" > "$2"
}}

package() {{
  local home=/usr/lib/openbalance-hid python wheel
  python=$(python -c 'import sys; print(*sys.version_info[:2], sep=".")')
  cd "openbalance_hid-$pkgver"

  # An environment of its own, which sees the system's packages behind what comes along.
  for wheel in dist/*.whl "$srcdir"/*.whl; do
    python -m installer --destdir="$pkgdir" --prefix="$home" --no-compile-bytecode "$wheel"
  done
  rm -r "${{pkgdir:?}}$home"/bin "${{pkgdir:?}}$home"/share
  install -d "$pkgdir$home/bin" "$pkgdir/usr/bin"
  ln -s "../../../bin/python$python" "$pkgdir$home/bin/python"
  printf 'home = /usr/bin\\ninclude-system-site-packages = true\\nversion = %s\\n' "$python" > "$pkgdir$home/pyvenv.cfg"
  printf '#!%s/bin/python -I\\nfrom openbalance_hid.__main__ import main\\n\\nmain()\\n' "$home" \\
    > "$pkgdir$home/bin/openbalance-hid"
  chmod 755 "$pkgdir$home/bin/openbalance-hid"
  ln -s "../lib/openbalance-hid/bin/openbalance-hid" "$pkgdir/usr/bin/openbalance-hid"
  python -m compileall -q -s "$pkgdir" -p / "$pkgdir$home/lib"

  install -Dm644 -t "$pkgdir/usr/share/man/man1" man/openbalance-hid.1
  install -Dm644 -t "$pkgdir/usr/lib/systemd/user" systemd/user/openbalance-hid.service
  install -Dm644 -t "$pkgdir/usr/lib/systemd/system" systemd/system/openbalance-hid.service
  install -Dm644 -t "$pkgdir/usr/lib/udev/rules.d" udev/70-openbalance-hid.rules
  install -Dm644 -t "$pkgdir/usr/share/licenses/$pkgname" LICENSE
  _completion bash "$pkgdir/usr/share/bash-completion/completions/openbalance-hid"
  _completion fish "$pkgdir/usr/share/fish/vendor_completions.d/openbalance-hid.fish"
  _completion zsh "$pkgdir/usr/share/zsh/site-functions/_openbalance-hid"
}}
"""

FORMULA = """\
# Made by `make rendered`, from pyproject.toml and packaging/locks/sources.toml.
class OpenbalanceHid < Formula
  include Language::Python::Virtualenv

  desc "{description}"
  homepage "{home_page}"
  url "{release}"
  sha256 "{unknown}"
  license "MIT"

{depends}
  depends_on "python@{python}"

  on_linux do
    depends_on "pkgconf" => :build
{linux_depends}
    depends_on "libusb"
    depends_on "systemd"

{linux_resources}
  end

{resources}

  def install
    virtualenv_install_with_resources
    generate_completions_from_executable(bin/"openbalance-hid", "completion")
  end

  def caveats
    <<~EOS
      Store a Management key first: openbalance-hid setup
    EOS
  end

  service do
    run [opt_bin/"openbalance-hid", "run", "--launchd"]
    keep_alive successful_exit: false
    process_type :interactive
    throttle_interval 30
    log_path var/"log/openbalance-hid.log"
    error_log_path var/"log/openbalance-hid.log"
  end

  test do
    assert_match version.to_s, shell_output("#{{bin}}/openbalance-hid --version")
    system bin/"openbalance-hid", "preview", "-o", testpath/"deck.png"
    assert_path_exists testpath/"deck.png"
  end
end
"""

Sources = dict[str, dict[str, Any]]


def render_pkgbuild() -> str:
    """Return the PKGBUILD for Arch's user repository."""
    project, sources = _project(), _sources()
    bundled = [sources[name] for name in BUNDLED_ON_ARCH]
    depends = (f"python{project['requires-python']}", *_arch_dependencies(project["dependencies"]))
    return PKGBUILD.format(
        version=__version__,
        description=project["description"],
        home_page=HOME_PAGE,
        depends=_lines(f"  '{name}'" for name in depends),
        release=RELEASE.format(version="$pkgver"),
        wheels=_lines(f"  '{row['url']}'" for row in bundled),
        files=" ".join(f"'{row['url'].rpartition('/')[2]}'" for row in bundled),
        unknown=UNKNOWN_SHA256,
        sums=_lines(f"  '{row['sha256']}'" for row in bundled),
    )


def render_formula() -> str:
    """Return the formula for Homebrew."""
    sources = _sources()
    excluded = {name for formula, dependencies in HOMEBREW_FORMULAS.items() for name in (formula, *dependencies)}
    resources = {name: row for name, row in sources.items() if name not in excluded}
    on_linux = [name for name in HOMEBREW_FORMULAS if sources[name].get("linux")]
    everywhere = [name for name in HOMEBREW_FORMULAS if name not in on_linux]
    return FORMULA.format(
        description=SUMMARY,
        home_page=HOME_PAGE,
        release=RELEASE.format(version=__version__),
        unknown=UNKNOWN_SHA256,
        depends=_lines(f'  depends_on "{name}" => :no_linkage' for name in everywhere),
        python=HOMEBREW_PYTHON,
        linux_depends=_lines(f'    depends_on "{name}" => :no_linkage' for name in on_linux),
        linux_resources="\n\n".join(_resource(name, row, "    ") for name, row in resources.items() if row.get("linux")),
        resources="\n\n".join(_resource(name, row, "  ") for name, row in resources.items() if not row.get("linux")),
    )


def _arch_dependencies(dependencies: Iterable[str]) -> list[str]:
    """Return the dependencies that Arch packages, as Arch names them, with the lowest version."""
    wanted = sorted(map(Requirement, dependencies), key=lambda each: each.name.lower())
    return [
        f"python-{each.name.lower()}" + "".join(re.findall(r">=[\d.]+", str(each.specifier)))
        for each in wanted
        if each.name.lower() not in BUNDLED_ON_ARCH
    ]


def _resource(name: str, row: dict[str, Any], indent: str) -> str:
    lines = (f'resource "{name}" do', f'  url "{row["url"]}"', f'  sha256 "{row["sha256"]}"', "end")
    return "\n".join(indent + line for line in lines)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def _sources() -> Sources:
    return tomllib.loads((ROOT / "packaging/locks/sources.toml").read_text())
