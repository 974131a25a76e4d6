"""Peak rate of multiply-adds of this machine."""

from __future__ import annotations

from skd import _native
from skd import _validation as check
from skd._threads import get_num_threads


def peak_gflops(threads: int | None = None) -> float:
    """Measure the peak rate of float32 multiply-adds in about 0.3 seconds.

    Chains of fused multiply-adds run in registers, with the instruction set of the library. Measure
    while the machine is otherwise idle.

    Parameters
    ----------
    threads : int, optional
        Number of threads, at most `get_num_threads`, which is also the default.

    Returns
    -------
    gflops : float
        Rate of all threads together, in 10^9 operations per second; a multiply-add counts as two.

    Raises
    ------
    ValueError
        If `threads` is outside ``1..get_num_threads()``.
    TypeError
        If `threads` is not an integer.

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
