"""``skd compare`` of several data sets or heads: a matrix on the same episodes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import skd
from skd import _validation as check
from skd._files.atomic import write_atomically
from skd.datasets import FewShotData

PICTURES = (".png", ".svg", ".pdf")


class Outputs(NamedTuple):
    """Files of a matrix; None for those that are not written."""

    json: Path | None
    markdown: Path | None
    plot: Path | None


def checked_outputs(json: Any, markdown: Any, plot: Any, owner: str) -> Outputs:
    """Check the files before anything is computed."""
    found = Outputs(
        *(
            None if path is None else check.output_file(path, name, owner)
            for name, path in (("json", json), ("markdown", markdown), ("plot", plot))
        )
    )
    if found.plot is not None and found.plot.suffix.lower() not in PICTURES:
        legal = f"a file that ends in {', '.join(PICTURES)}"
        check.refuse("plot", owner, legal, repr(str(found.plot)))
    if found.plot is not None:
        from skd.plots import require_matplotlib

        require_matplotlib()
    return found


def compare_matrix(
    models: Mapping[str, skd.Model],
    names: Sequence[str],
    opened: Callable[[str, int, int], FewShotData],
    split: str,
    outputs: Outputs,
    **options: Any,
) -> skd.ComparisonMatrix:
    """Score models by data sets by heads, and write the files.

    Parameters
    ----------
    models : mapping of str to Model
        Models by the names that the user gave.
    names : sequence of str
        Names or folders of the data sets.
    opened : callable
        Function that opens a data set at an image size and a number of channels.
    split : str
        Name of the split.
    outputs : Outputs
        Files to write.
    **options
        Options of `skd.compare`.
    """
    data = {
        name: {
            label: getattr(opened(name, model.image_size, model.input_channels), split)
            for label, model in models.items()
        }
        for name in names
    }
    matrix = skd.compare(models, data, **options)
    if outputs.json is not None:
        matrix.save(outputs.json)
    if outputs.markdown is not None:
        write_atomically(outputs.markdown, matrix.to_markdown().encode())
    if outputs.plot is not None:
        _draw(matrix, outputs.plot)
    return matrix


def _draw(matrix: skd.ComparisonMatrix, target: Path) -> None:
    from matplotlib.figure import Figure

    from skd.plots import ComparisonDisplay

    count = len(matrix.data)
    # Not a figure of pyplot, which would choose a backend and might open a window.
    figure = Figure(figsize=(4.4 * count, 4.2), layout="constrained")
    ComparisonDisplay.from_matrix(matrix, ax=figure.subplots(1, count))
    picture = io.BytesIO()
    figure.savefig(picture, format=target.suffix[1:].lower(), dpi=120)
    write_atomically(target, picture.getvalue())
