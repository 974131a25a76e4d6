"""Conversion of data sets from any layout to the native form."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from skd import _validation as check
from skd._display.progress_bar import progress_bar
from skd.choices import PublishedData
from skd.datasets._loading import base_of, check_bgr
from skd.datasets.catalogue import CATALOGUE, PUBLISHED
from skd.errors import WriteError

if TYPE_CHECKING:
    from skd.datasets._parts import FinishedPart

SPARE_BYTES = 1 << 24  # for labels and descriptions


def import_data(
    source: str | PathLike[str],
    *,
    name: PublishedData,
    to: str | PathLike[str] | None = None,
    bgr: bool = False,
    progress: bool = True,
) -> Path:
    """Convert a data set to the native form, which loads at once and stays in its files.

    The set is built next to `to` and renamed when it is complete and on the disk, so `to` never
    holds a part of it. Images are read and written in blocks of bounded size.

    Parameters
    ----------
    source : path
        Folder of the files, or CIFAR-100's archive, in any layout that `load` reads.
    name : {"mini-imagenet", "tiered-imagenet", "cifar-fs", "fc100"}
        Name of the data set.
    to : path, optional
        Folder to create, by default ``data/NAME``; it must not exist, or be empty.
    bgr : bool, default=False
        Keep the channels of "tiered-imagenet" in the order blue, green, red.
    progress : bool, default=True
        Show the progress of a long call: a bar on a terminal and in a notebook, otherwise lines
        of the logger ``skd``.

    Returns
    -------
    to : Path
        The folder.

    Raises
    ------
    FileNotFoundError
        If `source` does not exist.
    ValueError
        If an argument is not legal; `DataError` if `source` holds no complete layout or a file in
        it is damaged. Nothing is left in `to`.
    WriteError
        If the disk is too small, which is checked before anything is written, or a file of the set
        cannot be written. Nothing is left in `to`.

    Examples
    --------
    >>> import_data("CIFAR/cifar-100-python.tar.gz", name="fc100")  # doctest: +SKIP
    PosixPath('data/fc100')
    """
    from skd._files.atomic import atomic_folder
    from skd._files.changes import make_folder
    from skd.datasets._layouts import finished, read_parts
    from skd.datasets.native_form import write_part

    owner = "import_data"
    key = check.choice(name, "name", owner, PUBLISHED)
    origin = check.path(source, "source", owner)
    target = Path("data", key) if to is None else check.path(to, "to", owner)
    target = Path(os.path.abspath(target))  # its last component can be renamed
    order = "BGR" if check_bgr(bgr, key, owner) else "RGB"
    shows = check.boolean(progress, "progress", owner)
    if os.path.lexists(target) and not (
        target.is_dir() and not target.is_symlink() and not any(target.iterdir())
    ):
        check.refuse("to", owner, "a new or empty folder", repr(str(target)))
    published = CATALOGUE[key]
    layout, parts = read_parts(origin, published)
    ready = {
        part: finished(content, published, base_of(part, parts), order)
        for part, content in parts.items()
    }
    make_folder(target.parent)
    _require_space(target, ready.values())
    count = sum(len(content.labels) for content in ready.values())
    with (
        progress_bar(count, f"import {key}", "image", wanted=shows) as bar,
        atomic_folder(target) as building,
    ):
        for part, content in ready.items():
            source_files = [file.name for file in content.files]
            describe = {
                "dataset": key,
                "part": part,
                "source": {"layout": layout.title, "files": source_files},
            }
            write_part(building / part, content, describe, bar.update)
    return target


def _require_space(target: Path, parts: Iterable[FinishedPart]) -> None:
    """Refuse a set that does not fit on the disk."""
    import shutil

    needed = SPARE_BYTES + sum(math.prod(part.pixels.shape) for part in parts)
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        message = f"The set needs {needed:,} bytes, with {free:,} free"
        raise WriteError(errno.ENOSPC, message, str(target), "Nothing was written.")
