"""tieredImageNet as its authors publish it: PNG files in pickles (Ren et al., arXiv:1803.00676)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skd._files.array_files import refuse
from skd.datasets import _data_files as files
from skd.datasets._parts import Block, Part, Pixels
from skd.datasets._pickle_layouts import PARTS, tiered_labels
from skd.datasets.catalogue import Published
from skd.datasets.pictures import AT_ONCE, decode_picture, pillow


def png_paths(folder: Path, published: Published) -> dict[str, Path]:
    """Return the pickles of PNG files."""
    if published.name != "tiered-imagenet":
        return {}
    paths = {part: folder / f"{part}_images_png.pkl" for part in PARTS}
    return {part: path for part, path in paths.items() if path.exists()}


def read_pngs(paths: dict[str, Path], published: Published) -> dict[str, Part]:
    """Read the parts with their labels; the files stay mapped, and are decoded in blocks."""
    pillow()
    parts = {}
    for name, path in paths.items():
        coded = files.read_pickle(path)
        if not isinstance(coded, list) or not coded:
            refuse(path, "holds no list of PNG files")
        for number, content in enumerate(coded):
            _require_bytes(content, number, path)
        label_path = path.with_name(f"{name}_labels.pkl")
        labels, names = tiered_labels(label_path, len(coded), path)
        pixels = _pixels(coded, path, published.side)
        parts[name] = Part(pixels, labels, names, (path, label_path))
    return parts


def _require_bytes(content: Any, number: int, path: Path) -> None:
    """Refuse anything but the bytes of a file: a vector of bytes, or a column of them."""
    if isinstance(content, np.ndarray) and content.dtype == np.uint8:
        if content.size and content.size == max(content.shape):
            return
    elif isinstance(content, (bytes, memoryview)):
        return
    refuse(path, f"image {number} is not the bytes of a PNG file")


def _pixels(coded: list[Any], path: Path, side: int) -> Pixels:
    def blocks() -> Iterator[Block]:
        for start in range(0, len(coded), AT_ONCE):
            chosen = coded[start : start + AT_ONCE]
            block = np.empty((len(chosen), side, side, 3), dtype=np.uint8)
            for position, content in enumerate(chosen):
                try:
                    block[position] = decode_picture(bytes(content), side, 3)
                except ValueError as error:
                    refuse(path, f"image {start + position} cannot be read: {error}", error)
            yield block

    return Pixels((len(coded), side, side, 3), blocks)
