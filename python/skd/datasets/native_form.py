"""The native form: a folder for each part with ``images.npy``, ``labels.npy`` and ``meta.json``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from skd._files import bounded_json
from skd._files.array_files import look_at, map_npy, refuse
from skd._files.changes import make_folder, naming_errors, sync_folder
from skd._files.open_files import new_file
from skd.datasets._parts import FinishedPart, Part, Pixels, check_shape, checked_labels
from skd.datasets._split import content_hash
from skd.datasets.catalogue import OPTIONAL, REQUIRED, Published
from skd.datasets.statistics import ChannelStatistics

IMAGES, LABELS, META = "images.npy", "labels.npy", "meta.json"
FORMAT = "skd split 1"
SMALLEST, LARGEST = map(float, (np.finfo(np.float32).tiny, np.finfo(np.float32).max))
MAX_META = 1 << 24
KEYS = (
    "dataset",
    "shape",
    "color_order",
    "mean",
    "std",
    "measured_mean",
    "measured_std",
    "sha256",
    "original_labels",
    "class_names",
)
PARTS = (*REQUIRED, *OPTIONAL)


def write_part(
    folder: Path, part: FinishedPart, describe: dict[str, Any], advance: Callable[[int], object]
) -> None:
    """Write a part.

    Parameters
    ----------
    folder : Path
        Folder to create.
    part : FinishedPart
        Part to write, which is read once, in blocks.
    describe : dict
        Further entries of ``meta.json``.
    advance : callable
        Function that is called with the number of images written.
    """
    make_folder(folder)
    shape = part.pixels.shape
    content, statistics = content_hash(shape), ChannelStatistics(shape[3])
    with new_file(folder / IMAGES) as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": tuple(map(int, shape))}
        npy.write_array_header_1_0(file, header)
        for block in part.pixels.blocks():
            file.write(block.data)
            content.update(block.data)
            statistics.add(block)
            advance(len(block))
    with new_file(folder / LABELS) as file:
        npy.write_array(file, part.labels.astype("<i8"), allow_pickle=False)
    content.update(part.labels.astype("<i8").tobytes())
    measured_mean, measured_std = statistics.result()
    meta = {
        "format": FORMAT,
        **describe,
        "shape": list(map(int, shape)),
        "color_order": part.color_order,
        "mean": list(part.mean),
        "std": list(part.std),
        "measured_mean": measured_mean.tolist(),
        "measured_std": measured_std.tolist(),
        "sha256": content.hexdigest(),
        "original_labels": part.original_labels.tolist(),
        "class_names": list(part.class_names),
    }
    with new_file(folder / META) as file:
        file.write(json.dumps(meta, indent=1).encode())
    with naming_errors(folder):
        sync_folder(folder)


def native_paths(folder: Path, published: Published | None = None) -> dict[str, Path]:
    """Return the folders of parts in the native form."""
    return {part: folder / part for part in PARTS if (folder / part / META).exists()}


def read_native(paths: dict[str, Path], published: Published) -> dict[str, Part]:
    """Read the parts; images are mapped, and their hash is not computed again."""
    return {name: _read_part(path, published) for name, path in paths.items()}


def read_meta(folder: Path) -> dict[str, Any]:
    """Return the description of a part."""
    path = folder / META
    look_at(path)
    if path.stat().st_size > MAX_META:
        refuse(path, f"larger than {MAX_META:,} bytes")
    try:
        meta = bounded_json.parse(path.read_bytes())
    except ValueError as error:
        refuse(path, f"not JSON, or truncated ({error})", error)
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        refuse(path, f"not the description of a part: 'format' is not {FORMAT!r}")
    missing = [key for key in KEYS if key not in meta]
    if missing:
        refuse(path, f"lacks {', '.join(missing)}")
    return meta


def _read_part(folder: Path, published: Published) -> Part:
    meta, path = read_meta(folder), folder / META
    if meta["dataset"] != published.name:
        refuse(path, f"of the data set {meta['dataset']!r:.40}, not {published.name!r}")
    images = map_npy(folder / IMAGES)
    check_shape(images.shape, images.dtype, folder / IMAGES, published.side)
    if list(images.shape) != meta["shape"]:
        refuse(folder / IMAGES, f"of shape {images.shape}, not {meta['shape']!r:.60}")
    labels = checked_labels(map_npy(folder / LABELS), folder / LABELS, len(images), folder / IMAGES)
    names, originals = meta["class_names"], meta["original_labels"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        refuse(path, "'class_names' is not a list of text")
    if not isinstance(originals, list) or not all(type(label) is int for label in originals):
        refuse(path, "'original_labels' is not a list of integers")
    present = np.unique(labels)
    if not (
        len(present) == len(names) == len(originals)
        and present[-1] == len(names) - 1
        and present[0] == 0
    ):
        refuse(path, f"labels do not match the {len(names)} classes")
    order = meta["color_order"]
    if order not in ("RGB", "BGR"):
        refuse(path, f"'color_order' is {order!r:.40}, not 'RGB' or 'BGR'")
    mean, std, _, _ = (
        _numbers(meta[key], key, path) for key in ("mean", "std", "measured_mean", "measured_std")
    )
    if min(std) < SMALLEST:
        refuse(path, "'std' is not positive")
    try:
        original_labels = np.array(originals, dtype=np.int64)
    except OverflowError as error:
        refuse(path, "'original_labels' are beyond 64 bits", error)
    # Numbers do not identify classes: each part may count its classes from 0.
    named = None if names == list(map(str, originals)) else tuple(names)
    return Part(
        Pixels.of_array(images), labels, named, (folder,), order, mean, std, original_labels
    )


def _numbers(value: Any, name: str, path: Path) -> tuple[float, ...]:
    if (
        not isinstance(value, list)
        or len(value) != 3
        or not all(type(number) in (int, float) and abs(number) <= LARGEST for number in value)
    ):
        refuse(path, f"{name!r} is not a list of three numbers")
    return tuple(map(float, value))
