"""Conversion of pictures of any mode and depth to 8 bits and 1 to 4 channels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
WITH_OPACITY = ("LA", "RGBA")
#: Values of white: for numbers in 0..1, and for 8, 12 and 16 bits.
WHITES = (1, 255, 4095, 65535)
#: Overshoot of filters beyond white or below black, as a share of white.
OVERSHOOT = 0.1
#: Share of white below which everything looks black.
DARKEST = 1 / 16


def eight_bits(image: Any) -> Any:
    """Convert a picture to 8 bits per channel.

    Pictures of floats and of integers of 16 or 32 bits do not say which number is white. Here it is
    the first of 1, 255, 4095 and 65535 that is at least the largest value.

    Raises
    ------
    ValueError
        If no such scale fits, because values are negative, too large, not finite or almost black.
    """
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    from PIL import Image

    values = np.asarray(image)
    scaled = np.clip(np.rint(values * np.float32(255 / _white(values))), 0, 255)
    return Image.fromarray(scaled.astype(np.uint8))


def _white(values: NDArray[Any]) -> int:
    """Return the value of white."""
    lowest, highest = float(values.min()), float(values.max())
    margin = OVERSHOOT if values.dtype.kind == "f" else 0
    for white in WHITES:
        if -margin * white <= lowest and highest <= (1 + margin) * white:
            if 0 < highest < DARKEST * white:
                break
            return white
    raise ValueError(
        f"its values are {lowest:.6g}..{highest:.6g}; those of a picture fill 0..1, 0..255, "
        "0..4095 or 0..65535"
    )


def require_visible(image: Any, raw_mode: str) -> None:
    """Refuse 16-bit colours that use only the lowest 12 bits: as 8 bits they would be black.

    Raises
    ------
    ValueError
        If the picture is of this kind.
    """
    if ";16" not in raw_mode or image.mode not in ("LA", "RGB", "RGBA"):
        return
    n_colors = len(image.getbands()) - (image.mode in WITH_OPACITY)
    highest = max(extrema[1] for extrema in image.getextrema()[:n_colors])
    if 0 < highest < 255 * DARKEST:
        raise ValueError("its colours of 16 bits are almost black; scale them to 0..65535")


def with_plain_mode(image: Any) -> Any:
    """Convert a picture to a mode in `MODES`, resolving palette, ink and transparent colour."""
    if image.mode in ("PA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("LA" if image.mode == "La" else "RGBA")
    return image if image.mode in MODES.values() else image.convert("RGB")


def with_channels(image: Any, channels: int) -> Any:
    """Convert a picture to a plain mode with 1 to 4 channels.

    Without a channel of opacity, transparent pixels become white, or black if a drawing would
    vanish in white.
    """
    wanted = MODES[channels]
    if image.mode in WITH_OPACITY and wanted not in WITH_OPACITY:
        image = _opaque(image.convert("RGBA"))
    return image.convert(wanted)


def _opaque(image: Any) -> Any:
    """Draw a picture over white, or over black if it would vanish in white."""
    opacity = image.getchannel("A").getextrema()
    over_white = _over("white", image)
    has_vanished = all(low == high for low, high in over_white.getextrema())
    if has_vanished and opacity[0] < opacity[1]:
        return _over("black", image)
    return over_white


def _over(color: str, image: Any) -> Any:
    from PIL import Image

    return Image.alpha_composite(Image.new("RGBA", image.size, color), image).convert("RGB")
