"""What the imports of a daemon keep in memory: `python -m bench.child_imports` prints MiB by package, as JSON."""

import json
import os
from importlib import import_module

from bench.neighbours.costs import costs_of

# In the order in which a package finds what it needs imported already: each is measured without the ones before it.
PACKAGES = {
    "msgspec": ("msgspec",),
    "click": ("click",),
    "the library for decks": ("StreamDeck.DeviceManager",),
    "Pillow": ("PIL.Image", "PIL.ImageDraw", "PIL.ImageFont", "PIL.JpegImagePlugin", "PIL.BmpImagePlugin"),
    "this program": ("openbalance_hid.cli.run", "openbalance_hid.runtime.main", "openbalance_hid.openrouter.client"),
    "the page's server": ("websockets.sync.server",),
}


def main() -> None:
    """Print the private memory of an empty process, and what each package adds to it."""
    own = os.getpid()
    before_mib = costs_of(own).private_mib
    parts = {"Python itself": before_mib}
    for package, modules in PACKAGES.items():
        for module in modules:
            import_module(module)
        after_mib = costs_of(own).private_mib
        parts[package] = after_mib - before_mib
        before_mib = after_mib
    print(json.dumps(parts), flush=True)


if __name__ == "__main__":
    main()
