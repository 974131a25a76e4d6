"""The embedded data set "glyphs": characters of many scripts in many type faces.

Each image is stored as 4-bit indices into its own palette of 16 colours;
``python/tools/make_glyphs.py`` draws the data set and docs/explanation/glyphs.md describes it.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FILE_NAME = "glyphs.npz"
SPLITS = ("train", "val", "test")


class GlyphSplit(NamedTuple):
    """Images, labels and class names of one split.

    Attributes
    ----------
    images : ndarray of shape (n_images, 32, 32, 3), dtype uint8
        RGB images in NHWC order.
    labels : ndarray of shape (n_images,), dtype int64
        Ascending, from 0 to ``len(class_names) - 1``.
    class_names : list of str
        ``"script/UNICODE NAME"`` of each label, such as ``"thai/THAI CHARACTER KO KAI"``.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: list[str]


class Glyphs(NamedTuple):
    """The data set, its normalisation and its origin.

    Attributes
    ----------
    splits : dict of str to GlyphSplit
        Keys ``"train"``, ``"val"`` and ``"test"``; no class, and no script, is in two of them.
    mean, std : ndarray of shape (3,), dtype float64
        Mean and standard deviation of each channel over the training split, pixels in 0..1.
    metadata : dict
        Scripts and characters, fonts and their licences, and the seed.
    """

    splits: dict[str, GlyphSplit]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    metadata: dict[str, Any]


def unpack_images(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Look up the colours of images that are stored as 4-bit palette indices.

    Parameters
    ----------
    indices : ndarray of shape (n_images, height, width / 2), dtype uint8
        Two indices per byte, the left pixel in the high half.
    palette : ndarray of shape (n_images, 16, 3), dtype uint8
        The colours of each image.

    Returns
    -------
    images : ndarray of shape (n_images, height, width, 3), dtype uint8
        RGB images.

    Examples
    --------
    >>> palette = np.arange(48, dtype=np.uint8).reshape(1, 16, 3)
    >>> unpack_images(np.array([[[0x1F]]], dtype=np.uint8), palette)
    array([[[[ 3,  4,  5],
             [45, 46, 47]]]], dtype=uint8)
    """
    n_images, height, half_width = indices.shape
    pixels = np.stack([indices >> 4, indices & 15], axis=-1)
    pixels = pixels.reshape(n_images, height, 2 * half_width)
    images: NDArray[np.uint8] = palette[np.arange(n_images)[:, None, None], pixels]
    return images


def read_glyphs() -> Glyphs:
    """Read the embedded data set.

    Returns
    -------
    glyphs : Glyphs
        Its splits, normalisation and metadata.

    Examples
    --------
    >>> glyphs = read_glyphs()
    >>> glyphs.splits["test"].images.shape[1:]
    (32, 32, 3)
    """
    with (
        resources.files(__package__).joinpath(FILE_NAME).open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        splits = {
            name: GlyphSplit(
                unpack_images(arrays[f"{name}_indices"], arrays[f"{name}_palette"]),
                arrays[f"{name}_labels"],
                [str(class_name) for class_name in arrays[f"{name}_names"]],
            )
            for name in SPLITS
        }
        metadata = json.loads(str(arrays["metadata"]))
        return Glyphs(splits, arrays["mean"], arrays["std"], metadata)
