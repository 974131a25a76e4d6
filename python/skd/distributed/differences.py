"""Differences between the options of two runs, or of two ranks of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def differences(saved: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Name the entries that differ between two mappings, with both values."""
    absent = "nothing"
    return [
        f"{name} {wanted.get(name, absent)!r} instead of {saved.get(name, absent)!r}"
        for name in sorted(saved.keys() | wanted.keys())
        if saved.get(name, absent) != wanted.get(name, absent)
    ]
