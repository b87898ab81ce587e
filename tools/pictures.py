"""Draw the pictures that are no `preview` of one deck: the gallery of all tiles, and the animation of a hold and a spike.

`make pictures` runs it with a stated moment in SOURCE_DATE_EPOCH; a test fails when a picture is stale.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from tools.animation import animation_webp
from tools.gallery import gallery_png

ANIMATION, GALLERY = "deck-animated.webp", "tiles.png"


def main(folder: Path, at: datetime) -> None:
    """Write both files into the folder of the README's pictures, which has the configuration of the deck."""
    (folder / GALLERY).write_bytes(gallery_png("dark"))
    (folder / ANIMATION).write_bytes(animation_webp(folder / "deck.toml", at))


if __name__ == "__main__":
    main(Path(sys.argv[1]), datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC))
