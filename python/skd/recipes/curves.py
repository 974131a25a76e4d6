"""Plot of a run's training."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from skd import _validation as check
from skd._files.atomic import write_atomically
from skd.history import History

NAME = "training.png"
#: Endings of pictures that can be drawn.
KINDS = (".png", ".svg", ".pdf")


def draw(history: History, folder: Path) -> Path | None:
    """Draw losses, accuracies and the learning rate over the epochs.

    Parameters
    ----------
    history : History
        History of the training.
    folder : Path
        Folder to write ``training.png`` to.

    Returns
    -------
    path : Path or None
        Path of the picture; None without matplotlib.
    """
    if importlib.util.find_spec("matplotlib") is None:
        return None
    from skd.plots import TrainingCurvesDisplay

    path = folder / NAME
    _write(path, lambda axes: TrainingCurvesDisplay.from_history(history, ax=axes))
    return path


def draw_run(run: str | PathLike[str], path: Path, owner: str) -> None:
    """Draw the same of a run that has left a history file, which may still be running.

    Parameters
    ----------
    run : str or path
        Folder of the run, or its history file.
    path : Path
        Picture to write, PNG, SVG or PDF.
    owner : str
        Name of the caller in errors.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    FileNotFoundError
        If there is no history.
    ValueError
        If the history is damaged or empty, or `path` has another ending.
    """
    from skd.plots.training_curves import TrainingCurvesDisplay, require_matplotlib

    require_matplotlib()
    if path.suffix not in KINDS:
        check.refuse("out", owner, f"a file that ends in {', '.join(KINDS)}", repr(str(path)))
    check.output_file(path, "out", owner)
    _write(path, lambda axes: TrainingCurvesDisplay.from_run(run, ax=axes))


def _write(path: Path, draw_into: Callable[[Any], object]) -> None:
    """Draw into the panels of a figure, and write it."""
    from matplotlib.figure import Figure

    from skd.plots.training_curves import PANELS, SIZE

    # Not a figure of pyplot, which would choose a backend and might open a window.
    figure = Figure(figsize=SIZE, layout="constrained")
    draw_into(figure.subplots(1, PANELS))
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120, format=path.suffix[1:])
    write_atomically(path, picture.getvalue())
