"""Turns a notebook, as it is committed with its outputs, into a page. Nothing is run."""

import base64
import json
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

#: What a terminal would take as a colour.
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def joined(text: str | list[str]) -> str:
    """Return a text of a notebook, which may be a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def fence(text: str, language: str) -> str:
    """Return a block of code, or of what code printed."""
    marks = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 0)
    return f"{marks}{language}\n{text.rstrip()}\n{marks}"


@dataclass
class Notebook:
    """The cells of a notebook, and the page that they become."""

    cells: list[dict[str, Any]]
    page: PurePosixPath

    @classmethod
    def read(cls, path: Path, page: PurePosixPath) -> "Notebook":
        """Read the notebook that becomes `page`."""
        return cls(json.loads(path.read_text(encoding="utf-8"))["cells"], page)

    def markdown(self) -> str:
        """Return the page."""
        return "\n\n".join(
            block for number, cell in enumerate(self.cells) for block in self._blocks(number, cell)
        )

    def picture(self, words: str) -> PurePosixPath:
        """Return the first picture below the first cell whose code contains these words."""
        for name, number, _ in self._pictures():
            if words in joined(self.cells[number]["source"]):
                return self.page.parent / name
        raise LookupError(f"no cell of {self.page} that draws a picture contains {words!r}")

    def write_pictures(self, folder: Path) -> None:
        """Write the pictures of all outputs below a folder."""
        for name, _, data in self._pictures():
            target = folder / self.page.parent / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(base64.b64decode(joined(data)))

    def _pictures(self) -> list[tuple[str, int, str]]:
        """Return the name, the number of the cell, and the data of each picture."""
        return [
            (self._name(number, place), number, output["data"]["image/png"])
            for number, cell in enumerate(self.cells)
            for place, output in enumerate(cell.get("outputs", ()))
            if "image/png" in output.get("data", {})
        ]

    def _name(self, number: int, place: int) -> str:
        return f"{self.page.stem}_pictures/{number}-{place}.png"

    def _blocks(self, number: int, cell: dict[str, Any]) -> list[str]:
        """Return the blocks of Markdown of a cell."""
        source = joined(cell["source"])
        if cell["cell_type"] != "code":
            return [source]
        blocks = [fence(source, "python")]
        for stream, group in groupby(enumerate(cell["outputs"]), lambda item: "text" in item[1]):
            if stream:
                printed = "".join(joined(output["text"]) for _, output in group)
                blocks.append(fence(ESCAPE.sub("", printed), "text"))
            else:
                blocks.extend(self._output(number, *item) for item in group)
        return blocks

    def _output(self, number: int, place: int, output: dict[str, Any]) -> str:
        """Return what the page shows of a picture or a value."""
        data = output["data"]
        if "image/png" in data:
            return f"![Picture that this cell draws]({self._name(number, place)})"
        if "text/html" in data:
            lines = joined(data["text/html"]).splitlines()
            return "<div>" + "\n".join(line for line in lines if line.strip()) + "</div>"
        return fence(joined(data["text/plain"]), "text")
