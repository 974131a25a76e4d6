"""The tables of the README that programs write, each between two comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
#: Works and threads of the table of steps.
STEP_ROWS = (
    ("Gen-0 step, 32 px, 16 x 4 images", 2),
    ("Gen-0 step, 84 px, 4 x 4 images", 2),
    ("Gen-1 step, upright and 180 degrees, 32 px, 16 images", 2),
)


@dataclass(frozen=True)
class Table:
    """A table of the README, and the program in `benchmarks` that writes it."""

    name: str
    program: str

    @property
    def begin(self) -> str:
        """Comment before the table."""
        return f"<!-- {self.name}: written by benchmarks/{self.program} --readme -->"

    @property
    def end(self) -> str:
        """Comment after the table."""
        return f"<!-- end of {self.name} -->"

    def replaced(self, text: str, lines: Sequence[str]) -> str:
        """Return a README with other lines between the comments.

        Raises
        ------
        ValueError
            If the comments are not there once each, in order.
        """
        first, last = text.find(self.begin), text.find(self.end)
        if text.count(self.begin) != 1 or text.count(self.end) != 1 or first > last:
            raise ValueError(
                f"the README must hold {self.begin!r} and then {self.end!r}, once each"
            )
        inner = "\n".join(["", "", *lines, "", ""])
        return text[: first + len(self.begin)] + inner + text[last:]

    def write(self, lines: Sequence[str]) -> None:
        """Rewrite the table of the README."""
        README.write_text(self.replaced(README.read_text(), lines))


STEPS = Table("steps", "compare_pytorch.py")
EMBEDDING = Table("embedding", "compare_engines.py")
