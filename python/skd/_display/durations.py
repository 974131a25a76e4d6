"""Durations as text."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Render a duration in a suitable unit."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 99.95 else f"{hours:.0f} h"
