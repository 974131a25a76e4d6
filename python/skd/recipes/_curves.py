"""Plot of a run's training; skipped if matplotlib is missing."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

from skd._files.atomic import write_atomically
from skd.history import History

NAME = "training.png"


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
    from matplotlib.figure import Figure

    from skd.plots import TrainingCurvesDisplay
    from skd.plots.training_curves import PANELS, SIZE

    # Not a figure of pyplot, which would choose a backend and might open a window.
    figure = Figure(figsize=SIZE, layout="constrained")
    TrainingCurvesDisplay.from_history(history, ax=figure.subplots(1, PANELS))
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120, format="png")
    path = folder / NAME
    write_atomically(path, picture.getvalue())
    return path
