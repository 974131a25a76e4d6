"""Curves of losses, accuracies and the learning rate over the epochs."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd.history import History, Losses, epoch_columns
from skd.plots._arguments import vector
from skd.plots._figures import (
    BLACK,
    BLUE,
    COLOURS,
    GREEN,
    LINES,
    VERMILION,
    AxesArray,
    Display,
    check_axes,
    legend_below,
)
from skd.plots._figures import require_matplotlib as require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS, SIZE = 3, (11.0, 4.0)
HISTORY = "history.csv"
OWN_TERM = "term."
TERMS = [name for name in Losses._fields if "accuracy" not in name]
NEEDED = ("epoch", "learning_rate", "total", "accuracy")
LARGE_RATIO = 9  # ratio of learning rates from which their axis is logarithmic

Row = Mapping[str, float | None]


class TrainingCurvesDisplay(Display):
    """Loss terms, accuracies and the learning rate of each epoch, side by side.

    Parameters
    ----------
    epochs : array-like of shape (n_epochs,)
        Numbers of the epochs.
    learning_rate : array-like of shape (n_epochs,)
        Learning rate of the steps of each epoch.
    losses : mapping of str to array-like of shape (n_epochs,)
        Means of the loss and its terms, before their weights, by name.
    accuracy : array-like of shape (n_epochs,)
        Accuracy on the training images, in percent.
    rotation_accuracy : array-like of shape (n_epochs,), optional
        Accuracy of the self-supervised head's rotations, in percent.
    val_epochs, val_accuracy, val_ci95 : array-like of shape (n_validations,), optional
        Epochs that were validated, mean accuracy and half-width of its 95 % interval, in percent;
        no interval is drawn if the half-width is NaN.
    val_task : str, default="few-shot"
        Name of the validation task, such as "5-way 1-shot".

    Attributes
    ----------
    ax_ : ndarray of shape (3,) of Axes
        Axes of losses, accuracies and learning rate, of the last drawing.
    figure_ : Figure
        The figure of these axes.

    Examples
    --------
    >>> from skd.plots import TrainingCurvesDisplay
    >>> display = TrainingCurvesDisplay(
    ...     [1, 2], learning_rate=[0.1, 0.01], losses={"total": [2.0, 1.0]}, accuracy=[40, 60]
    ... )
    >>> [axes.get_ylabel() for axes in display.plot()]
    ['loss', 'accuracy (%)', 'learning rate']
    """

    def __init__(
        self,
        epochs: ArrayLike,
        *,
        learning_rate: ArrayLike,
        losses: Mapping[str, ArrayLike],
        accuracy: ArrayLike,
        rotation_accuracy: ArrayLike | None = None,
        val_epochs: ArrayLike | None = None,
        val_accuracy: ArrayLike | None = None,
        val_ci95: ArrayLike | None = None,
        val_task: str = "few-shot",
    ) -> None:
        owner = "TrainingCurvesDisplay"
        self.epochs = vector(epochs, "epochs", owner)
        length = len(self.epochs)
        self.learning_rate = vector(learning_rate, "learning_rate", owner, length)
        if not isinstance(losses, Mapping) or not losses:
            legal = "a mapping of names to losses, at least one"
            check.refuse("losses", owner, legal, repr(losses), TypeError)
        self.losses = {
            str(name): vector(values, "losses", owner, length) for name, values in losses.items()
        }
        self.accuracy = vector(accuracy, "accuracy", owner, length)
        self.rotation_accuracy = (
            None
            if rotation_accuracy is None
            else vector(rotation_accuracy, "rotation_accuracy", owner, length)
        )
        validations = (val_epochs, val_accuracy, val_ci95)
        if sum(values is None for values in validations) in (1, 2):
            legal = "given with val_epochs and val_ci95, or all three left out"
            check.refuse("val_accuracy", owner, legal, "some of them")
        self.val_epochs = self.val_accuracy = self.val_ci95 = None
        if val_epochs is not None and val_accuracy is not None and val_ci95 is not None:
            self.val_epochs = vector(val_epochs, "val_epochs", owner)
            count = len(self.val_epochs)
            self.val_accuracy = vector(val_accuracy, "val_accuracy", owner, count, of="val_epochs")
            self.val_ci95 = vector(val_ci95, "val_ci95", owner, count, nan=True, of="val_epochs")
        self.val_task = val_task

    @classmethod
    def from_history(cls, history: History, *, ax: Any = None) -> TrainingCurvesDisplay:
        """Draw the history that `fit` returned.

        Parameters
        ----------
        history : History
            History of at least one epoch.
        ax : array-like of three Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        display : TrainingCurvesDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If `history` is not a history or is empty, or `ax` does not hold three Axes.
        """
        owner = "TrainingCurvesDisplay.from_history"
        check_axes(ax, PANELS, owner)
        check.instance(history, "history", owner, History)
        if not len(history):
            check.refuse("history", owner, "of at least one epoch", "an empty one")
        validated = [record.validation for record in history if record.validation is not None]
        options = validated[0].options if validated else {}
        task = "few-shot"
        if "n_way" in options and "n_shot" in options:
            task = f"{options['n_way']}-way {options['n_shot']}-shot"
        return cls._drawn([epoch_columns(record) for record in history], task, ax)

    @classmethod
    def from_run(cls, path: str | PathLike[str], *, ax: Any = None) -> TrainingCurvesDisplay:
        """Draw the history file of a run, which may still be running.

        Parameters
        ----------
        path : str or path
            Folder of a run of `skd train`, or a file of `skd.callbacks.HistoryFile`.
        ax : array-like of three Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        display : TrainingCurvesDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        FileNotFoundError
            If the file does not exist.
        TypeError, ValueError
            If the file is not a history of at least one epoch, or `ax` does not hold three Axes.
        """
        owner = "TrainingCurvesDisplay.from_run"
        check_axes(ax, PANELS, owner)
        file = check.path(path, "path", owner)
        if file.is_dir():
            file /= HISTORY
        if not file.is_file():
            raise FileNotFoundError(f"There is no history {str(file)!r}.")
        return cls._drawn(_read(file, owner), "few-shot", ax)

    @classmethod
    def _drawn(cls, rows: Sequence[Row], task: str, ax: Any) -> TrainingCurvesDisplay:
        """Return the display for rows of a history file."""
        names = [name for name in rows[0] if name in TERMS or name.startswith(OWN_TERM)]
        losses = {name: _column(rows, name) for name in names}
        rotation = _column(rows, "rotation_accuracy") if "rotation_accuracy" in rows[0] else None
        validated = [row for row in rows if row.get("val_accuracy") is not None]
        display = cls(
            _column(rows, "epoch"),
            learning_rate=_column(rows, "learning_rate"),
            # Terms that the objective lacks are exactly 0, and so is a missing rotation accuracy.
            losses={name: v for name, v in losses.items() if name == "total" or v.any()},
            accuracy=100 * _column(rows, "accuracy"),
            rotation_accuracy=None if rotation is None or not rotation.any() else 100 * rotation,
            val_epochs=_column(validated, "epoch") if validated else None,
            val_accuracy=_column(validated, "val_accuracy") if validated else None,
            val_ci95=_column(validated, "val_ci95") if validated else None,
            val_task=task,
        )
        display.plot(ax=ax)
        return display

    def plot(self, ax: Any = None) -> AxesArray:
        """Draw the curves.

        Parameters
        ----------
        ax : array-like of three Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        axes : ndarray of shape (3,) of Axes
            Losses, accuracies and learning rate.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If `ax` does not hold three Axes.
        """
        from matplotlib.ticker import MaxNLocator

        axes, result = self._panels(ax, PANELS, "TrainingCurvesDisplay.plot", SIZE)
        left, middle, right = axes
        self._draw_losses(left)
        self._draw_accuracies(middle)
        right.plot(self.epochs, self.learning_rate, color=BLUE, marker=".")
        low, high = self.learning_rate.min(), self.learning_rate.max()
        if low > 0 and high / low >= LARGE_RATIO:
            right.set_yscale("log")
        else:
            right.set_ylim(min(0, low), 1.05 * high if high > 0 else None)
        right.set(title="Learning rate", xlabel="epoch", ylabel="learning rate")
        first, last = self.epochs.min(), self.epochs.max()
        margin = max(0.5, 0.04 * (last - first))
        for panel in axes:
            panel.set_xlim(first - margin, last + margin)
            panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            panel.grid(alpha=0.3)
        return result

    def _draw_losses(self, axes: Axes) -> None:
        terms = {name: values for name, values in self.losses.items() if name != "total"}
        total = self.losses.get("total")
        if total is not None and not any(np.array_equal(total, term) for term in terms.values()):
            axes.plot(self.epochs, total, color=BLACK, marker=".", linewidth=2, label="total")
        for number, (name, values) in enumerate(terms.items()):
            colour, line = COLOURS[number % len(COLOURS[:-1])], LINES[(number + 1) % len(LINES)]
            axes.plot(self.epochs, values, line, color=colour, marker=".", label=_label(name))
        if all(values.min() >= 0 for values in self.losses.values()):
            axes.set_ylim(bottom=0)
        axes.set(title="Loss and its unweighted terms" if terms else "Loss")
        axes.set(xlabel="epoch", ylabel="loss")
        legend_below(axes, columns=2)

    def _draw_accuracies(self, axes: Axes) -> None:
        axes.plot(
            self.epochs, self.accuracy, color=BLUE, marker=".", label="training classes, augmented"
        )
        if self.rotation_accuracy is not None:
            axes.plot(
                self.epochs,
                self.rotation_accuracy,
                LINES[1],
                color=VERMILION,
                marker=".",
                label="rotation of the image, one of 4",
            )
        if self.val_epochs is not None and self.val_accuracy is not None:
            axes.errorbar(
                self.val_epochs,
                self.val_accuracy,
                self.val_ci95,
                linestyle=LINES[2],
                color=GREEN,
                marker="s",
                markersize=4,
                capsize=3,
                label=f"{self.val_task} on new classes, 95 % interval",
            )
        axes.set(title="Accuracy", xlabel="epoch", ylabel="accuracy (%)", ylim=(0, 102))
        legend_below(axes)


def _label(name: str) -> str:
    return name.removeprefix(OWN_TERM).replace("cross_entropy", "cross-entropy")


def _column(rows: Sequence[Row], name: str) -> NDArray[np.float64]:
    return np.array([row[name] for row in rows], dtype=np.float64)


def _read(file: Path, owner: str) -> list[Row]:
    """Return the rows of a history file, with None where a cell is empty."""
    legal = "the history of a run with at least one epoch"
    try:
        with open(file, encoding="utf-8", newline="") as text:
            found = csv.reader(text, strict=True)
            names = next(found, [])
            rows: list[Row] = [_row(names, cells) for cells in found if cells]
    except (ValueError, TypeError, csv.Error) as error:
        check.refuse("path", owner, legal, f"{str(file)!r} ({error})")
    missing = [name for name in NEEDED if not rows or rows[0].get(name) is None]
    if missing:
        check.refuse("path", owner, legal, f"{str(file)!r}, which lacks {', '.join(missing)}")
    return rows


def _row(names: list[str], cells: list[str]) -> Row:
    if len(cells) != len(names):
        raise ValueError(f"a line has {len(cells)} cells, and the first has {len(names)}")
    return {name: float(cell) if cell else None for name, cell in zip(names, cells, strict=True)}
