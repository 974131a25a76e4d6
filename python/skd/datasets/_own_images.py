"""Your own images: a folder of picture files for each class."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skd import _validation as check
from skd._display.progress_bar import progress_bar
from skd._memory import require_memory
from skd.datasets._few_shot_data import FewShotData
from skd.datasets._given_parts import Classes, given_parts
from skd.datasets._split import Split, fixed, from_arrays
from skd.datasets.catalogue import REQUIRED
from skd.datasets.episode_size import warn_of_small_splits
from skd.datasets.pictures import pillow, read_picture, shown
from skd.datasets.walks import class_folders, printable
from skd.errors import DataError

SHARES = (0.64, 0.16, 0.20)
MAX_SIDE = 4096


def from_folder(
    path: str | PathLike[str],
    *,
    image_size: int,
    channels: int = 3,
    split: Sequence[float] = SHARES,
    seed: int = 0,
    progress: bool = True,
) -> FewShotData:
    """Read a folder of pictures for each class, and split the classes.

    A picture is turned upright by its EXIF entry, scaled so that the shorter side is `image_size`,
    and cropped to the central square. Files that cannot be read are left out and listed; hidden and
    system files and folders are ignored at every level. If a folder holds ``train``, ``val`` and
    ``test`` with the folders of classes in them, this split is used. A picture may have at most 250
    million pixels. docs/how-to/data.md describes the handling of colours, opacity, and 16 or 32
    bits.

    Parameters
    ----------
    path : path
        Folder that holds a folder for each class.
    image_size : int
        Side of the images, in pixels.
    channels : {1, 2, 3, 4}, default=3
        Channels of the images: grey, grey with opacity, RGB, or RGB with opacity.
    split : sequence of three floats, default=(0.64, 0.16, 0.20)
        Shares of the classes in train, val and test, with the sum 1; each gets at least one class.
    seed : int, default=0
        Seed of the choice of classes.
    progress : bool, default=True
        Show the progress of a long call: a bar on a terminal and in a notebook, otherwise lines
        of the logger ``skd``.

    Returns
    -------
    data : FewShotData
        Splits that share no class, with the normalisation of the training split; `unreadable` lists
        the files that were left out.

    Raises
    ------
    ImportError
        If Pillow is missing.
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If an argument is not legal, there are fewer than three classes of readable pictures, or the
        folder is split and a part is missing, has another name, or there are further folders.
    MemoryError
        If the images do not fit into memory at that size; none is read.

    Warns
    -----
    SmallSplitWarning
        If `val` or `test` is too small for 5-way 1-shot episodes with 15 queries; it says what to
        do.

    Examples
    --------
    >>> data = from_folder("photos", image_size=84)  # doctest: +SKIP
    >>> data.train.class_names  # doctest: +SKIP
    ('cat', 'dog', 'owl')
    """
    owner = "from_folder"
    folder = check.path(path, "path", owner)
    side = check.integer(image_size, "image_size", owner, minimum=1, maximum=MAX_SIDE)
    depth = check.integer(channels, "channels", owner, minimum=1, maximum=4)
    shares = _checked_shares(split, owner)
    key = check.seed(seed, owner)
    shows = check.boolean(progress, "progress", owner)
    pillow()
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {str(folder)!r} to read pictures from.")
    unreadable: list[str] = []
    chosen = _split_classes(folder, shares, key, unreadable)
    count = sum(len(files) for classes in chosen.values() for files in classes.values())
    require_memory(
        count * side * side * depth,
        f"The set of {count:,} pictures in {str(folder)!r} at {side} x {side} pixels",
    )
    with progress_bar(count, "read", "image", wanted=shows) as bar:
        read = {
            part: _Reading(side, depth, unreadable, bar).read(classes)
            for part, classes in chosen.items()
        }
    for part, content in read.items():
        if not len(content.labels):
            raise DataError(f"{str(folder)!r}: no picture of {part} can be read: {unreadable[0]}.")
    train = read["train"].split(None)
    novel = {part: read[part].split(train) for part in ("val", "test")}
    warn_of_small_splits(novel, owner)
    return FewShotData(train=train, **novel, unreadable=tuple(unreadable))


def _checked_shares(split: Sequence[float], owner: str) -> tuple[float, ...]:
    legal = "three positive numbers with the sum 1"
    given = check.sequence(split, "split", owner, legal)
    if len(given) != len(REQUIRED):
        check.refuse("split", owner, legal, check.shown(split))
    shares = tuple(check.number(share, "split", owner, open_minimum=True) for share in given)
    if abs(sum(shares) - 1) > 1e-6:
        check.refuse("split", owner, legal, shares)
    return shares


def _split_classes(
    folder: Path, shares: tuple[float, ...], seed: int, left_out: list[str]
) -> dict[str, Classes]:
    given = given_parts(folder, left_out)
    if given is not None:
        return given
    classes = class_folders(folder, left_out)
    if len(classes) < len(REQUIRED):
        reasons = f" ({shown(left_out)})" if left_out else ""
        raise DataError(
            f"{str(folder)!r}: holds {len(classes)} folders of pictures, one for each class; at "
            f"least {len(REQUIRED)} are needed, for train, val and test{reasons}."
        )
    n_val, n_test = (max(1, round(share * len(classes))) for share in shares[1:])
    while n_val + n_test >= len(classes):  # leave one class for train
        n_val, n_test = (n_val - 1, n_test) if n_val >= n_test else (n_val, n_test - 1)
    names = [list(classes)[i] for i in np.random.default_rng(seed).permutation(len(classes))]
    ends = {"val": names[:n_val], "test": names[n_val : n_val + n_test]}
    ends["train"] = names[n_val + n_test :]
    return {part: {name: classes[name] for name in sorted(ends[part])} for part in REQUIRED}


class _Content(NamedTuple):
    """Images of some classes, and the names of the classes with images."""

    images: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    names: tuple[str, ...]

    def split(self, train: Split | None) -> Split:
        """Return a split, with the normalisation of `train` if that is given."""
        mean, std = (None, None) if train is None else (train.mean, train.std)
        return from_arrays(self.images, self.labels, mean=mean, std=std, class_names=self.names)


class _Reading:
    """Reads the pictures of some classes, and lists those that cannot be read."""

    def __init__(self, side: int, channels: int, unreadable: list[str], bar: Any) -> None:
        self._shape = (side, side, channels)
        self._unreadable, self._bar = unreadable, bar

    def read(self, classes: Classes) -> _Content:
        """Return the images of all classes with readable pictures."""
        count = sum(map(len, classes.values()))
        images = np.empty((count, *self._shape), dtype=np.uint8)
        labels: list[int] = []
        names: list[str] = []
        for name, files in classes.items():
            before = len(labels)
            for file in files:
                try:
                    images[len(labels)] = read_picture(file, self._shape[0], self._shape[2])
                    labels.append(len(names))
                except ValueError as error:
                    self._unreadable.append(f"{printable(file)}: {error}")
                self._bar.update()
            if len(labels) > before:
                names.append(name)
        return _Content(
            fixed(images)[: len(labels)], np.array(labels, dtype=np.int64), tuple(names)
        )
