"""Reading images from files and folders in the form of a model."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd._memory import new_array
from skd.datasets.pictures import pillow, read_picture, shown, unreadable_count
from skd.datasets.walks import class_folders, pictures_in


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
    files = pictures_in(path)
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
    left_out: list[str] = []
    classes = class_folders(folder, left_out)
    if not classes:
        got = f"{str(folder)!r} without such pictures"
        check.refuse("images", owner, legal, got)
    if left_out:
        warnings.warn(f"{owner} leaves out {shown(left_out)}.", stacklevel=3)
    files = [path for found in classes.values() for path in found]
    return files, [name for name, found in classes.items() for _ in found]


def read_pictures(paths: Sequence[Path], side: int, channels: int, owner: str) -> NDArray[np.uint8]:
    """Return pictures upright, scaled so that the shorter side is `side`, cropped to a square."""
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        raise FileNotFoundError(f"There is no picture {str(missing[0])!r}.")
    shape = (len(paths), side, side, channels)
    images: NDArray[np.uint8] = new_array(shape, np.uint8, owner, "images")
    unreadable = []
    for image, path in zip(images, paths, strict=True):
        try:
            image[:] = read_picture(path, side, channels)
        except ValueError as error:
            unreadable.append(f"{str(path)!r} ({error})")
    if unreadable:
        got = unreadable_count(unreadable)
        check.refuse("images", owner, "picture files that can be read", got)
    return images


def resized(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return square images scaled to a side."""
    image_module = pillow()
    count, channels = len(images), images.shape[3]
    shape = (count, side, side, channels)
    scaled: NDArray[np.uint8] = new_array(shape, np.uint8, "FewShotClassifier", "images")
    for output, image in zip(scaled, images, strict=True):
        picture = image_module.fromarray(image[:, :, 0] if channels == 1 else image)
        picture = picture.resize((side, side), image_module.Resampling.BICUBIC)
        output[:] = np.asarray(picture).reshape(side, side, channels)
    return scaled
