"""Tables as text and as HTML, in which objects represent themselves."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

GAP = "  "


class Markup(str):
    """HTML of a cell, which `Table.html` does not escape."""


class Table(NamedTuple):
    """A title, the names of the columns, and rows of cells; a table may have no columns."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def lines(self) -> list[Sequence[str]]:
        """The names of the columns, and the rows."""
        return [self.columns, *self.rows] if self.columns else []

    def text(self) -> str:
        """Return lines of aligned columns: the first to the left, the others to the right."""
        lines = self.lines
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join([self.title, *(_line(cells, widths) for cells in lines)])

    def html(self) -> str:
        """Return a title and a table for a notebook, aligned like the text."""
        rows = [_row(cells, "td" if place else "th") for place, cells in enumerate(self.lines)]
        return f"<div><b>{escape(self.title)}</b><table>{''.join(rows)}</table></div>"

    def markdown(self) -> str:
        """Return a title and a table of Markdown, aligned like the text."""
        head, *rows = self.lines
        rule = [":--", *["--:"] * (len(head) - 1)]
        cells = (" | ".join(_escaped(cell) for cell in row) for row in (head, rule, *rows))
        return "\n".join([f"**{self.title}**", "", *(f"| {row} |" for row in cells), ""])


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    aligned = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return GAP + GAP.join(aligned).rstrip()


def _row(cells: Sequence[str], tag: str) -> str:
    sides = ["left", *["right"] * (len(cells) - 1)]
    return f"<tr>{''.join(_cell(*cell, tag) for cell in zip(cells, sides, strict=True))}</tr>"


def _cell(content: str, side: str, tag: str) -> str:
    markup = content if isinstance(content, Markup) else escape(content)
    return f'<{tag} style="text-align: {side}">{markup}</{tag}>'
