"""Checks of single entries of a recipe, in the style of `_validation`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skd import _validation as check
from skd.choices import TwinRotation, values
from skd.evaluation.episode_options import number_or_range

Check = Callable[[Any, str, str], Any]


def takes(function: Check) -> dict[str, Check]:
    """Return the metadata of a field that is checked by `function`."""
    return {"check": function}


def text(value: Any, name: str, owner: str) -> str:
    """Return a non-empty text."""
    if not isinstance(value, str) or not value.strip():
        check.refuse(name, owner, "a text", check.shown(value))
    return value


def flag(value: Any, name: str, owner: str) -> bool:
    """Return true or false; numbers are refused, because TOML has both words."""
    if not isinstance(value, bool):
        check.refuse(name, owner, "true or false", check.shown(value))
    return value


def count(value: Any, name: str, owner: str) -> int:
    """Return an integer of at least 1."""
    return check.integer(_no_flag(value, name, owner), name, owner, minimum=1)


def ways(value: Any, name: str, owner: str) -> int | tuple[int, int]:
    """Return a number of classes, at least 2, or its range."""
    least, most = number_or_range(_no_flag(value, name, owner), name, owner, minimum=2)
    return least if least == most else (least, most)


def natural(value: Any, name: str, owner: str) -> int:
    """Return an integer of at least 0."""
    return check.integer(_no_flag(value, name, owner), name, owner)


def views(value: Any, name: str, owner: str) -> int:
    """Return a number of rotations."""
    return check.integer(_no_flag(value, name, owner), name, owner, minimum=1, maximum=4)


def number(value: Any, name: str, owner: str) -> float:
    """Return a number that is not negative."""
    return check.number(_no_flag(value, name, owner), name, owner)


def positive(value: Any, name: str, owner: str) -> float:
    """Return a number above 0."""
    return check.number(_no_flag(value, name, owner), name, owner, open_minimum=True)


def below_one(value: Any, name: str, owner: str) -> float:
    """Return a number in [0, 1)."""
    plain = _no_flag(value, name, owner)
    return check.number(plain, name, owner, maximum=1, open_maximum=True)


def counts(value: Any, name: str, owner: str) -> tuple[int, ...]:
    """Return integers of at least 1; there may be none."""
    return tuple(check.integers(value, name, owner, minimum=1))


def some_counts(value: Any, name: str, owner: str) -> tuple[int, ...]:
    """Return distinct integers of at least 1, at least one of them."""
    chosen = counts(value, name, owner)
    if not chosen or len(set(chosen)) < len(chosen):
        check.refuse(name, owner, "different integers, at least one", list(chosen))
    return chosen


def twins(value: Any, name: str, owner: str) -> tuple[int, ...]:
    """Return different rotations of twins."""
    return check.subset(value, name, owner, values(TwinRotation))


def one_of(choice: Any) -> Check:
    """Return a check for the words of a type of `skd.choices`."""
    legal = values(choice)
    return lambda value, name, owner: check.choice(value, name, owner, legal)


def accuracy(value: Any, name: str, owner: str) -> tuple[float, float]:
    """Return an accuracy and the half-width of its interval, in percent."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        check.refuse(name, owner, "two numbers, the mean and the half-width", check.shown(value))
    mean, ci95 = (check.number(entry, name, owner, maximum=100) for entry in value)
    return mean, ci95


def _no_flag(value: Any, name: str, owner: str) -> Any:
    """Refuse true and false for a number; Python would treat them as 1 and 0."""
    if isinstance(value, bool):
        check.refuse(name, owner, "a number", str(value).lower())
    return value
