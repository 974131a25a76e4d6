"""Untrusted pickles of data sets, which are read safely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skd._files.array_files import look_for, refuse
from skd._files.kinds import PICKLE, TEXT
from skd._files.mapped import MappedFile
from skd._files.pickled_arrays import CONSTRUCTORS
from skd._files.pickles import PickleError, loads


def read_pickle(path: Path) -> Any:
    """Return the content of a pickle; its arrays are views into the mapped file."""
    look_for(path, PICKLE, TEXT)  # pickles of protocol 0 have no known first bytes
    return unpickle(MappedFile(path), path)


def unpickle(data: Any, path: Path) -> Any:
    """Return the content of a pickle in memory; errors name `path`."""
    try:
        return loads(data, CONSTRUCTORS)
    except PickleError as error:
        refuse(path, f"not a pickle of arrays that can be read: {error}", error)


def entry(content: Any, names: tuple[str, ...], path: Path) -> Any:
    """Return the first of the named entries of a pickled dict."""
    if not isinstance(content, dict):
        refuse(path, f"holds a {type(content).__name__} instead of a dict with {names[0]!r}")
    by_name = {str(key, "latin-1") if isinstance(key, bytes) else key: key for key in content}
    for name in names:
        if name in by_name:
            return content[by_name[name]]
    found = ", ".join(sorted(repr(name)[:40] for name in list(by_name)[:10])) or "nothing"
    refuse(path, f"the dict lacks {' or '.join(map(repr, names))}; it holds {found}")
