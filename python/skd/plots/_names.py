"""Names of classes as plots write them: short, whole words first, and different."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence

#: Words of Unicode that tell no characters of the embedded data set apart.
GENERIC = {"CAPITAL", "SMALL", "LETTER", "CHARACTER"}


def can_draw(characters: str) -> bool:
    """Whether a font of matplotlib's setting ``font.family`` has these characters."""
    from matplotlib import font_manager, rcParams

    for family in rcParams["font.family"]:
        path = font_manager.findfont(font_manager.FontProperties(family=[family]))
        font = font_manager.get_font(path)
        if all(font.get_char_index(ord(character)) for character in characters):
            return True
    return False


def readable(name: str) -> str:
    """Return a name, or for a class of glyphs its character, if a font has it.

    ``greek/GREEK CAPITAL LETTER DELTA`` is "Greek Δ": the Latin word first keeps Hebrew and Arabic
    from turning the line around. Without a font, ``thai/THAI CHARACTER NO NU`` is "Thai no nu".
    """
    script, _, words = name.partition("/")
    try:
        characters = unicodedata.lookup(words)
    except KeyError:
        return name
    if can_draw(characters):
        return f"{script.capitalize()} {characters}"
    return " ".join(word for word in words.split() if word not in GENERIC).capitalize()


def wrapped(name: str, most: int, lines: int) -> str:
    """Return a name in at most so many lines of at most so many letters; the end may be missing."""
    text = re.sub(r"[_/]+", " ", name) if len(name) > most else name
    whole = textwrap.wrap(text, most)
    if len(whole) > lines:
        rest = " ".join(whole[lines - 1 :])
        whole[lines - 1 :] = [f"{rest[: most - 1].rstrip()}…"]
    return "\n".join(whole)


def distinct(names: Sequence[str], most: int, lines: int = 2) -> list[str]:
    """Return short distinct names; those that would coincide are numbered."""
    written = [readable(name) for name in names]
    short = [wrapped(name, most, lines) for name in written]
    return [
        text if short.count(text) == 1 else wrapped(f"{number} {name}", most, lines)
        for number, (name, text) in enumerate(zip(written, short, strict=True))
    ]


def longest_line(names: Sequence[str]) -> int:
    """Return the number of letters of the longest line of all names."""
    return max(len(line) for name in names for line in name.splitlines())
