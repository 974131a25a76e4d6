"""Opening the data sets of commands: named, imported, or folders of pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import skd
from skd import _validation as check
from skd.cli._processes import is_first, say
from skd.datasets import FewShotData
from skd.datasets.catalogue import NAMES, OWN_PICTURES
from skd.datasets.native_form import native_paths
from skd.errors import DataError

MOST_SHOWN = 20


def open_model(path: Path | None, pretrained: str | None, name: str, owner: str) -> skd.Model:
    """Load the model of a file, or weights that come with the package.

    Parameters
    ----------
    path : Path or None
        Checkpoint.
    pretrained : str or None
        Name of weights; exactly one of both is given.
    name : str
        Parameter that gives the checkpoint.
    owner : str
        The command.
    """
    if path is not None and pretrained is not None:
        check.refuse(name, owner, "left out where --pretrained is given", repr(str(path)))
    if pretrained is not None:
        return skd.load_pretrained(pretrained)
    if path is None:
        check.refuse(name, owner, "given, or --pretrained in its place", "neither")
    return skd.load_model(path)


def open_data(
    data: str, root: Path | None, owner: str, *, image_size: int, channels: int, progress: bool
) -> FewShotData:
    """Load the data set that ``--data`` and ``--root`` name.

    Parameters
    ----------
    data : str
        Name of a data set, "folder", or the path of an imported folder or of pictures.
    root : Path or None
        Folder of the files of a named data set.
    owner : str
        Name of the command in errors.
    image_size, channels : int
        Size and channels of the images that pictures are converted to.
    progress : bool
        Show the progress in the first process.

    Returns
    -------
    data : FewShotData
        Folders of pictures are split by the default of `skd.datasets.from_folder`, as in
        training.
    """
    if data in NAMES:
        return skd.datasets.load(data, root)
    if data == OWN_PICTURES:
        if root is None:
            check.refuse("root", owner, f"given with --data {OWN_PICTURES}", "nothing")
        folder = root
    elif os.path.isdir(data):  # False, not an error, for an impossible path
        if root is not None:
            check.refuse("root", owner, "left out where --data is a folder", repr(str(root)))
        folder = Path(data)
    else:
        legal = (
            f"one of {', '.join(map(repr, NAMES))}, or a folder that 'skd data import' made, "
            "or a folder of pictures with a folder for each class"
        )
        check.refuse("data", owner, legal, repr(data))
    if data != OWN_PICTURES and "train" in native_paths(folder):
        return skd.datasets.load_imported(folder)
    try:
        return skd.datasets.from_folder(
            folder, image_size=image_size, channels=channels, progress=progress and is_first()
        )
    except DataError as error:
        if data == OWN_PICTURES:
            raise
        further = (
            "It is not an imported data set either: it has no train/meta.json ('skd data import' "
            "makes that from the files of a published data set)."
        )
        raise DataError(f"{error} {further}") from error


def tell_left_out(left_out: Sequence[str], data: str, root: Path | None, owner: str) -> None:
    """Say on the standard error how many files of the data were left out, if any."""
    if left_out:
        files = "1 file" if len(left_out) == 1 else f"{len(left_out)} files"
        folder = root or data  # one of them holds the pictures
        say(f"{owner}: {files} left out; 'skd data info {folder}' lists them.", err=True)


def unreadable_lines(left_out: Sequence[str]) -> list[str]:
    """List the files of the data that were left out, if any."""
    if not left_out:
        return []
    files = "file" if len(left_out) == 1 else "files"
    lines = [f"left out  {len(left_out)} {files} of the data that cannot be read or have no class:"]
    lines += [f"  {' '.join(entry.splitlines())}" for entry in left_out[:MOST_SHOWN]]
    if len(left_out) > MOST_SHOWN:
        lines.append(f"  and {len(left_out) - MOST_SHOWN} more")
    return lines
