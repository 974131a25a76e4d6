"""Instruction set of the loaded library."""

from skd import _native


def instruction_set() -> str:
    """Return the instruction set that the loaded library was compiled for.

    An installation made with ``SKD_MARCH=all`` holds one library for each level of x86-64, and the
    dynamic loader chooses the best one for the processor.

    Returns
    -------
    instruction_set : {"AVX-512", "AVX2", "SSE2", "NEON", "other"}
        Name of the instruction set. "AVX2" includes FMA; every x86-64 processor has "SSE2".

    Examples
    --------
    >>> instruction_set() in {"AVX-512", "AVX2", "SSE2", "NEON", "other"}
    True
    """
    return _native.instruction_set()
