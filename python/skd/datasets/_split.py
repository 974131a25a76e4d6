"""Images with labels."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from mmap import mmap
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd._display.tables import Markup, Table
from skd._files.mapped import require_whole, watch_mapping_of
from skd._memory import new_array
from skd.datasets._subset import OWNER as SUBSET
from skd.datasets._subset import chosen_classes, chosen_images
from skd.datasets._thumbnails import image_tag, strip, thumbnail
from skd.datasets.statistics import ChannelStatistics

if TYPE_CHECKING:
    import hashlib

Dtype = TypeVar("Dtype", bound=np.generic)

BLOCK = 1024  # images read at once, to bound the memory
SHOWN_CLASSES, SHOWN_IMAGES = 8, 8  # in a notebook


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


@dataclass(frozen=True, repr=False)
class Split:
    """Images of a set of classes; created by `from_arrays` and `load`.

    ``split[i]`` is the pair of image and label at a position, ``split[i:j]`` the arrays of images
    and labels of a slice, and iteration yields the pairs in order. In a notebook, a split shows
    images of its classes.

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

    Examples
    --------
    >>> split = skd.datasets.load("glyphs").test
    >>> split
    Split(76 classes, 3040 images of 32 x 32 pixels and 3 channels, 40 per class)
    >>> image, label = split[0]
    >>> image.shape, split.class_names[label]
    ((32, 32, 3), 'thai/THAI CHARACTER KO KAI')
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    original_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
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

    @overload
    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], int]: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[NDArray[np.uint8], NDArray[np.int64]]: ...

    def __getitem__(self, index: int | slice) -> tuple[NDArray[np.uint8], Any]:
        """Return image and label at a position, or the images and labels of a slice."""
        if isinstance(index, slice):
            return self.images[index], self.labels[index]
        try:
            position = operator.index(index)
        except TypeError:
            got = check.shown(index)
            check.refuse("index", "Split", "an integer or a slice", got, TypeError)
        if not -len(self) <= position < len(self):
            raise IndexError(f"A split of {len(self)} images has no position {position}.")
        return self.images[position], int(self.labels[position])

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], int]]:
        """Iterate over the pairs of image and label."""
        return (self[position] for position in range(len(self)))

    def __repr__(self) -> str:
        """Return the numbers of classes and images, and the size of the images."""
        _, side, _, channels = self.images.shape
        return (
            f"Split({self.num_classes} classes, {len(self)} images of {side} x {side} pixels and "
            f"{channels} channel{'s' if channels > 1 else ''}, {class_sizes(self)} per class)"
        )

    def _repr_html_(self) -> str:
        """Return the numbers, and the first images of classes at equal distances."""
        count = min(self.num_classes, SHOWN_CLASSES)
        labels = [row * self.num_classes // count for row in range(count)]
        rows = []
        for label in labels:
            members = np.flatnonzero(self.labels == label)
            shown = strip(thumbnail(self.images[member]) for member in members[:SHOWN_IMAGES])
            rows.append((self.class_names[label], str(len(members)), Markup(image_tag(shown))))
        require_whole(self.images)
        return Table(repr(self), ("class", "images", "first images"), rows).html()

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def smallest_class(self) -> int:
        """Number of images of the smallest class."""
        return int(np.bincount(self.labels).min())

    def subset(
        self, *, n_classes: int | None = None, per_class: int | None = None, seed: int = 0
    ) -> Split:
        """Return a smaller split of classes and images that are drawn at random.

        Classes and images keep their order, and the normalisation stays. A smaller `per_class`
        with the same seed gives a part of the larger one's images.

        Parameters
        ----------
        n_classes : int, optional
            Number of classes; by default all.
        per_class : int, optional
            Number of images of each class; by default all.
        seed : int, default=0
            Seed of the choice.

        Returns
        -------
        subset : Split
            Split with copies of the images, and with labels from 0.

        Raises
        ------
        ValueError
            If there are fewer classes, or a chosen class has fewer images.
        TypeError
            If an argument is not an integer.
        MemoryError
            If the images do not fit into memory.

        Examples
        --------
        >>> skd.datasets.load("glyphs").train.subset(n_classes=5, per_class=20)
        Split(5 classes, 100 images of 32 x 32 pixels and 3 channels, 20 per class)
        """
        key = check.seed(seed, SUBSET)
        classes = chosen_classes(self.class_names, n_classes, key)
        rows = chosen_images(self.labels, self.class_names, classes, per_class, key)
        images: NDArray[np.uint8] = new_array(
            (len(rows), *self.images.shape[1:]), np.uint8, SUBSET, "per_class"
        )
        np.take(self.images, rows, axis=0, out=images, mode="clip")  # without a buffer
        require_whole(self.images)
        return replace(
            self,
            images=fixed(images),
            labels=fixed(np.searchsorted(classes, self.labels[rows]).astype(np.int64)),
            original_labels=self.original_labels[classes],
            class_names=tuple(self.class_names[label] for label in classes),
        )

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


def class_sizes(split: Split) -> str:
    """Return the number of images of a class in words, such as "600" or "12 to 40"."""
    smallest, largest = split.smallest_class, int(np.bincount(split.labels).max())
    return f"{smallest} to {largest}" if smallest < largest else str(smallest)


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
