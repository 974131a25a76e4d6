"""Parts of a data set: images, labels and names, from any layout."""

from __future__ import annotations

import errno
import math
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd._files.array_files import refuse
from skd._files.mapped import require_whole
from skd._files.temporaries import mapped_temporary
from skd._memory import require_memory
from skd.datasets._split import BLOCK, Split, fixed

#: Larger images are put into a temporary file and mapped.
IN_MEMORY = 1 << 28

Block = NDArray[np.uint8]


@dataclass(frozen=True)
class Pixels:
    """Images that may not be in memory.

    Attributes
    ----------
    shape : tuple of int
        Shape ``(n_images, side, side, n_channels)``.
    blocks : callable
        Function that returns an iterator over the images in order, in blocks of bounded size.
    array : ndarray, optional
        All images, if they are in memory or can be mapped.
    """

    shape: tuple[int, ...]
    blocks: Callable[[], Iterator[Block]]
    array: Block | None = None

    @classmethod
    def of_array(cls, array: Block) -> Pixels:
        """Return the images of an array."""

        def blocks() -> Iterator[Block]:
            for start in range(0, len(array), BLOCK):
                yield np.ascontiguousarray(array[start : start + BLOCK])
                require_whole(array)

        return cls(array.shape, blocks, array if array.flags.c_contiguous else None)

    def reversed(self) -> Pixels:
        """Return the same images with their channels in the other order."""

        def blocks() -> Iterator[Block]:
            for block in self.blocks():
                yield np.ascontiguousarray(block[..., ::-1])

        return Pixels(self.shape, blocks)

    def read(self) -> Block:
        """Return all images: mapped, in memory, or in a temporary file without a name."""
        if self.array is not None:
            return self.array
        n_bytes = math.prod(self.shape)
        if n_bytes <= IN_MEMORY:
            require_memory(n_bytes, f"A part of {self.shape[0]:,} images")
            array = np.empty(self.shape, dtype=np.uint8)
            position = 0
            for block in self.blocks():
                array[position : position + len(block)] = block
                position += len(block)
            return fixed(array)
        _require_space(n_bytes, f"A part of {self.shape[0]:,} images")
        return mapped_temporary(self.shape, (block.data for block in self.blocks()))


def _require_space(n_bytes: int, need: str) -> None:
    """Refuse a temporary file that does not fit on its disk."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        message = f"{need} needs a temporary file of {n_bytes:,} bytes, and {free:,} are free in"
        raise OSError(errno.ENOSPC, message, folder)


@dataclass(frozen=True)
class Part:
    """One part of a data set as a layout holds it.

    Attributes
    ----------
    pixels : Pixels
        Images.
    labels : ndarray of shape (n_images,), dtype int64
        Labels in the layout.
    class_names : tuple of str or None
        Names of the classes in ascending order of the labels, if the layout holds them.
    files : tuple of Path
        Files that the part is read from.
    color_order : {"RGB", "BGR"}
        Order of the channels.
    mean, std : tuple of float, optional
        Normalisation, if the layout holds one.
    original_labels : ndarray of shape (num_classes,), dtype int64, optional
        Original labels of the classes, if `labels` already count from 0.
    """

    pixels: Pixels
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] | None
    files: tuple[Path, ...]
    color_order: str = "RGB"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    original_labels: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class FinishedPart:
    """A part that is ready to load or import: labels from 0, names, normalisation.

    Attributes are those of `Split`, except `pixels`, `color_order` and the source `files`.
    """

    pixels: Pixels
    labels: NDArray[np.int64]
    original_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    color_order: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    files: tuple[Path, ...]

    def split(self) -> Split:
        """Return the split, with its images mapped or read."""
        return Split(
            images=self.pixels.read(),
            labels=fixed(self.labels.copy()),
            original_labels=self.original_labels,
            class_names=self.class_names,
            mean=self.mean,
            std=self.std,
        )


def checked_images(array: Any, path: Path, side: int) -> Block:
    """Check that an array holds images of a side."""
    if not isinstance(array, np.ndarray):
        refuse(path, f"the images are a {type(array).__name__}, not an array")
    check_shape(array.shape, array.dtype, path, side)
    return array


def check_shape(shape: tuple[int, ...], dtype: np.dtype[Any], path: Path, side: int) -> None:
    """Refuse images of another shape or dtype than the layout's."""
    if dtype != np.uint8:
        refuse(path, f"the images have dtype {dtype}, not uint8")
    if len(shape) != 4 or shape[1:] != (side, side, 3) or shape[0] < 1:
        got = " x ".join(map(str, shape))
        refuse(path, f"the images have shape {got}, not n x {side} x {side} x 3")


def checked_labels(value: Any, path: Path, count: int, images: Path) -> NDArray[np.int64]:
    """Check that labels are integers, one for each image."""
    if isinstance(value, (list, tuple)):
        if not all(
            (type(label) is int and abs(label) < 2**62) or isinstance(label, np.integer)
            for label in value
        ):
            refuse(path, "the labels are not all integers")
        value = np.array(value, dtype=np.int64)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or value.ndim != 1:
        got = (
            f"of shape {value.shape} and dtype {value.dtype}"
            if isinstance(value, np.ndarray)
            else f"a {type(value).__name__}"
        )
        refuse(path, f"the labels are {got}, not a list of integers")
    if len(value) != count:
        refuse(path, f"{len(value):,} labels do not match the {count:,} images of {images.name!r}")
    return value.astype(np.int64)


def text_names(value: Any, path: Path) -> tuple[str, ...]:
    """Return a list of names as str."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "SU" and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        refuse(path, f"the names of the classes are a {type(value).__name__}, not a list")
    names = [str(name, "latin-1") if isinstance(name, bytes) else name for name in value]
    if not all(isinstance(name, str) for name in names):
        refuse(path, "the names of the classes are not all text")
    return tuple(names)


def gather(array: Block, positions: Iterable[int]) -> Pixels:
    """Return some images of an array, in a given order."""
    order = np.fromiter(positions, dtype=np.int64)

    def blocks() -> Iterator[Block]:
        for start in range(0, len(order), BLOCK):
            block = np.ascontiguousarray(array[order[start : start + BLOCK]])
            require_whole(array)
            yield block

    return Pixels((len(order), *array.shape[1:]), blocks)


def merged(first: Split, second: Split) -> Split:
    """Join two splits of different classes, with the normalisation of the first."""
    if first.images.shape[1:] != second.images.shape[1:]:
        shapes = first.images.shape[1:], second.images.shape[1:]
        raise ValueError(f"The splits have images of different shapes, {shapes[0]}, {shapes[1]}.")
    both = [Pixels.of_array(split.images) for split in (first, second)]

    def blocks() -> Iterator[Block]:
        for pixels in both:
            yield from pixels.blocks()

    return Split(
        images=Pixels((len(first) + len(second), *first.images.shape[1:]), blocks).read(),
        labels=fixed(np.concatenate([first.labels, second.labels + first.num_classes])),
        original_labels=np.concatenate([first.original_labels, second.original_labels]),
        class_names=first.class_names + second.class_names,
        mean=first.mean,
        std=first.std,
    )
