"""What the loaded library was compiled for."""

from skd import _native


def instruction_set() -> str:
    """Return the instruction set that the loaded library was compiled for.

    An installation made with ``SKD_MARCH=all`` holds one library for each level of x86-64, of
    which the dynamic loader takes the best that the processor has.

    Returns
    -------
    instruction_set : {"AVX-512", "AVX2", "SSE2", "NEON", "other"}
        "AVX2" is with FMA; "SSE2" is what every x86-64 processor has.

    Examples
    --------
    >>> instruction_set() in {"AVX-512", "AVX2", "SSE2", "NEON", "other"}
    True
    """
    return _native.instruction_set()
