"""The sentence in which every refused argument is reported, with its parts.

The parts travel with the exception, so that who calls on behalf of others, a recipe or the command
line, can say the same of its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn

MAX_SHOWN = 400  # characters of a value in a message


class Refusal(NamedTuple):
    """A refused argument, and the reason.

    Attributes
    ----------
    name, owner : str
        The argument, and the function or class that it was given to.
    legal : str
        The words after "must".
    got : str or None
        The value that came instead.
    """

    name: str
    owner: str
    legal: str
    got: str | None

    def __str__(self) -> str:
        """Return the sentence."""
        return f"The '{self.name}' parameter of {self.owner} must {self.requirement}"

    @property
    def requirement(self) -> str:
        """The words after "must", to the end of the sentence."""
        return f"{self.legal}." if self.got is None else f"{self.legal}; got {self.got}."

    def error(self, kind: type[Exception] = ValueError) -> Exception:
        """Return an exception that says so and holds the parts."""
        error = kind(str(self))
        error.refusal = self  # type: ignore[attr-defined]
        return error


def refuse(
    name: str, owner: str, legal: str, got: object, error: type[Exception] = ValueError
) -> NoReturn:
    """Raise the sentence about a refused argument."""
    text = got if isinstance(got, str) else _written(str, got)
    raise Refusal(name, owner, f"be {legal}", text).error(error)


def shown(value: object) -> str:
    """Return the representation of a value for a message; of a large one the start."""
    text = _written(repr, value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _written(write: Callable[[object], str], value: object) -> str:
    """Return a value as text, even one that Python cannot write: a long number, a deep nest."""
    try:
        return write(value)
    except (ValueError, RecursionError):
        return f"a value of type {type(value).__name__} that is too large to show"


def refusal_of(error: BaseException) -> Refusal | None:
    """Return the parts of an error that refuses an argument; None of any other."""
    refusal = getattr(error, "refusal", None)
    return refusal if isinstance(refusal, Refusal) else None


@contextmanager
def delegated(owner: str, *inner: str, **names: str) -> Iterator[None]:
    """Report what the functions `inner` refuse as an argument of `owner`, which calls them.

    Parameters
    ----------
    owner : str
        The function that the user called.
    *inner : str
        Owners of the refusals that are reported so.
    **names : str
        Arguments whose names differ in `owner`.
    """

    def by(refusal: Refusal) -> Refusal:
        if refusal.owner not in inner:
            return refusal
        return refusal._replace(owner=owner, name=names.get(refusal.name, refusal.name))

    with reworded(by):
        yield


@contextmanager
def reworded(by: Callable[[Refusal], Refusal]) -> Iterator[None]:
    """Say what is refused within in other words.

    Parameters
    ----------
    by : callable
        Returns the refusal to report for one.
    """
    try:
        yield
    except Exception as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise by(refusal).error(type(error)) from error.__cause__
