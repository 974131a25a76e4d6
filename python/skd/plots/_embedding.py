"""Embeddings of images in a plane, for one or several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from skd import _validation as check
from skd.choices import Projection
from skd.datasets import Split
from skd.models import Model
from skd.plots._arguments import draw_images, named_models, unit_embeddings
from skd.plots._figures import COLOURS, MARKERS, AxesArray, Display, check_axes
from skd.plots._names import distinct
from skd.plots._projection import (
    METHODS,
    neighbour_embedding,
    principal_components,
    require_scikit_learn,
)

WIDTH, HEIGHT, LEGEND_WIDTH = 4.2, 4.2, 1.6
DEFAULT_CLASSES = 5
LONGEST_NAME = 22


class EmbeddingDisplay(Display):
    """Images as points in a plane that preserves nearness of embeddings; a panel for each model.

    Parameters
    ----------
    points : mapping of str to array-like of shape (n_images, 2)
        Projected embeddings by the name of the model.
    labels : array-like of shape (n_images,), dtype int64
        Class of each image, from 0.
    class_names : sequence of str
        Name of each class.
    axis_names : mapping of str to pair of str, optional
        Names of the two axes, by the name of the model.

    Attributes
    ----------
    ax_ : ndarray of shape (n_models,) of Axes
        Axes of the last drawing.
    figure_ : Figure
        The figure of these axes.

    Notes
    -----
    Panels share no axes: each model has its own plane, and only neighbourhoods can be compared
    between models. With t-SNE, distances between far groups and sizes of groups have no meaning.

    Examples
    --------
    >>> from skd.plots import EmbeddingDisplay
    >>> display = EmbeddingDisplay({"Gen-0": [[0, 0], [1, 1]]}, [0, 1], ["cat", "dog"])
    >>> display.plot().shape
    (1,)
    """

    def __init__(
        self,
        points: Mapping[str, ArrayLike],
        labels: ArrayLike,
        class_names: Sequence[str],
        *,
        axis_names: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        owner = "EmbeddingDisplay"
        self.labels = check.class_labels(labels, "labels", owner)
        self.class_names = check.names(class_names, "class_names", owner)
        if self.labels.min() < 0 or self.labels.max() >= len(self.class_names):
            legal = f"in 0..{len(self.class_names) - 1}, one for each of 'class_names'"
            check.refuse("labels", owner, legal, f"{self.labels.min()}..{self.labels.max()}")
        if not isinstance(points, Mapping) or not points:
            legal = "a mapping of names to points, at least one"
            check.refuse("points", owner, legal, type(points).__name__, TypeError)
        self.points = {}
        for name, values in points.items():
            plane = check.float_array(values, "points", owner, ndim=2, finite=True)
            if plane.shape != (len(self.labels), 2):
                check.refuse("points", owner, f"of shape ({len(self.labels)}, 2)", plane.shape)
            self.points[str(name)] = plane
        if axis_names is not None and not isinstance(axis_names, Mapping):
            legal = "a mapping of a model to the names of its two axes"
            check.refuse("axis_names", owner, legal, check.shown(axis_names), TypeError)
        self.axis_names = dict(axis_names or {})

    @classmethod
    def from_models(
        cls,
        models: Model | Mapping[str, Model],
        split: Split,
        *,
        method: Projection = "pca",
        num_classes: int | None = None,
        n_images: int = 100,
        seed: int = 0,
        ax: Any = None,
    ) -> EmbeddingDisplay:
        """Embed images of a split, project the embeddings, and draw them.

        All models see the same images. Embeddings are L2-normalised before they are projected, as
        for classifiers.

        Parameters
        ----------
        models : Model or mapping of str to Model
            Model, or models by name, such as ``{"Gen-0": teacher, "Gen-1": student}``.
        split : Split
            Images, preferably of classes that no model was trained on.
        method : {"pca", "tsne"}, default="pca"
            Projection: principal components of each model's embeddings, or t-SNE, which needs
            scikit-learn.
        num_classes : int, optional
            Number of classes, drawn at random; by default five, or all if there are fewer.
        n_images : int, default=100
            Number of images of each class, drawn at random; all of a class that has fewer.
        seed : int, default=0
            Seed of the choice of classes and images, and of t-SNE.
        ax : array-like of Axes, optional
            Axes to draw in, one for each model; by default in a new figure.

        Returns
        -------
        display : EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing, or scikit-learn for t-SNE.
        TypeError, ValueError
            If an argument is not legal, or images do not have the shape of the models.
        """
        owner = "EmbeddingDisplay.from_models"
        by_name = named_models(models, owner)
        check_axes(ax, len(by_name), owner)
        is_tsne = check.choice(method, "method", owner, METHODS) == "tsne"
        if is_tsne:
            require_scikit_learn()
        drawn = draw_images(
            by_name,
            split,
            owner,
            num_classes=num_classes,
            n_images=n_images,
            seed=seed,
            most_classes=DEFAULT_CLASSES,
        )
        if is_tsne and len(drawn.positions) < 4:
            check.refuse("n_images", owner, "such that t-SNE gets 4 images", len(drawn.positions))
        points, axis_names = {}, {}
        for name, model in by_name.items():
            embeddings = unit_embeddings(model, split, drawn.positions)
            if is_tsne:
                points[name] = neighbour_embedding(embeddings, int(seed))
                axis_names[name] = ("t-SNE 1 (no unit)", "t-SNE 2 (no unit)")
            else:
                points[name], shares = principal_components(embeddings)
                first, second = (
                    f"component {number} ({100 * share:.0f} % of the variance)"
                    for number, share in enumerate(shares, start=1)
                )
                axis_names[name] = (first, second)
        display = cls(points, drawn.labels, drawn.class_names, axis_names=axis_names)
        display.plot(ax=ax)
        return display

    def plot(self, ax: Any = None) -> AxesArray:
        """Draw the points; classes differ in colour and in marker.

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
        count = len(self.points)
        size = (WIDTH * count + LEGEND_WIDTH, HEIGHT)
        axes, result = self._panels(ax, count, "EmbeddingDisplay.plot", size)
        names = distinct(self.class_names, LONGEST_NAME)
        for panel, (model, points) in zip(axes, self.points.items(), strict=True):
            for label, name in enumerate(names):
                rows = points[self.labels == label]
                panel.scatter(
                    rows[:, 0],
                    rows[:, 1],
                    s=18,
                    color=COLOURS[label % len(COLOURS)],
                    marker=MARKERS[label % len(MARKERS)],
                    alpha=0.7,
                    linewidths=0,
                    label=name,
                )
            across, along = self.axis_names.get(model, ("", ""))
            panel.set(
                title=model, xlabel=across, ylabel=along, aspect="equal", adjustable="datalim"
            )
        axes[-1].legend(
            title="class",
            loc="upper left",
            bbox_to_anchor=(1.02, 1),
            borderaxespad=0,
            frameon=False,
        )
        return result
