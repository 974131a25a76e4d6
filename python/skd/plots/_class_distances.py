"""Histograms of distances within and between classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd.datasets import Split
from skd.models import Model
from skd.plots._arguments import draw_images, named_models, unit_embeddings, vectors_by_name
from skd.plots._figures import AxesArray, Display, check_axes, draw_histogram, legend_below

WIDTH, HEIGHT = 4.6, 4.0
BINS = 50


class ClassDistanceDisplay(Display):
    """Histograms of the distances within and between classes, a panel for each model.

    The less they overlap, the better the classes are separated.

    Parameters
    ----------
    within : mapping of str to array-like of shape (n_pairs,)
        Distances between images of the same class, by the name of the model.
    between : mapping of str to array-like of shape (n_other_pairs,)
        Distances between images of different classes.

    Attributes
    ----------
    ax_ : ndarray of shape (n_models,) of Axes
        Axes of the last drawing.
    figure_ : Figure
        The figure of these axes.

    Examples
    --------
    >>> from skd.plots import ClassDistanceDisplay
    >>> display = ClassDistanceDisplay({"Gen-0": [0.2, 0.3]}, {"Gen-0": [0.9, 1.1, 1.0]})
    >>> display.plot()[0].get_xlabel()
    'distance of L2-normalised embeddings'
    """

    def __init__(self, within: Mapping[str, ArrayLike], between: Mapping[str, ArrayLike]) -> None:
        owner = "ClassDistanceDisplay"
        self.within = vectors_by_name(within, "within", owner)
        self.between = vectors_by_name(between, "between", owner)
        if list(self.within) != list(self.between):
            legal = f"of the names of 'within', {list(self.within)}"
            check.refuse("between", owner, legal, list(self.between))

    @classmethod
    def from_models(
        cls,
        models: Model | Mapping[str, Model],
        split: Split,
        *,
        num_classes: int | None = None,
        n_images: int = 20,
        seed: int = 0,
        ax: Any = None,
    ) -> ClassDistanceDisplay:
        """Embed images of a split, measure the distances of all pairs, and draw them.

        Distances are Euclidean, between L2-normalised embeddings, so they are in 0..2. All models
        see the same images.

        Parameters
        ----------
        models : Model or mapping of str to Model
            Model, or models by name, such as ``{"Gen-0": teacher, "Gen-1": student}``.
        split : Split
            Images of at least two classes, preferably classes that no model was trained on.
        num_classes : int, optional
            Number of classes, drawn at random; by default all.
        n_images : int, default=20
            Number of images of each class, at least 2, drawn at random; all of a class that has
            fewer.
        seed : int, default=0
            Seed of the choice of classes and images.
        ax : array-like of Axes, optional
            Axes to draw in, one for each model; by default in a new figure.

        Returns
        -------
        display : ClassDistanceDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If an argument is not legal, images do not have the shape of the models, or there are no
            pairs within a class or between classes.
        """
        owner = "ClassDistanceDisplay.from_models"
        by_name = named_models(models, owner)
        check_axes(ax, len(by_name), owner)
        drawn = draw_images(
            by_name, split, owner, num_classes=num_classes, n_images=n_images, seed=seed
        )
        first, second = np.triu_indices(len(drawn.labels), k=1)
        are_same = drawn.labels[first] == drawn.labels[second]
        if not are_same.any() or are_same.all():
            legal = "of pairs of one class and of different classes, as drawn"
            got = f"{len(drawn.labels)} images of {len(drawn.class_names)} classes"
            check.refuse("split", owner, legal, got)
        within, between = {}, {}
        for name, model in by_name.items():
            distances = pairwise_distances(unit_embeddings(model, split, drawn.positions))
            pairs = distances[first, second]
            within[name], between[name] = pairs[are_same], pairs[~are_same]
        display = cls(within, between)
        display.plot(ax=ax)
        return display

    def plot(self, ax: Any = None) -> AxesArray:
        """Draw the histograms, with the same bins and axes for all models.

        Parameters
        ----------
        ax : array-like of Axes, optional
            Axes to draw in, one for each model; by default in a new figure.

        Returns
        -------
        axes : ndarray of shape (n_models,) of Axes
            Axes, one for each model.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If `ax` does not hold one Axes for each model.
        """
        count = len(self.within)
        size = (WIDTH * count, HEIGHT)
        axes, result = self._panels(ax, count, "ClassDistanceDisplay.plot", size)
        everything = np.concatenate([*self.within.values(), *self.between.values()])
        edges = np.linspace(min(0, everything.min()), everything.max() * 1.02 + 1e-9, BINS + 1)
        peaks = []
        for panel, (name, within) in zip(axes, self.within.items(), strict=True):
            for style, (kind, values) in enumerate(
                {"same class": within, "different classes": self.between[name]}.items()
            ):
                label = f"{kind}, median {np.median(values):.2f}"
                peaks.append(draw_histogram(panel, values, edges, style, label))
            panel.set(title=name, xlabel="distance of L2-normalised embeddings")
            panel.set(xlim=(edges[0], edges[-1]), ylabel="share of the pairs (%)")
            legend_below(panel)
        for panel in axes:
            panel.set_ylim(0, 1.05 * max(peaks))
        return result


def pairwise_distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Euclidean distances of all pairs of points."""
    squares = (points**2).sum(axis=1)
    distances: NDArray[np.float64] = np.sqrt(
        np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0)
    )
    return distances
