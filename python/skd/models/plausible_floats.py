"""Refusal of floats that cannot be normalised images."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from skd import _validation as check

#: Largest multiple of the range of the model's normalisation; and the largest magnitude for a
#: model without a normalisation, the range of 8-bit pixels.
MARGIN, RAW_LIMIT = 10.0, 255.0


def require_plausible(
    floats: NDArray[Any],
    normalization: tuple[tuple[float, ...], tuple[float, ...]] | None,
    name: str,
    owner: str,
) -> None:
    """Refuse floats that cannot come from a normalisation, such as pixels in 0..255."""
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
