"""Write `packaging/locks/sources.toml`: the download address of each required package, for the recipes. Run `make lock`.

One table for each package: its pure wheel, which needs no build, else its source distribution.
"""

import sys
import tomllib
from pathlib import Path

HEAD = "# Made by `make lock`. One file for each package: its pure wheel if it has one, else its source distribution.\n"


def main(lock: Path, target: Path) -> None:
    packages = tomllib.loads(lock.read_text())["packages"]
    kept = [package for package in packages if package.get("marker") != "sys_platform == 'win32'"]
    target.write_text(HEAD + "".join(map(_row, kept)))


def _row(package: dict) -> str:
    pure = [wheel for wheel in package.get("wheels", ()) if wheel["url"].endswith("py3-none-any.whl")]
    file = pure[0] if pure else package["sdist"]
    is_linux = "linux" in package.get("marker", "")
    return (
        f'\n[{package["name"]}]\nversion = "{package["version"]}"\nurl = "{file["url"]}"\n'
        f'sha256 = "{file["hashes"]["sha256"]}"\n' + ("linux = true\n" if is_linux else "")
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
