"""Small pictures of the images of a class, drawn in memory."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 48  # side of a thumbnail, in pixels
GAP = 2
PAPER = 255
#: Colour types of PNG by the number of channels.
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def strip(images: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return images side by side, with a gap between each two; all have the same shape."""
    shown = list(images)
    side, _, channels = shown[0].shape
    gap = np.full((side, GAP, channels), PAPER, dtype=np.uint8)
    parts = [part for image in shown for part in (image, gap)]
    return np.concatenate(parts[:-1], axis=1)


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a square image as it is, or the means of its blocks of pixels if it is large."""
    factor = -(-image.shape[0] // LARGEST)
    if factor == 1:
        return image
    side = image.shape[0] // factor
    whole = image[: side * factor, : side * factor]
    blocks = whole.reshape(side, factor, side, factor, image.shape[2])
    means: NDArray[np.uint8] = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
    return means


def image_tag(image: NDArray[np.uint8]) -> str:
    """Return an HTML image that holds its pixels."""
    data = base64.b64encode(png(image)).decode("ascii")
    return f'<img alt="images" src="data:image/png;base64,{data}">'


def png(image: NDArray[np.uint8]) -> bytes:
    """Return the bytes of a PNG file; Pillow is not needed for it."""
    height, width, channels = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
    rows: NDArray[Any] = np.zeros((height, 1 + width * channels), dtype=np.uint8)
    rows[:, 1:] = image.reshape(height, -1)  # each row begins with 0: its pixels are not filtered
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(rows.tobytes()), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks.items())


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
