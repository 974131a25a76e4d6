"""The progress bar of long computations."""

from __future__ import annotations

from typing import Any


def progress_bar(total: int, description: str, unit: str, *, wanted: bool) -> Any:
    """Return a tqdm bar, which shows nothing unless it is wanted and there is a terminal."""
    from tqdm import tqdm

    return tqdm(total=total, desc=description, unit=unit, disable=None if wanted else True)
