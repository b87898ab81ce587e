"""Which products the system's udev files speak of. A hint, not a proof: only opening a node says whether it may be opened."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from openbalance_hid.deck.udev_rules import RULES_DIRS
from openbalance_hid.deck.usb_sysfs import VENDOR

_VENDOR = re.compile(rf'ATTRS?{{idVendor}}=="{VENDOR}"', re.IGNORECASE)
_PRODUCT = re.compile(r'ATTRS?\{idProduct\}=="([0-9a-f|]+)"', re.IGNORECASE)
_HARDWARE = re.compile(rf"usb:v{VENDOR}p([0-9a-f]{{4}})", re.IGNORECASE)  # of systemd's own hardware database


def covered(products: Iterable[int], places: Iterable[Path] = RULES_DIRS) -> frozenset[int]:
    """Those of `products` that some rule or the hardware database names; all of them for a rule that names only the vendor."""
    wanted, found, folders = frozenset(products), set[int](), tuple(places)
    for line in _lines(folders, "rules.d/*.rules"):
        if not _VENDOR.search(line):
            continue
        named = _PRODUCT.search(line)
        if named is None:
            return wanted
        found |= {int(part, 16) for part in named[1].split("|") if part}
    for line in _lines(folders, "hwdb.d/*.hwdb"):
        found |= {int(product, 16) for product in _HARDWARE.findall(line)}
    return wanted & found


def _lines(places: Iterable[Path], which: str) -> Iterator[str]:
    """Every line that is no comment; a file hides those of the same name in later directories (udev(7), hwdb(7))."""
    seen = set()
    for place in places:
        for file in sorted(place.glob(which)):
            if file.name in seen:
                continue
            seen.add(file.name)
            try:
                text = file.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            yield from (line for line in text.replace("\\\n", " ").splitlines() if not line.lstrip().startswith("#"))
