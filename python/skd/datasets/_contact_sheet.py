"""Contact sheets: a few images of a few classes, to check by eye."""

from __future__ import annotations

import math
from os import PathLike

import numpy as np

from skd import _validation as check
from skd.datasets._split import Split
from skd.datasets._thumbnails import GAP, PAPER, png

MAX_CLASSES = 16
COLUMNS = 10


def save_contact_sheet(split: Split, path: str | PathLike[str]) -> None:
    """Write a picture of a split: a row of ten images for each of up to sixteen classes.

    Parameters
    ----------
    split : Split
        Images to show: classes at equal distances, and their first images from left to right.
    path : path
        PNG file to write; an existing file is replaced.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    from skd._files.atomic import write_atomically

    owner = "save_contact_sheet"
    check.instance(split, "split", owner, Split)
    target = check.path(path, "path", owner)
    rows = min(split.num_classes, MAX_CLASSES)
    step = split.num_classes / rows
    _, side, _, channels = split.images.shape
    cell = side + GAP
    sheet = np.full((rows * cell + GAP, COLUMNS * cell + GAP, channels), PAPER, dtype=np.uint8)
    for row in range(rows):
        label = math.floor(row * step)
        for column, position in enumerate(np.flatnonzero(split.labels == label)[:COLUMNS]):
            top, left = GAP + row * cell, GAP + column * cell
            sheet[top : top + side, left : left + side] = split.images[position]
    write_atomically(target, png(sheet))
