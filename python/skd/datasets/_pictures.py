"""Picture files, read by Pillow."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from skd.datasets._parts import Block, Pixels

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
MAX_PIXELS = 100_000_000
AT_ONCE = 256


def pillow() -> ModuleType:
    """Return Pillow's module of images, or say how to install it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Picture files need Pillow: pip install 'skd[images]'") from error
    return Image


def is_picture(path: Path) -> bool:
    """Return whether the name is that of a picture file."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def read_picture(path: Path, side: int, channels: int) -> Block:
    """Return a picture upright, its short side scaled to `side` and the middle cut out.

    Raises
    ------
    ValueError
        If the file cannot be read; the message is the reason.
    """
    image_module = pillow()
    from PIL import ImageOps

    try:
        with warnings.catch_warnings(), open(path, "rb") as file:
            warnings.simplefilter("ignore")  # of damaged metadata; sizes are checked here
            with image_module.open(file) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise ValueError(f"{opened.width} x {opened.height} pixels are too many")
                opened.draft(None, (side, side))  # JPEG files are read at a fraction of their size
                image = ImageOps.exif_transpose(opened)
            if image.mode.startswith("I;16") or image.mode == "I":
                pixels = np.asarray(image).astype(np.int64) >> 8
                image = image_module.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            if image.mode == "P" or "transparency" in image.info:
                image = image.convert("RGBA")
            image = image.convert(MODES[channels])
            if image.size != (side, side):
                image = ImageOps.fit(image, (side, side), image_module.Resampling.BICUBIC)
    except ValueError:
        raise
    except Exception as error:  # Pillow's decoders raise errors of many types on damaged files
        raise ValueError(f"{error or type(error).__name__}") from error
    return np.asarray(image, dtype=np.uint8).reshape(side, side, channels)


def pictures(paths: Sequence[Path], side: int, channels: int = 3) -> Pixels:
    """Return the pictures of files, read in blocks; one that cannot be read is an error."""
    from skd.datasets._files import look_at, refuse

    def blocks() -> Iterator[Block]:
        for start in range(0, len(paths), AT_ONCE):
            chosen = paths[start : start + AT_ONCE]
            block = np.empty((len(chosen), side, side, channels), dtype=np.uint8)
            for image, path in zip(block, chosen, strict=True):
                look_at(path)
                try:
                    image[:] = read_picture(path, side, channels)
                except ValueError as error:
                    refuse(path, f"not a picture that can be read ({error})", error)
            yield block

    return Pixels((len(paths), side, side, channels), blocks)
