"""The description in a file of ``skd embed``, and what must agree between two files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skd._files import bounded_json
from skd._files.array_files import refuse

FORMAT = "skd-features"
VERSION = 1
#: Entries of the description, and their types.
ENTRIES: dict[str, type] = {
    "features": str,
    "normalization": dict,
    "sha256": str,
    "model": dict,
    "data": dict,
}
OF_MODEL: dict[str, type] = {"architecture": str, "image_size": int, "sha256": str}
OF_DATA: dict[str, type] = {"name": str, "split": str, "sha256": str}
DIGITS = 12  # of a hash that is shown to tell models apart


def parsed_meta(text: str | None, path: Path) -> dict[str, Any] | None:
    """Return the description in a file; None if another program wrote the file."""
    if text is None:
        return None
    try:
        meta = bounded_json.parse(text)
    except ValueError:
        return None
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        return None
    fault = fault_of(meta)
    if fault is not None:
        refuse(path, f"its 'meta' {fault}")
    return meta


def fault_of(meta: Mapping[str, Any]) -> str | None:
    """Return what a description lacks; None if it is whole."""
    if meta.get("version") != VERSION:
        return f"is of version {meta.get('version')!r:.40}, not {VERSION}"
    parts = {"": (meta, ENTRIES), "model.": (meta.get("model"), OF_MODEL)}
    parts["data."] = (meta.get("data"), OF_DATA)
    for prefix, (entries, kinds) in parts.items():
        for name, kind in kinds.items():
            if not isinstance(entries, Mapping) or not isinstance(entries.get(name), kind):
                return f"has no {prefix}{name} of type {kind.__name__}"
    return None


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return what differs between the networks of two descriptions, in words.

    Features belong together only if they are the same output of the same weights on images that
    are normalised alike.
    """
    found = []
    if one["model"]["sha256"] != other["model"]["sha256"]:
        names = (f"{m['model']['architecture']} {m['model']['sha256'][:DIGITS]}"
                 for m in (other, one))  # fmt: skip
        found.append("the model is {}, not {}".format(*names))
    for name in ("features", "normalization"):
        if one[name] != other[name]:
            found.append(f"{name} are {other[name]!r:.120}, not {one[name]!r:.120}")
    return found
