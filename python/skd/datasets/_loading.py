"""Loading data sets by name."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from skd import _validation as check
from skd.choices import DataName
from skd.datasets._few_shot_data import FewShotData
from skd.datasets._split import fixed, from_arrays
from skd.datasets.catalogue import CATALOGUE, EMBEDDED, NAMES, PUBLISHED

if TYPE_CHECKING:
    from skd.datasets._parts import Part


def load(
    name: DataName, root: str | PathLike[str] | None = None, *, bgr: bool = False
) -> FewShotData:
    """Load a data set.

    Parameters
    ----------
    name : {"glyphs", "mini-imagenet", "tiered-imagenet", "cifar-fs", "fc100"}
        "glyphs" is embedded in the package: characters as classes, 32x32 RGB, with scripts in
        `test` that `train` does not hold. The others are read from files of yours, in any of the
        layouts of docs/how-to/data.md. For other data see `from_folder` and `from_arrays`.
    root : path, optional
        Folder of the files, or CIFAR-100's archive; by default ``data/NAME``.
    bgr : bool, default=False
        Return the channels of "tiered-imagenet" in the order blue, green, red, as in its published
        files and for networks trained by the published code.

    Returns
    -------
    data : FewShotData
        Three splits that share no class, with the published normalisation ("glyphs": the
        normalisation of its training split). Large images stay in their file and are mapped. Files
        that have to be converted go through a temporary file each time, which `import_data` avoids.

    Raises
    ------
    FileNotFoundError
        If `root` does not exist.
    DataError
        If `root` holds no complete layout (the message lists the expected files and those found),
        or a file is damaged. It is a ValueError.

    Examples
    --------
    >>> skd.datasets.load("glyphs").train.images.shape[1:]
    (32, 32, 3)
    """
    owner = "load"
    if not isinstance(name, str) or name not in NAMES:
        legal = f"one of {', '.join(map(repr, NAMES))} (other data: from_folder, from_arrays)"
        check.refuse("name", owner, legal, repr(name))
    keeps_bgr = check_bgr(bgr, name, owner)
    if name == EMBEDDED:
        if root is not None:
            check.refuse("root", owner, "None for 'glyphs', which is embedded", repr(root))
        return _load_glyphs()
    folder = Path("data", name) if root is None else check.path(root, "root", owner)
    from skd.datasets._layouts import finished, read_parts

    published = CATALOGUE[name]
    _, parts = read_parts(folder, published)
    order = "BGR" if keeps_bgr else "RGB"
    splits = {
        key: finished(part, published, base_of(key, parts), order).split()
        for key, part in parts.items()
    }
    return FewShotData(
        splits["train"],
        splits["val"],
        splits["test"],
        splits.get("train_phase_val"),
        splits.get("train_phase_test"),
    )


def load_imported(folder: str | PathLike[str]) -> FewShotData:
    """Load a folder that `import_data` wrote.

    Parameters
    ----------
    folder : path
        Folder that `import_data` wrote; channels keep their order.

    Returns
    -------
    data : FewShotData
        Data set as returned by `load`; images stay in their files and are mapped.

    Raises
    ------
    DataError
        If the folder was not written by `import_data`, or is damaged. It is a ValueError.
    """
    from skd._files.array_files import refuse
    from skd.datasets.native_form import native_paths, read_meta

    path = check.path(folder, "folder", "load_imported")
    paths = native_paths(path)
    if "train" not in paths:
        refuse(path, "not a folder that 'skd data import' wrote; it has no train/meta.json")
    meta = read_meta(paths["train"])
    if meta["dataset"] not in PUBLISHED:
        refuse(path, f"of the unknown data set {meta['dataset']!r:.40}")
    return load(meta["dataset"], path, bgr=meta["color_order"] == "BGR")


def check_bgr(bgr: bool, name: str, owner: str) -> bool:
    """Check the order of channels; only one data set allows blue, green, red."""
    keeps = check.boolean(bgr, "bgr", owner)
    if keeps and name != "tiered-imagenet":
        check.refuse("bgr", owner, "False unless the data set is 'tiered-imagenet'", bgr)
    return keeps


def base_of(key: str, parts: dict[str, Part]) -> Part | None:
    """Return the training part for parts with other images of its classes."""
    return parts["train"] if key.startswith("train_phase") else None


def _load_glyphs() -> FewShotData:
    from skd.datasets._glyphs import read_glyphs

    glyphs = read_glyphs()
    splits = {
        part: from_arrays(
            fixed(split.images),
            split.labels,
            mean=glyphs.mean,
            std=glyphs.std,
            class_names=split.class_names,
        )
        for part, split in glyphs.splits.items()
    }
    return FewShotData(splits["train"], splits["val"], splits["test"])
