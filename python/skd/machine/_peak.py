"""The multiply-add peak of this machine."""

from __future__ import annotations

from skd import _native
from skd import _validation as check
from skd.machine._threads import get_num_threads


def peak_gflops(threads: int | None = None) -> float:
    """Measure how many float32 multiply-adds this machine does, in about 0.3 seconds.

    Chains of fused multiply-adds run in registers, by the instructions that the library was built
    for. Measure while nothing else computes.

    Parameters
    ----------
    threads : int, optional
        How many run at once, at most `get_num_threads`, which is also the default.

    Returns
    -------
    gflops : float
        10^9 operations per second of all threads together; a multiply-add counts two.

    Raises
    ------
    ValueError
        If `threads` is outside ``1..get_num_threads()``.
    TypeError
        If `threads` is no integer.

    Examples
    --------
    >>> peak_gflops(threads=1) > 0
    True
    """
    available = get_num_threads()
    if threads is None:
        threads = available
    return _native.peak_gflops(
        check.integer(threads, "threads", "peak_gflops", minimum=1, maximum=available)
    )
