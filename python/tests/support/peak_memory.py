"""The memory that a call takes at its peak, as the system counts it: of NumPy, Swift and all."""

from contextlib import contextmanager
from pathlib import Path

STATUS = Path("/proc/self/status")
RESET_PEAK = "5"


def _bytes_of(name):
    for line in STATUS.read_text().splitlines():
        if line.startswith(name):
            return 1024 * int(line.split()[1])
    raise KeyError(name)


class Peak:
    """What the process has taken since it was made, in bytes."""

    def __init__(self):
        Path("/proc/self/clear_refs").write_text(RESET_PEAK)
        self._before = _bytes_of("VmRSS:")

    @property
    def grown(self):
        return _bytes_of("VmHWM:") - self._before


@contextmanager
def at_most(count):
    """Fail if the block takes more bytes."""
    peak = Peak()
    yield
    grown = peak.grown
    assert grown <= count, f"{grown:,} bytes were taken, more than {count:,}"
