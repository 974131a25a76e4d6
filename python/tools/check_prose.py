"""Finds three mistakes of English in documentation, comments, docstrings and messages.

``make lint`` runs this script. It reads source files as text, code included: no code of the project
contains these words.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKED = (
    "*.md",
    "docs/**/*.md",
    "benchmarks/**/*.md",
    "benchmarks/**/*.py",
    "notebooks/*.ipynb",
    "recipes/*.toml",
    "*.py",
    "Package.swift",
    "Sources/**/*.md",
    "Sources/**/*.swift",
    "Sources/**/*.h",
    "Tests/**/*.md",
    "Tests/**/*.swift",
    "python/*.md",
    "python/skd/**/*.py",
    "python/skd/**/*.pyi",
    "python/src/*",
    "python/tests/**/*.py",
    "python/tools/*.py",
)
#: What lies between two words of a sentence: spaces, or the end of a line and a comment's marks.
GAP = r"[\s/*#]+"
MISTAKES = {
    r"\bOf\b": "begin with the noun: 'Seed of the order.', not 'Of the order.'",
    rf"\bthe{GAP}own\b": "name the owner: 'this rank's images', 'its own images'",
    rf"\bfor{GAP}ever\b": "use the term of the field, such as 'deadlock', or 'forever'",
}


def text_of(path: Path) -> str:
    """Return what a file says; of a notebook its Markdown cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def mistakes(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line of each mistake, its words, and what to write instead."""
    for pattern, advice in MISTAKES.items():
        for match in re.finditer(pattern, text):
            yield text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), advice


def main() -> int:
    """Print every mistake; return 1 if there is one."""
    this = Path(__file__).resolve()
    paths = {path for pattern in CHECKED for path in ROOT.glob(pattern)} - {this}
    found = [
        f"{path.relative_to(ROOT)}:{line}: {words!r}: {advice}"
        for path in sorted(paths)
        for line, words, advice in sorted(mistakes(text_of(path)))
    ]
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
