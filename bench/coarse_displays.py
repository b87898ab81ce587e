"""Simulated displays that decode a picture coarsely: a real deck decodes with a processor of its own, not with this one's."""

import io

from PIL import Image

from openbalance_hid.simulator.device import report_decoder
from openbalance_hid.simulator.device.models import Codec
from openbalance_hid.simulator.device.report_decoder import Fault

SCALE = 8  # the mean of each block of a JPEG, without the inverse transform; black stays black


def decode_coarsely() -> None:
    """Let all simulated decks of this process decode JPEG at an eighth of its size. Reports are checked as before."""
    report_decoder.decode = _decode


def _decode(codec: Codec, data: bytes, size: tuple[int, ...]) -> Image.Image | Fault:
    if codec is not Codec.JPEG:
        return _exact(codec, data, size)
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG"])
        if image.size != size:
            return _exact(codec, data, size)
        image.draft("RGB", (size[0] // SCALE, size[1] // SCALE))
        return image.convert("RGB")
    except OSError:
        return _exact(codec, data, size)


_exact = report_decoder.decode
