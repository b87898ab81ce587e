"""Structural similarity of a picture before and after encoding: 1 for equal, 0 for nothing in common.

Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", IEEE
Transactions on Image Processing 13 (4), 2004, equation 13, with even windows of 7 × 7 and the constants given there.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WINDOW = 7
STEADY_MEAN, STEADY_VARIANCE = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SAMPLES = WINDOW * WINDOW / (WINDOW * WINDOW - 1)  # unbiased variances


def similarity(picture: Image.Image, encoded: bytes) -> float:
    """Return the similarity of the luminance, as the mean over all windows."""
    one = np.asarray(picture.convert("L"), dtype=np.float64)
    other = np.asarray(Image.open(BytesIO(encoded)).convert("L"), dtype=np.float64)
    mean_one, mean_other = _mean(one), _mean(other)
    spread_one = SAMPLES * (_mean(one * one) - mean_one**2)
    spread_other = SAMPLES * (_mean(other * other) - mean_other**2)
    together = SAMPLES * (_mean(one * other) - mean_one * mean_other)
    above = (2 * mean_one * mean_other + STEADY_MEAN) * (2 * together + STEADY_VARIANCE)
    below = (mean_one**2 + mean_other**2 + STEADY_MEAN) * (spread_one + spread_other + STEADY_VARIANCE)
    return float(np.mean(above / below))


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    windows = np.lib.stride_tricks.sliding_window_view(values, (WINDOW, WINDOW))
    return np.asarray(windows.mean(axis=(2, 3)))
