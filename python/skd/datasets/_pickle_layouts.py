"""Layouts with one pickle or NumPy file per part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skd._files.array_files import map_npy, refuse
from skd.datasets import _data_files as files
from skd.datasets._archives import read_images, read_labels
from skd.datasets._parts import (
    Part,
    Pixels,
    check_shape,
    checked_images,
    checked_labels,
    text_names,
)
from skd.datasets.catalogue import OPTIONAL, REQUIRED, Published

PARTS = (*REQUIRED, *OPTIONAL)
# Keys of labels in the published loaders, and of class names in the original release.
TIERED_LABELS = ("labels", "label_specific")
TIERED_NAMES = "label_specific_str"


def pickle_paths(folder: Path, published: Published) -> dict[str, Path]:
    """Return pickles with keys `data` and `labels`, under the names of RFS, SKD and MetaOptNet."""
    paths: dict[str, Path] = {}
    for part in PARTS:
        stem = part
        if published.name == "mini-imagenet" and part == "train":
            stem = "train_phase_train"  # "train" also has test images
        for prefix in published.prefixes:
            path = folder / f"{prefix}{stem}.pickle"
            if path.exists():
                paths.setdefault(part, path)
    return paths


def read_pickles(paths: dict[str, Path], published: Published) -> dict[str, Part]:
    """Read the parts; the images are views into the mapped files."""
    parts = {}
    for name, path in paths.items():
        content = files.read_pickle(path)
        images = checked_images(files.entry(content, ("data",), path), path, published.side)
        labels = files.entry(content, ("labels",), path)
        labels = checked_labels(labels, path, len(images), path)
        parts[name] = Part(Pixels.of_array(images), labels, None, (path,))
    return parts


def cache_paths(folder: Path, published: Published) -> dict[str, Path]:
    """Return the pickles with keys `image_data` and `class_dict`."""
    paths = {part: folder / f"mini-imagenet-cache-{part}.pkl" for part in REQUIRED}
    if published.name != "mini-imagenet":
        return {}
    return {part: path for part, path in paths.items() if path.exists()}


def read_caches(paths: dict[str, Path], published: Published) -> dict[str, Part]:
    """Read the parts; labels are the positions of the sorted class names."""
    parts = {}
    for name, path in paths.items():
        content = files.read_pickle(path)
        images = checked_images(files.entry(content, ("image_data",), path), path, published.side)
        classes = files.entry(content, ("class_dict",), path)
        if not isinstance(classes, dict) or not classes:
            refuse(path, "'class_dict' is not a dict of classes")
        ordered = sorted(
            zip(text_names(list(classes), path), classes.values(), strict=True),
            key=lambda item: item[0],
        )
        labels = np.full(len(images), -1, dtype=np.int64)
        for label, (class_name, positions) in enumerate(ordered):
            if isinstance(positions, np.ndarray):
                positions = positions.tolist()
            if not isinstance(positions, list) or not all(
                type(i) is int and 0 <= i < len(images) for i in positions
            ):
                refuse(
                    path,
                    f"the images of class {class_name!r:.80} are not positions in "
                    f"0..{len(images) - 1}",
                )
            if not positions or (labels[positions] >= 0).any():
                refuse(path, f"class {class_name!r:.80} has no images, or another class's")
            labels[positions] = label
        if (labels < 0).any():
            refuse(path, f"labels do not match: {(labels < 0).sum()} images have no class")
        names = tuple(class_name for class_name, _ in ordered)
        parts[name] = Part(Pixels.of_array(images), labels, names, (path,))
    return parts


def tiered_paths(folder: Path, published: Published) -> dict[str, Path]:
    """Return the archives of images of tieredImageNet."""
    if published.name != "tiered-imagenet":
        return {}
    paths = {part: folder / f"{part}_images.npz" for part in PARTS}
    return {part: path for part, path in paths.items() if path.exists()}


def read_tiered(paths: dict[str, Path], published: Published) -> dict[str, Part]:
    """Read the parts with their labels; the images are BGR."""
    parts = {}
    for name, path in paths.items():
        pixels = read_images(path, "images", published.side)
        label_path = path.with_name(f"{name}_labels.pkl")
        labels, names = tiered_labels(label_path, pixels.shape[0], path)
        parts[name] = Part(pixels, labels, names, (path, label_path), "BGR")
    return parts


def tiered_labels(
    path: Path, count: int, images: Path
) -> tuple[NDArray[np.int64], tuple[str, ...] | None]:
    """Return the labels of tieredImageNet, and the names of the classes, if any."""
    content = files.read_pickle(path)
    labels = checked_labels(files.entry(content, TIERED_LABELS, path), path, count, images)
    if TIERED_NAMES not in content:
        return labels, None
    names = text_names(content[TIERED_NAMES], path)
    present = np.unique(labels)
    if present[0] < 0 or present[-1] >= len(names):
        refuse(path, f"labels do not match the {len(names)} names of classes")
    return labels, tuple(names[label] for label in present)


def numpy_paths(folder: Path, published: Published) -> dict[str, Path]:
    """Return plain NumPy files: ``{part}.npz``, or ``{part}_images.npy`` with labels."""
    paths: dict[str, Path] = {}
    for part in PARTS:
        for path in (folder / f"{part}.npz", folder / f"{part}_images.npy"):
            if path.exists():
                paths.setdefault(part, path)
    return paths


def read_numpy(paths: dict[str, Path], published: Published) -> dict[str, Part]:
    """Read the parts; images are mapped unless they are compressed."""
    parts = {}
    for name, path in paths.items():
        if path.suffix == ".npz":
            pixels = read_images(path, "images", published.side)
            label_path = path
            found = read_labels(path, "labels")
        else:
            array = map_npy(path)
            check_shape(array.shape, array.dtype, path, published.side)
            pixels = Pixels.of_array(array)
            label_path = path.with_name(f"{name}_labels.npy")
            found = map_npy(label_path)
        labels = checked_labels(found, label_path, pixels.shape[0], path)
        parts[name] = Part(pixels, labels, None, tuple(dict.fromkeys((path, label_path))))
    return parts
