"""The Homebrew formula for a source distribution of this checkout: python -m tools.recipes_of_checkout FILE

It differs from the formula of a release in the address and the checksum of the source, and in the words of its service: CI has
no deck.
"""

import sys
from pathlib import Path

from tools.recipes import RELEASE, __version__, render_formula
from tools.release import sha256, with_checksum

COMMAND = '"run", "--launchd"]'
WITH_VIRTUAL_DECK = '"run", "--launchd", "--deck", "virtual", "--no-browser", "--port", "0"]'


def formula_of(source: Path) -> str:
    """Return the formula that installs the source distribution `source`."""
    formula = with_checksum(render_formula(), sha256(source))
    for old, new in ((RELEASE.format(version=__version__), source.resolve().as_uri()), (COMMAND, WITH_VIRTUAL_DECK)):
        if formula.count(old) != 1:
            raise SystemExit(f"the formula has {formula.count(old)} times {old}")
        formula = formula.replace(old, new)
    return formula


if __name__ == "__main__":
    print(formula_of(Path(sys.argv[1])), end="")
