"""Floats that are given as normalised images, and cannot be."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from skd import _validation as check

#: Floats beyond this multiple of what the model's own normalisation gives are refused; where the
#: model has none, those beyond what pixels of 8 bits can be.
MARGIN, RAW_LIMIT = 10.0, 255.0


def require_plausible(
    floats: NDArray[Any],
    normalization: tuple[tuple[float, ...], tuple[float, ...]] | None,
    name: str,
    owner: str,
) -> None:
    """Refuse floats that no normalisation of pixels gives, such as pixels in 0..255."""
    if not floats.size:
        return
    limit = RAW_LIMIT
    if normalization is not None:
        ends = [
            abs(pixel - mean) / std
            for mean, std in zip(*normalization, strict=True)
            for pixel in (0.0, 1.0)
        ]
        limit = MARGIN * max(ends)
    lowest, highest = float(floats.min()), float(floats.max())
    if not (-limit <= lowest and highest <= limit):  # or one of them is NaN
        legal = f"uint8, or float32 that is already normalised, within {limit:.6g} of 0"
        check.refuse(name, owner, legal, f"{floats.dtype} in {lowest:.6g}..{highest:.6g}")
