"""Parsing JSON of untrusted files within a memory limit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

#: Bytes of Python objects per character of JSON: an object or a list with its first entry, one
#: more entry, a character of text.
OF_BRACKET, OF_COMMA, OF_CHARACTER = 240, 40, 5
SPARE = 48 << 20  # bytes that the content of every file may take


def parse(
    text: bytes | str,
    *,
    file_bytes: int = 0,
    refuse_constant: Callable[[str], NoReturn] | None = None,
) -> Any:
    """Return the value of a JSON text.

    Parameters
    ----------
    text : bytes or str
        JSON text in UTF-8, without a byte order mark. No object may have a key twice.
    file_bytes : int, default=0
        Length of the file it comes from, which is allowed in addition to 48 MB.
    refuse_constant : callable, optional
        Function that is called with "NaN" or "Infinity" and raises a ValueError.

    Raises
    ------
    ValueError
        If the text is not JSON, is nested too deeply, or would take too much memory.
    """
    marks = ("[", "{", ",") if isinstance(text, str) else (b"[", b"{", b",")
    lists, objects, commas = (text.count(mark) for mark in marks)  # type: ignore[arg-type]
    memory = OF_BRACKET * (lists + objects) + OF_COMMA * commas + OF_CHARACTER * len(text)
    if memory > SPARE + file_bytes:
        raise ValueError(f"its JSON would take about {memory >> 20:,} MB of memory")
    try:
        decoded = text if isinstance(text, str) else text.decode()
        return json.loads(
            decoded, object_pairs_hook=_without_repetition, parse_constant=refuse_constant
        )
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"its JSON has the key {twice!r:.80} twice")
    return result


def finite_or_none(value: float) -> float | None:
    """Return a number as JSON can hold it: None for NaN and infinity."""
    return value if math.isfinite(value) else None
