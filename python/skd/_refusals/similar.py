"""Suggestions for a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 200  # characters of a word that are compared


def similar(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like another; None if none is close."""
    near = difflib.get_close_matches(word[:LONGEST], list(known), 1)
    return near[0] if near else None
