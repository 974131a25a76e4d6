"""Entropy of the predicted distribution, which measures the uncertainty of models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd.datasets import Split
from skd.models import Model
from skd.plots._arguments import draw_images, named_models, outputs, vectors_by_name
from skd.plots._figures import BLACK, Display, check_axes, draw_histogram, legend_below

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (6.0, 4.4)
BINS = 40


class LogitEntropyDisplay(Display):
    """Histograms of the entropy of the predicted distribution over the base classes.

    The paper [1]_ argues with entropy: the self-supervised loss of Gen-0 raises it, and Gen-1,
    guided by its teacher, lowers it again as it pulls twins together.

    Parameters
    ----------
    entropies : mapping of str to array-like of shape (n_images,)
        Entropy of each image in nats, by the name of the model.
    num_classes : int
        Number of classes of the models; the entropy is at most ``log(num_classes)``.

    Attributes
    ----------
    ax_ : Axes
        Axes of the last drawing.
    figure_ : Figure
        The figure of these axes.

    References
    ----------
    .. [1] J. Rajasegaran, S. Khan, M. Hayat, F. S. Khan and M. Shah, "Self-supervised Knowledge
       Distillation for Few-shot Learning", arXiv:2006.09785, 2020.

    Examples
    --------
    >>> from skd.plots import LogitEntropyDisplay
    >>> display = LogitEntropyDisplay({"Gen-0": [0.1, 0.2], "Gen-1": [0.7, 0.9]}, num_classes=5)
    >>> display.plot().get_xlabel()
    'entropy of the softmax of the logits (nats)'
    """

    def __init__(self, entropies: Mapping[str, ArrayLike], *, num_classes: int) -> None:
        owner = "LogitEntropyDisplay"
        self.entropies = vectors_by_name(entropies, "entropies", owner)
        self.num_classes = check.integer(num_classes, "num_classes", owner, minimum=2)
        most = math.log(self.num_classes) * (1 + 1e-6)
        for values in self.entropies.values():
            if values.min() < 0 or values.max() > most:
                legal = f"in 0..{most:.4g}, the logarithm of num_classes"
                check.refuse("entropies", owner, legal, f"{values.min():g}..{values.max():g}")

    @classmethod
    def from_models(
        cls,
        models: Model | Mapping[str, Model],
        split: Split,
        *,
        num_classes: int | None = None,
        n_images: int = 20,
        seed: int = 0,
        ax: Axes | None = None,
    ) -> LogitEntropyDisplay:
        """Compute the logits of images of a split, their entropies, and draw them.

        All models see the same images.

        Parameters
        ----------
        models : Model or mapping of str to Model
            Model, or models by name, such as ``{"Gen-0": teacher, "Gen-1": student}``, of equally
            many classes.
        split : Split
            Images of base or novel classes.
        num_classes : int, optional
            Number of classes of the split, drawn at random; by default all.
        n_images : int, default=20
            Number of images of each class, drawn at random; all of a class that has fewer.
        seed : int, default=0
            Seed of the choice of classes and images.
        ax : Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        display : LogitEntropyDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If an argument is not legal, images do not have the shape of the models, or the
            models differ in the number of their classes.
        """
        owner = "LogitEntropyDisplay.from_models"
        check_axes(ax, 1, owner)
        by_name = named_models(models, owner)
        sizes = {model.num_classes for model in by_name.values()}
        if len(sizes) > 1 or min(sizes) < 2:
            legal = "of equally many classes, at least 2"
            check.refuse("models", owner, legal, sorted(sizes))
        drawn = draw_images(
            by_name, split, owner, num_classes=num_classes, n_images=n_images, seed=seed
        )
        entropies = {
            name: softmax_entropy(outputs(model, split, drawn.positions, "logits"))
            for name, model in by_name.items()
        }
        display = cls(entropies, num_classes=sizes.pop())
        display.plot(ax=ax)
        return display

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the histograms in one panel, up to the entropy of the uniform distribution.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        axes : Axes
            The axes.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If `ax` is not an Axes.
        """
        (axes,) = self._axes(ax, 1, "LogitEntropyDisplay.plot", SIZE)
        most = math.log(self.num_classes)
        edges = np.linspace(0, most * (1 + 1e-6), BINS + 1)
        peaks = []
        for style, (name, values) in enumerate(self.entropies.items()):
            label = f"{name}, mean {values.mean():.2f} nats"
            peaks.append(draw_histogram(axes, values, edges, style, label))
        axes.axvline(
            most,
            color=BLACK,
            linestyle=":",
            label=f"uniform over {self.num_classes} classes, {most:.2f} nats",
        )
        axes.set(title="Entropy of the predicted distribution", ylabel="share of the images (%)")
        axes.set(xlabel="entropy of the softmax of the logits (nats)", xlim=(0, 1.03 * most))
        axes.set_ylim(0, 1.05 * max(peaks))
        legend_below(axes)
        return axes


def softmax_entropy(logits: ArrayLike) -> NDArray[np.float64]:
    """Return the entropy, in nats, of the softmax of each row."""
    scores = np.asarray(logits, dtype=np.float64)
    shifted = scores - scores.max(axis=1, keepdims=True)
    weights = np.exp(shifted)
    total = weights.sum(axis=1)
    # -sum p log p with log p = shifted - log(total); rounding must not make it negative.
    entropy: NDArray[np.float64] = np.maximum(
        np.log(total) - (weights * shifted).sum(axis=1) / total, 0
    )
    return entropy
