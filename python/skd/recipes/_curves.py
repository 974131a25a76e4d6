"""The plot of a run's training; skipped where matplotlib is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from skd.history import History

NAME = "training.png"


def draw(history: History, folder: Path) -> Path | None:
    """Draw loss and accuracies over the epochs.

    Parameters
    ----------
    history : History
        Of a training.
    folder : Path
        Where to write ``training.png``.

    Returns
    -------
    path : Path or None
        The picture; None without matplotlib.
    """
    if importlib.util.find_spec("matplotlib") is None:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    epochs = [record.epoch for record in history]
    left.plot(epochs, [record.losses.total for record in history], color="#0072b2", marker=".")
    left.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    training = [100 * record.losses.accuracy for record in history]
    right.plot(epochs, training, color="#d55e00", marker=".", label="training classes")
    validated = [(r.epoch, r.validation.mean) for r in history if r.validation is not None]
    if validated:
        right.plot(*zip(*validated, strict=True), color="#009e73", marker="x", label="val, 1-shot")
    right.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(0, 102))
    right.legend()
    path = folder / NAME
    figure.savefig(path, dpi=120)
    return path
