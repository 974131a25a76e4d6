"""Number of threads of computations."""

from skd import _native
from skd import _validation as check


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
    _native.set_num_threads(
        check.integer(count, "count", "set_num_threads", minimum=1, maximum=256)
    )


def get_num_threads() -> int:
    """Return the number of threads of computations.

    Returns
    -------
    count : int
        Number of threads. By default it is the number of processors that the process may use, at
        most 256; affinity (``taskset``, a batch system) and the CPU limit of a container count too.
    """
    return _native.get_num_threads()
