"""How many threads computations use."""

from skd import _native
from skd import _validation as check


def set_num_threads(count: int) -> None:
    """Set how many threads computations use; results do not depend on it.

    Parameters
    ----------
    count : int
        In 1..256.

    Examples
    --------
    >>> set_num_threads(2)
    >>> get_num_threads()
    2
    """
    _native.set_num_threads(
        check.integer(count, "count", "set_num_threads", minimum=1, maximum=256)
    )


def get_num_threads() -> int:
    """Return how many threads computations use.

    Returns
    -------
    count : int
        At first the processors that the process may use, at most 256: those of its affinity
        (``taskset``, a batch system), and no more than a container gives it the time of.
    """
    return _native.get_num_threads()
