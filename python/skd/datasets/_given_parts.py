"""Folders that are already split into train, val and test with their classes."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from skd.datasets.catalogue import REQUIRED
from skd.datasets.walks import class_folders, pictures_below, pictures_in, printable, visible
from skd.errors import DataError

#: Other names of parts; two such folders of folders are a split, not two classes.
OTHER_NAMES = {
    "training": "train",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "testing": "test",
}

Classes = dict[str, list[Path]]


def given_parts(folder: Path, left_out: list[str]) -> dict[str, Classes] | None:
    """Return the classes of each part of a folder, or None if the folder is not split.

    Raises
    ------
    DataError
        If the folder is split, and a part is missing, has another name or is empty, there are
        pictures in another folder, or a class is in two parts.
    """
    given = {path.name: path for path in visible(folder) if path.is_dir()}
    if not set(REQUIRED) <= set(given):
        _refuse_other_parts(folder, given)
        return None
    for name in sorted(set(given) - set(REQUIRED)):
        if pictures_below(given[name], left_out):
            raise DataError(
                f"{str(folder)!r}: holds pictures in {name!r} besides train, val and test; move "
                "the folder away, or its classes into one of the three."
            )
    left_out += [f"{printable(path)}: is in no folder of a class" for path in pictures_in(folder)]
    parts = {part: class_folders(given[part], left_out) for part in REQUIRED}
    _require_disjoint(folder, parts)
    return parts


def _refuse_other_parts(folder: Path, given: dict[str, Path]) -> None:
    """Refuse folders that look like parts if one is missing or has another name."""
    parts = {}
    for name, path in given.items():
        part = OTHER_NAMES.get(name.lower(), name.lower())
        if part in REQUIRED and _holds_classes(path):
            parts[name] = part
    if len(set(parts.values())) < 2:
        return
    raise DataError(
        f"{str(folder)!r}: is split into {', '.join(sorted(parts))}; a split folder holds "
        "train, val and test, under these names."
    )


def _holds_classes(path: Path) -> bool:
    """Return whether all pictures of a folder lie in its subfolders."""
    return not pictures_in(path) and bool(pictures_below(path, []))


def _require_disjoint(folder: Path, parts: dict[str, Classes]) -> None:
    seen: dict[str, str] = {}
    for part, classes in parts.items():
        if not classes:
            raise DataError(f"{str(folder / part)!r}: holds no folder of pictures.")
        for name in classes:
            # macOS writes accents as separate characters.
            key = unicodedata.normalize("NFC", name)
            if key in seen:
                raise DataError(f"{str(folder)!r}: class {name!r} is in {seen[key]} and {part}.")
            seen[key] = part
