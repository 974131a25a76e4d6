"""Images from arrays, files and folders, as a model takes them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
MAX_PIXELS = 100_000_000


def pillow() -> ModuleType:
    """Return Pillow's module of images, or say how to install it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Picture files need Pillow: pip install pillow") from error
    return Image


def is_paths(images: Any) -> bool:
    """Return whether images are given as a path or as a sequence of paths."""
    if isinstance(images, (str, os.PathLike)):
        return True
    return (
        isinstance(images, Sequence)
        and len(images) > 0
        and all(isinstance(entry, (str, os.PathLike)) for entry in images)
    )


def files_of(images: Any, owner: str) -> list[Path]:
    """Return the picture files of a path, of a folder, or of a sequence of paths."""
    if not isinstance(images, (str, os.PathLike)):
        return [check.path(entry, "images", owner) for entry in images]
    path = check.path(images, "images", owner)
    if not path.is_dir():
        return [path]
    files = _pictures_in(path.iterdir())
    if not files:
        check.refuse("images", owner, "a folder with picture files", repr(str(path)))
    return files


def classes_of(images: Any, owner: str) -> tuple[list[Path], list[str]]:
    """Return the picture files of the folders in a folder, and the folder of each."""
    legal = "given with labels, unless they are a folder that holds a folder for each class"
    if not isinstance(images, (str, os.PathLike)):
        check.refuse("images", owner, legal, type(images).__name__)
    folder = check.path(images, "images", owner)
    if not folder.is_dir():
        check.refuse("images", owner, legal, repr(str(folder)))
    files: list[Path] = []
    labels: list[str] = []
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.name.startswith("."):
            found = _pictures_in(entry.rglob("*"))
            files += found
            labels += [entry.name] * len(found)
    if not files:
        check.refuse("images", owner, legal, f"{str(folder)!r} without such pictures")
    return files, labels


def _pictures_in(paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path
        for path in paths
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def read_pictures(paths: Sequence[Path], side: int, channels: int, owner: str) -> NDArray[np.uint8]:
    """Return pictures upright, the short side scaled to `side` and the middle cut out."""
    images = np.empty((len(paths), side, side, channels), dtype=np.uint8)
    for image, path in zip(images, paths, strict=True):
        if not path.is_file():
            raise FileNotFoundError(f"There is no picture {str(path)!r}.")
        image[:] = _read_picture(path, side, channels, owner)
    return images


def _read_picture(path: Path, side: int, channels: int, owner: str) -> NDArray[np.uint8]:
    image_module = pillow()
    from PIL import ImageOps

    try:
        with image_module.open(path) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise ValueError(f"{opened.width} x {opened.height} pixels are too many")
            image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I"):  # 16 bits
            pixels = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255)
            image = image_module.fromarray(pixels.astype(np.uint8))
        if image.mode == "P" or "transparency" in image.info:
            image = image.convert("RGBA")
        image = ImageOps.fit(
            image.convert(MODES[channels]), (side, side), image_module.Resampling.BICUBIC
        )
    except Exception as error:  # Pillow's decoders raise errors of many types on damaged files
        got = f"{str(path)!r} ({error or type(error).__name__})"
        check.refuse("images", owner, "picture files that can be read", got)
    return np.asarray(image, dtype=np.uint8).reshape(side, side, channels)


def resized(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return square images scaled to a side."""
    image_module = pillow()
    count, channels = len(images), images.shape[3]
    scaled = np.empty((count, side, side, channels), dtype=np.uint8)
    for output, image in zip(scaled, images, strict=True):
        picture = image_module.fromarray(image[:, :, 0] if channels == 1 else image)
        picture = picture.resize((side, side), image_module.Resampling.BICUBIC)
        output[:] = np.asarray(picture).reshape(side, side, channels)
    return scaled
