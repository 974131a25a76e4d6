"""Layouts of published data sets, and the search for one in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skd._files.array_files import look_at, refuse
from skd.datasets import _cifar100, _folders, _pickle_layouts, _pickled_pictures, native_form
from skd.datasets._parts import FinishedPart, Part
from skd.datasets.catalogue import REQUIRED, Published
from skd.errors import DataError


class Layout(NamedTuple):
    """A layout of a data set on disk.

    Attributes
    ----------
    title : str
        Name in messages and ``meta.json``.
    paths : callable
        Function that returns the sources of the parts that are present.
    read : callable
        Function that reads the parts from these sources.
    expected : callable
        Function that describes the expected files; the text is empty if the set has no such layout.
    """

    title: str
    paths: Callable[[Path, Published], dict[str, Path]]
    read: Callable[[dict[str, Path], Published], dict[str, Part]]
    expected: Callable[[Published], str]


SPLITS = "{train,val,test}"


def _expected_pickles(published: Published) -> str:
    if published.name == "mini-imagenet":
        prefix = published.prefixes[0]
        return f"{prefix}train_phase_train.pickle, {prefix}{{val,test}}.pickle"
    return " or ".join(f"{prefix}{SPLITS}.pickle" for prefix in published.prefixes)


def _only(name: str, text: str) -> Callable[[Published], str]:
    return lambda published: text if published.name == name else ""


def _expected_cifar(published: Published) -> str:
    return _cifar100.ARCHIVE if published.side == _cifar100.SIDE else ""


LAYOUTS = (
    Layout(
        "native form",
        native_form.native_paths,
        native_form.read_native,
        lambda published: f"{SPLITS}/meta.json",
    ),
    Layout(
        "pickles", _pickle_layouts.pickle_paths, _pickle_layouts.read_pickles, _expected_pickles
    ),
    Layout(
        "cache pickles",
        _pickle_layouts.cache_paths,
        _pickle_layouts.read_caches,
        _only("mini-imagenet", f"mini-imagenet-cache-{SPLITS}.pkl"),
    ),
    Layout(
        "archives of images",
        _pickle_layouts.tiered_paths,
        _pickle_layouts.read_tiered,
        _only("tiered-imagenet", f"{SPLITS}_images.npz with {SPLITS}_labels.pkl"),
    ),
    Layout(
        "pickles of PNG files",
        _pickled_pictures.png_paths,
        _pickled_pictures.read_pngs,
        _only("tiered-imagenet", f"{SPLITS}_images_png.pkl with {SPLITS}_labels.pkl"),
    ),
    Layout("CIFAR-100", _cifar100.cifar100_paths, _cifar100.read_cifar100, _expected_cifar),
    Layout(
        "lists of picture files",
        _folders.list_paths,
        _folders.read_lists,
        lambda published: f"images/ with {SPLITS}.csv",
    ),
    Layout(
        "class folders",
        _folders.class_folder_paths,
        _folders.read_class_folders,
        lambda published: f"{SPLITS}/CLASS/ of picture files",
    ),
    Layout(
        "NumPy files",
        _pickle_layouts.numpy_paths,
        _pickle_layouts.read_numpy,
        lambda published: f"{SPLITS}.npz or {SPLITS}_images.npy with {SPLITS}_labels.npy",
    ),
)


def read_parts(root: Path, published: Published) -> tuple[Layout, dict[str, Part]]:
    """Find the layout of a folder and read its parts.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    DataError
        If no layout is complete, or a file in it is damaged.
    """
    if not root.exists():
        raise FileNotFoundError(
            f"There is no {str(root)!r} to read {published.name!r} from. {published.advice}"
        )
    layout, paths = _find(root, published)
    parts = layout.read(paths, published)
    _check_disjoint(root, parts)
    return layout, parts


def _find(root: Path, published: Published) -> tuple[Layout, dict[str, Path]]:
    if root.is_file():
        look_at(root)
        if _expected_cifar(published) and root.name.endswith((".tar.gz", ".tgz")):
            (layout,) = (layout for layout in LAYOUTS if layout.title == "CIFAR-100")
            return layout, dict.fromkeys(REQUIRED, root)
        refuse(root, "one file is not a data set; give the folder that holds it")
    incomplete = []
    for folder in _folders_of(root, published):
        for layout in LAYOUTS:
            paths = layout.paths(folder, published)
            missing = [part for part in REQUIRED if part not in paths]
            if paths and not missing:
                return layout, paths
            if paths:
                files = layout.expected(published)
                incomplete.append(f"{layout.title} lack {', '.join(missing)} (of {files})")
    looked = "; ".join(filter(None, (layout.expected(published) for layout in LAYOUTS)))
    found = ", ".join(sorted(entry.name for entry in root.iterdir())[:12]) or "nothing"
    reason = f"; the {'; the '.join(incomplete)}" if incomplete else ""
    raise DataError(
        f"{str(root)!r} holds no complete {published.name}: looked for {looked}; "
        f"found {found}{reason}. {published.advice}"
    )


def _folders_of(root: Path, published: Published) -> Iterator[Path]:
    yield root
    for name in published.folders:
        if (root / name).is_dir():
            yield root / name


def _check_disjoint(root: Path, parts: dict[str, Part]) -> None:
    """Refuse a class name that is in two of the three parts."""
    seen: dict[str, str] = {}
    for name in REQUIRED:
        for class_name in parts[name].class_names or ():
            if class_name in seen:
                refuse(root, f"class {class_name!r:.80} is in {seen[class_name]} and in {name}")
        seen.update(dict.fromkeys(parts[name].class_names or (), name))


def finished(part: Part, published: Published, base: Part | None, color_order: str) -> FinishedPart:
    """Return a part with labels from 0, names, normalisation and an order of colours.

    Parameters
    ----------
    part : Part
        Part as the layout holds it.
    published : Published
        Data set, whose normalisation is used unless the part has one.
    base : Part, optional
        Training part, if `part` holds other images of its classes.
    color_order : {"RGB", "BGR"}
        Order of the colours of the result.
    """
    original, labels = np.unique(part.labels, return_inverse=True)
    if base is not None and not np.array_equal(np.unique(base.labels), original):
        refuse(part.files[0], "its classes differ from those of the training part")
    kept = original if part.original_labels is None else part.original_labels
    names = part.class_names or tuple(map(str, kept))
    if len(names) != len(original):
        refuse(part.files[0], f"{len(names)} names of classes for {len(original)} classes")
    pixels = part.pixels if part.color_order == color_order else part.pixels.reversed()
    return FinishedPart(
        pixels=pixels,
        labels=labels.astype(np.int64),
        class_names=names,
        files=part.files,
        color_order=color_order,
        mean=part.mean or published.mean,
        std=part.std or published.std,
        original_labels=kept,
    )
