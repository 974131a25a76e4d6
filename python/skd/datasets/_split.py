"""Images with labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from mmap import mmap
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd._files.mapped import require_whole, watch_mapping_of
from skd.datasets.statistics import ChannelStatistics

if TYPE_CHECKING:
    import hashlib

Dtype = TypeVar("Dtype", bound=np.generic)

BLOCK = 1024  # images read at once, to bound the memory


def content_hash(shape: tuple[int, ...]) -> hashlib._Hash:
    """Begin the hash of `Split.sha256`, to which images and labels are added."""
    import hashlib

    return hashlib.sha256(f"skd split of shape {tuple(map(int, shape))}\n".encode())


def is_fixed(array: NDArray[Any]) -> bool:
    """Return whether an array cannot change: neither it nor its base is writable."""
    memory: Any = array
    while isinstance(memory, np.ndarray):
        if memory.flags.writeable:
            return False
        memory = memory.base
    return memory is None or isinstance(memory, (bytes, mmap))


def fixed(array: NDArray[Dtype]) -> NDArray[Dtype]:
    """Make an array read-only and return it; no one else may hold it."""
    array.flags.writeable = False
    return array


@dataclass(frozen=True)
class Split:
    """Images of a set of classes; created by `from_arrays` and `load`.

    Attributes
    ----------
    images : ndarray of shape (n_images, side, side, n_channels), dtype uint8
        Images in NHWC order, memory-mapped if they come from a large file. Read-only, unless
        `from_arrays` was given the array.
    labels : ndarray of shape (n_images,), dtype int64
        Classes ``0..num_classes - 1``, in ascending order of the original labels.
    original_labels : ndarray of shape (num_classes,), dtype int64
        Original label of each class.
    class_names : tuple of str
        Name of each class.
    mean, std : tuple of float
        Normalisation of each channel, for pixels in 0..1.
    """

    images: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    original_labels: NDArray[np.int64] = field(repr=False)
    class_names: tuple[str, ...] = field(repr=False)
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check fields that were not created by `from_arrays`."""
        images, labels = self.images, self.labels
        for name, dtype in (("images", np.uint8), ("labels", np.int64)):
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.dtype != dtype:
                got = getattr(array, "dtype", type(array).__name__)
                legal = f"an array of dtype {np.dtype(dtype)}; from_arrays converts"
                check.refuse(name, "Split", legal, got, TypeError)
        check.square_images(images, "images", "Split")
        if not images.size or not images.flags.c_contiguous:
            check.refuse("images", "Split", "C-contiguous, not empty", f"shape {images.shape}")
        if labels.shape != images.shape[:1]:
            check.refuse("labels", "Split", f"of shape {images.shape[:1]}", labels.shape)
        count = len(check.names(self.class_names, "class_names", "Split"))
        if not np.array_equal(np.unique(labels), np.arange(count)):
            legal = f"all of 0..{count - 1} for these 'class_names'"
            check.refuse("labels", "Split", legal, "others")
        channels = images.shape[3]
        watch_mapping_of(images)
        check.channel_vector(self.mean, "mean", "Split", channels=channels)
        check.channel_vector(self.std, "std", "Split", channels=channels, positive=True)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def smallest_class(self) -> int:
        """Number of images of the smallest class."""
        return int(np.bincount(self.labels).min())

    @property
    def sha256(self) -> str:
        """SHA-256 of images and labels, in hexadecimal: equal data have equal hashes.

        It is computed from the current data in little memory: once if the arrays are read-only,
        otherwise every time. Names and normalisation are not included.
        """
        if is_fixed(self.images) and is_fixed(self.labels):
            return self._fixed_sha256
        return self._computed_sha256()

    @cached_property
    def _fixed_sha256(self) -> str:
        return self._computed_sha256()

    def _computed_sha256(self) -> str:
        content = content_hash(self.images.shape)
        for start in range(0, len(self.images), BLOCK):
            content.update(self.images[start : start + BLOCK].data)
            require_whole(self.images)
        content.update(self.labels.astype("<i8").tobytes())
        return content.hexdigest()


def from_arrays(
    images: ArrayLike,
    labels: ArrayLike,
    *,
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
) -> Split:
    """Create a split from arrays.

    Parameters
    ----------
    images : array-like of shape (n_images, side, side, n_channels), dtype uint8
        Images in NHWC order with 1 to 4 channels. A contiguous uint8 array is not copied, so later
        changes to it change the split. If it is read-only, its hash is computed once.
    labels : array-like of shape (n_images,), dtype int64 or str
        Classes of the images: any integers, or names.
    mean, std : float or array-like of shape (n_channels,), optional
        Normalisation of each channel, for pixels in 0..1; by default measured on `images`.
    class_names : sequence of str, optional
        Names of the classes in ascending order of the labels; by default the labels. If the labels
        are names, `original_labels` count from 0.

    Returns
    -------
    split : Split
        Split with labels from 0.

    Raises
    ------
    ValueError
        If shapes or lengths do not fit, a pixel is outside 0..255, or there are no images.
    TypeError
        If images are not integers, or labels are neither all integers nor all text.

    Examples
    --------
    >>> split = from_arrays(np.zeros((3, 8, 8, 1), dtype=np.uint8), [7, 4, 7])
    >>> split.labels, split.class_names
    (array([1, 0, 1]), ('4', '7'))
    >>> from_arrays(np.zeros((3, 8, 8, 1), dtype=np.uint8), ["owl", "cat", "owl"]).labels
    array([1, 0, 1])
    """
    owner = "from_arrays"
    pixels = check.square_images(images, "images", owner)
    if not pixels.size:
        check.refuse("images", owner, "non-empty", f"shape {pixels.shape}")
    if isinstance(images, np.ndarray) and not np.may_share_memory(pixels, images):
        pixels = fixed(pixels)
    classes = check.text_labels(labels, "labels", owner, length=len(pixels))
    if classes is not None:
        found, positions = classes
        original = np.arange(len(found), dtype=np.int64)
    else:
        integers = check.integer_array(labels, "labels", owner, length=len(pixels), of="images")
        original, positions = np.unique(integers, return_inverse=True)
        found = tuple(map(str, original))
    names = found if class_names is None else check.names(class_names, "class_names", owner)
    if len(names) != len(original):
        check.refuse("class_names", owner, f"one for each of {len(original)} classes", len(names))
    channels = pixels.shape[3]
    if mean is None or std is None:
        measured_mean, measured_std = _statistics(pixels)
        mean = measured_mean if mean is None else mean
        std = measured_std if std is None else std
    centre = check.channel_vector(mean, "mean", owner, channels=channels)
    spread = check.channel_vector(std, "std", owner, channels=channels, positive=True)
    return Split(
        images=pixels,
        labels=fixed(positions.astype(np.int64)),
        original_labels=original,
        class_names=names,
        mean=tuple(centre.tolist()),
        std=tuple(spread.tolist()),
    )


def _statistics(images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation of each channel."""
    statistics = ChannelStatistics(images.shape[3])
    for start in range(0, len(images), BLOCK):
        statistics.add(images[start : start + BLOCK])
    require_whole(images)
    return statistics.result()
