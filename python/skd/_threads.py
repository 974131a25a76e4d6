"""Number of threads of computations."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from skd import _native

MAX_THREADS = 256
#: Environment variables with the number of threads; the first one that is set counts.
VARIABLES = ("SKD_NUM_THREADS", "OMP_NUM_THREADS")
NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def set_num_threads(count: int) -> None:
    """Set the number of threads of computations; results do not depend on it.

    Parameters
    ----------
    count : int
        Number of threads, in 1..256.

    Examples
    --------
    >>> set_num_threads(2)
    >>> get_num_threads()
    2
    """
    _native.set_num_threads(_checked(count, "set_num_threads"))


def get_num_threads() -> int:
    """Return the number of threads of computations.

    Returns
    -------
    count : int
        Number of threads. By default it is the number in the environment variable
        ``SKD_NUM_THREADS``, or else ``OMP_NUM_THREADS``, when `skd` is imported. Without them it is
        the number of processors that the process may use, at most 256; affinity (``taskset``, a
        batch system) and the CPU limit of a container count too.
    """
    return _native.get_num_threads()


def threads(count: int) -> AbstractContextManager[None]:
    """Set the number of threads within a ``with`` block, and restore the former number after it.

    The number holds for all computations of the process, also those of other Python threads.

    Parameters
    ----------
    count : int
        Number of threads, in 1..256.

    Returns
    -------
    context : context manager
        Context that sets the number when it is entered.

    Examples
    --------
    >>> before = get_num_threads()
    >>> with threads(1):
    ...     get_num_threads()
    1
    >>> get_num_threads() == before
    True
    """
    return _changed(_checked(count, "threads"))


@contextmanager
def _changed(count: int) -> Iterator[None]:
    before = _native.get_num_threads()
    _native.set_num_threads(count)
    try:
        yield
    finally:
        _native.set_num_threads(before)


def _checked(count: int, owner: str) -> int:
    from skd import _validation as check  # importing skd does not need it

    return check.integer(count, "count", owner, minimum=1, maximum=MAX_THREADS)


def threads_of_environment() -> int | None:
    """Return the number of threads that the environment asks for, if it does."""
    for name in VARIABLES:
        value = os.environ.get(name, "").strip()
        first = value.partition(",")[0].strip()  # OpenMP allows a number for each level of nesting
        if NUMBER.fullmatch(first):
            return min(int(first), MAX_THREADS)
        if value:
            warnings.warn(
                f"The environment variable {name} must be a number of threads, at least 1; got "
                f"{value!r:.100}. It is ignored.",
                stacklevel=3,
            )
    return None


def use_threads_of_environment() -> None:
    """Set the number of threads that the environment asks for; starts no thread."""
    count = threads_of_environment()
    if count is not None:
        _native.set_num_threads(count)
