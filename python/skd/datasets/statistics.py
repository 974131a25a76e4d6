"""Statistics of the pixels of many images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class ChannelStatistics:
    """Exact mean and standard deviation of each channel, from histograms.

    Parameters
    ----------
    channels : int
        Channels of the images.
    """

    def __init__(self, channels: int) -> None:
        self._histograms = np.zeros((channels, 256), dtype=np.int64)

    def add(self, block: NDArray[np.uint8]) -> None:
        """Count the pixels of some images."""
        for channel, histogram in enumerate(self._histograms):
            histogram += np.bincount(block[..., channel].ravel(), minlength=256)

    def result(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and standard deviation, for pixels in 0..1."""
        values = np.arange(256) / 255
        shares = self._histograms / self._histograms.sum(axis=1, keepdims=True)
        mean = shares @ values
        variance = (shares * (values - mean[:, None]) ** 2).sum(axis=1)
        # The standard deviation of a constant channel must not be zero.
        return mean, np.maximum(np.sqrt(variance), values[1])
