"""Layouts of picture files: folders of classes, or one folder with a list for each part."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path, PurePosixPath

import numpy as np

from skd._files.array_files import look_at, refuse
from skd.datasets._parts import Part
from skd.datasets.catalogue import OPTIONAL, REQUIRED, Published
from skd.datasets.pictures import pictures, shown
from skd.datasets.walks import class_folders, visible

PARTS = (*REQUIRED, *OPTIONAL)
IMAGES = "images"
MAX_FIELD = 4096
MAX_NAME = 255  # bytes of a file name, on every file system


def class_folder_paths(folder: Path, published: Published) -> dict[str, Path]:
    """Return the folders of parts that hold a folder for each class."""
    paths = {part: folder / part for part in PARTS}
    return {
        part: path
        for part, path in paths.items()
        if path.is_dir() and any(entry.is_dir() for entry in visible(path))
    }


def read_class_folders(paths: dict[str, Path], published: Published) -> dict[str, Part]:
    """Read the parts; labels are the positions of the sorted names of the folders."""
    parts = {}
    for name, path in paths.items():
        left_out: list[str] = []
        classes = class_folders(path, left_out)
        if not classes:
            refuse(path, "its folders hold no picture files")
        if left_out:
            refuse(path, f"not a whole part of a published data set: {shown(left_out)}")
        files = [file for found in classes.values() for file in found]
        labels = np.repeat(np.arange(len(classes)), [len(found) for found in classes.values()])
        pixels = pictures(files, published.side)
        parts[name] = Part(pixels, labels, tuple(classes), (path,))
    return parts


def list_paths(folder: Path, published: Published) -> dict[str, Path]:
    """Return the lists ``{part}.csv`` next to a folder ``images``."""
    if not (folder / IMAGES).is_dir():
        return {}
    paths = {part: folder / f"{part}.csv" for part in PARTS}
    return {part: path for part, path in paths.items() if path.exists()}


def read_lists(paths: dict[str, Path], published: Published) -> dict[str, Part]:
    """Read the parts; labels are the positions of the sorted names of the classes."""
    parts = {}
    for name, path in paths.items():
        files, classes = _read_list(path)
        names = sorted(set(classes))
        position = {class_name: label for label, class_name in enumerate(names)}
        labels = np.array([position[class_name] for class_name in classes], dtype=np.int64)
        parts[name] = Part(pictures(files, published.side), labels, tuple(names), (path,))
    return parts


def _read_list(path: Path) -> tuple[list[Path], list[str]]:
    look_at(path)
    images = path.parent / IMAGES
    inside = images.resolve()
    files, classes = [], []
    known: dict[str, Path] = {}  # a list may name a file many times without taking memory
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            for number, row in enumerate(rows, 1):
                if not row or (number == 1 and row[:2] == ["filename", "label"]):
                    continue
                if len(row) < 2 or not row[0] or not row[1] or max(map(len, row)) > MAX_FIELD:
                    refuse(path, f"line {number} is not 'filename,label'")
                if row[0] not in known:
                    known[row[0]] = _listed(row[0], images, inside, path, number)
                files.append(known[row[0]])
                classes.append(sys.intern(row[1]))
    except (UnicodeDecodeError, csv.Error) as error:
        refuse(path, f"not a list of 'filename,label' in UTF-8 ({error})", error)
    if not files:
        refuse(path, "the list has no files")
    return files, classes


def _listed(name: str, images: Path, inside: Path, path: Path, number: int) -> Path:
    """Return the file of a line, which must lie in the folder of images."""
    parts = PurePosixPath(name.replace("\\", "/"))
    file = images / parts
    if any(len(os.fsencode(part)) > MAX_NAME for part in parts.parts):
        refuse(path, f"line {number} has a name that is too long: {name!r:.80}")
    if parts.is_absolute() or ".." in parts.parts or "\0" in name:
        refuse(path, f"line {number} names a file outside of {IMAGES!r}: {name!r:.80}")
    if not file.resolve().is_relative_to(inside):
        refuse(path, f"line {number} names a link out of {IMAGES!r}: {name!r:.80}")
    if not file.is_file():
        refuse(path, f"line {number} names {name!r:.80}, which is not in {IMAGES!r}")
    return file
