"""Recipes of the package, from the folder ``recipes`` of the repository."""

from __future__ import annotations

from functools import cache
from importlib import resources

from skd._refusals.similar import similar
from skd.datasets.catalogue import EMBEDDED, PUBLISHED

SUFFIX = ".toml"
# Order of the paper's columns, then its rows; recipes that train in minutes come last.
DATA = (*PUBLISHED, EMBEDDED)
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
    row = _place(name, ROWS)
    rest = name.removeprefix("".join(ROWS[row : row + 1])).removeprefix("-")
    column = _place(rest, DATA)
    is_quick = rest.endswith("-mini") or rest.startswith(EMBEDDED)
    return is_quick, column, row, name


def _place(name: str, starts: tuple[str, ...]) -> int:
    """Return which of the starts a name has; a name with none of them comes last."""
    places = (place for place, start in enumerate(starts) if name.startswith(start))
    return next(places, len(starts))


def shipped_text(name: str) -> str:
    """Return the content of a recipe of the package.

    Raises
    ------
    FileNotFoundError
        If there is no recipe of that name; the message names a similar one.
    """
    if name not in names():
        near = similar(name, names())
        hint = f"; did you mean {near!r}?" if near else "."
        raise FileNotFoundError(
            f"There is no recipe {name!r}{hint} 'skd recipes list' names all, and a file of yours "
            "ends in .toml."
        )
    return resources.files("skd.recipes").joinpath(name + SUFFIX).read_text(encoding="utf-8")
