"""Checks of paths, before anything is read or written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from skd._refusals import refuse


def path(value: Any, name: str, owner: str) -> Path:
    """Return `value` as a path."""
    try:
        text = os.fspath(value)
    except TypeError:
        refuse(name, owner, "a path", type(value).__name__, TypeError)
    if isinstance(text, bytes) or not text or "\0" in text:
        refuse(name, owner, "a path", repr(text))
    return Path(text)


def input_file(value: Any, name: str, owner: str, *, what: str) -> Path:
    """Return the path of a file to read; `what` names its kind in errors."""
    source = path(value, name, owner)
    if source.is_dir():
        refuse(name, owner, "the name of a file", f"the folder {str(source)!r}")
    if not source.is_file():
        raise FileNotFoundError(f"There is no {what} {str(source)!r}.")
    return source


def output_file(value: Any, name: str, owner: str) -> Path:
    """Return the path of a file to write: not a folder, and in a writable folder."""
    target = path(value, name, owner)
    if target.is_dir():
        refuse(name, owner, "the name of a file", f"the folder {str(target)!r}")
    if not target.parent.is_dir():
        folder = str(target.parent)
        raise FileNotFoundError(f"There is no folder {folder!r} for the '{name}' of {owner}.")
    if target.is_file() or not target.exists():  # devices are written in place
        _require_writable(target.parent, name, owner, target)
    return target


def output_folder(value: Any, name: str, owner: str) -> Path:
    """Return the path of a folder to write into, which exists or can be created."""
    target = path(value, name, owner)
    place = target
    while not os.path.lexists(place) and place.parent != place:
        place = place.parent
    if not place.is_dir():
        got = f"{str(target)!r}, where {str(place)!r} is not a folder"
        refuse(name, owner, "a folder", got, NotADirectoryError)
    _require_writable(place, name, owner, target)
    return target


def _require_writable(folder: Path, name: str, owner: str, target: Path) -> None:
    """Refuse a folder in which no file can be created, without writing anything."""
    if not os.access(folder, os.W_OK | os.X_OK):
        got = f"{str(target)!r}, and {str(folder)!r} is read-only"
        refuse(name, owner, "in a folder that can be written into", got, PermissionError)
