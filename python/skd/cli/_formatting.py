"""Values as aligned lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Render names and values in two columns."""
    width = max(len(name) for name, _ in rows)
    return [f"{name:{width}}  {value}" for name, value in rows]


def flat(entries: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the entries of nested mappings, with their keys joined by dots."""
    for name, value in entries.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield prefix + name, ", ".join(map(_word, value))
        else:
            yield prefix + name, _word(value)


def _word(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "-" if value is None else str(value)
