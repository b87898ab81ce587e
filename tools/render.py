"""Write the files made from the code: units of systemd and launchd, manual page, recipes, parts of `docs/`.

Run `make rendered`; `--check` writes nothing and exits 1 if a file is stale.
"""

import json
import sys
from pathlib import Path

import msgspec

from openbalance_hid.cli import main as program
from openbalance_hid.mqtt.snapshot_schema import SnapshotMessage
from openbalance_hid.service.units import LABEL, UNIT, render_agent, render_system_unit, render_user_unit
from tools.docs import rendered_pages
from tools.man_page import render_man_page
from tools.recipes import render_formula, render_pkgbuild

ROOT = Path(__file__).parents[1]
PROGRAM = ("/usr/bin/openbalance-hid",)  # of a distribution's package


def rendered() -> dict[str, str]:
    """Return the text of every file by its path in the repository."""
    return {
        "packaging/aur/PKGBUILD": render_pkgbuild(),
        "packaging/homebrew/openbalance-hid.rb": render_formula(),
        "packaging/man/openbalance-hid.1": render_man_page(program),
        f"systemd/user/{UNIT}": render_user_unit(PROGRAM),
        f"systemd/system/{UNIT}": render_system_unit(PROGRAM),
        f"launchd/{LABEL}.plist": render_agent(("/opt/homebrew/bin/openbalance-hid",), f"/Users/you/Library/Logs/{LABEL}.log"),
        "docs/snapshot.schema.json": render_snapshot_schema(),
        **rendered_pages(),
    }


def render_snapshot_schema() -> str:
    """Return the JSON schema of the message that is published for other desks."""
    return json.dumps(msgspec.json.schema(SnapshotMessage), indent=1) + "\n"


def main(check: bool) -> int:
    """Write or check all files; return the exit code, and print the path of each stale file."""
    stale = [name for name, text in rendered().items() if not (ROOT / name).is_file() or (ROOT / name).read_text() != text]
    for name in stale:
        print(f"{name} {'is stale: make rendered' if check else 'written'}")
        if not check:
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(rendered()[name])
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
