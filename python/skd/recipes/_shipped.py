"""Recipes of the package, from the folder ``recipes`` of the repository."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import resources

SUFFIX = ".toml"
# Order of the paper's columns, then its rows. Recipes that train in minutes, and the recipes of the
# weights that come with the package, are last.
DATA = ("mini-imagenet", "tiered-imagenet", "cifar-fs", "fc100", "glyphs")
ROWS = ("rfs-simple", "rfs-distill", "gen0", "gen1")


@cache
def names() -> tuple[str, ...]:
    """Return the names of the recipes of the package.

    Returns
    -------
    names : tuple of str
        Names by data set, each in the order of the paper's rows.

    Examples
    --------
    >>> "gen1-cifar-fs" in names()
    True
    """
    files = resources.files("skd.recipes").iterdir()
    found = [file.name.removesuffix(SUFFIX) for file in files if file.name.endswith(SUFFIX)]
    return tuple(sorted(found, key=_position))


def _position(name: str) -> tuple[bool, int, int, str]:
    row = next((i for i, start in enumerate(ROWS) if name.startswith(start)), None)
    if row is None:
        return True, len(DATA), len(ROWS), name
    rest = name.removeprefix(ROWS[row] + "-")
    column = next(i for i, data in enumerate(DATA) if rest.startswith(data))
    is_quick = rest.removeprefix(DATA[column]) == "-mini" or DATA[column] == "glyphs"
    return is_quick, column, row, name


def shipped_text(name: str) -> str:
    """Return the content of a recipe of the package.

    Raises
    ------
    FileNotFoundError
        If there is no recipe of that name; the message names the nearest.
    """
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1, cutoff=0.0)
        hint = f"; the nearest is {near[0]!r}" if near else ""
        raise FileNotFoundError(
            f"There is no recipe {name!r}{hint} ('skd recipes list' names all; a file of yours "
            "ends in .toml)."
        )
    return resources.files("skd.recipes").joinpath(name + SUFFIX).read_text(encoding="utf-8")
