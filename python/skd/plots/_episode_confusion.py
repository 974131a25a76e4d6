"""Confusion of classes over the queries of many episodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from skd import _validation as check
from skd._refusals import delegated
from skd.choices import Augmentation, ClassifierName
from skd.classifiers import inputs
from skd.datasets import Split
from skd.evaluation import predict_episodes
from skd.few_shot import FewShotClassifier, pictures
from skd.models import Model
from skd.plots._figures import Display, check_axes
from skd.plots._names import distinct, longest_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMES, MOST_NUMBERS = 30, 12  # most classes with names, and most classes with numbers in cells
MOST_LETTERS = 24  # of all horizontal names together
LONGEST_NAME = 16
LIGHT = 55  # percent from which cells are light and their numbers black


class EpisodeConfusionDisplay(Display):
    """Confusion matrix of queries: true classes in rows, predicted classes in columns.

    Parameters
    ----------
    counts : array-like of shape (num_classes, num_classes), dtype int64
        Queries by their true class (rows) and predicted class (columns).
    class_names : sequence of str
        One per class.
    title : str, default="Confusion of classes"
        First line of the title; the second gives the number of queries and the accuracy.

    Attributes
    ----------
    ax_ : Axes
        Axes of the last drawing.
    figure_ : Figure
        The figure of these axes.

    Examples
    --------
    >>> from skd.plots import EpisodeConfusionDisplay
    >>> display = EpisodeConfusionDisplay([[9, 1], [3, 7]], ["cat", "dog"])
    >>> print(display.plot().get_title())
    Confusion of classes
    20 queries, 80.0 % right
    """

    def __init__(
        self, counts: ArrayLike, class_names: Sequence[str], *, title: str = "Confusion of classes"
    ) -> None:
        owner = "EpisodeConfusionDisplay"
        self.class_names = check.names(class_names, "class_names", owner)
        size = len(self.class_names)
        matrix = np.asarray(counts)
        if matrix.shape != (size, size) or not size:
            legal = f"of shape ({size}, {size}), a row and a column for each of 'class_names'"
            check.refuse("counts", owner, legal, f"shape {matrix.shape}")
        self.counts = check.integer_array(matrix.ravel(), "counts", owner).reshape(size, size)
        if self.counts.min() < 0 or not self.counts.any():
            check.refuse("counts", owner, "at least 0, and not all 0", self.counts.min())
        self.title = title

    @classmethod
    def from_model(
        cls,
        model: Model,
        split: Split,
        *,
        n_way: int = 5,
        n_shot: int = 1,
        n_query: int = 15,
        n_episodes: int = 200,
        classifier: ClassifierName = "logistic",
        n_support_copies: int = 5,
        support_augmentation: Augmentation = "crop_flip",
        flip: bool = True,
        seed: int = 0,
        ax: Axes | None = None,
    ) -> EpisodeConfusionDisplay:
        """Predict the queries of episodes as `skd.evaluate` does, count them, and draw.

        The accuracy is that of `skd.evaluate` with these options. A class can only be confused with
        classes of the same episode.

        Parameters
        ----------
        model : Model
            Model to evaluate. Images are normalised as it requires; if it has no normalisation,
            with that of `split`.
        split : Split
            Images of novel classes; each class becomes a row.
        n_way, n_shot, n_query, n_episodes, classifier, n_support_copies, support_augmentation, \
flip, seed
            Options as for `skd.evaluate`.
        ax : Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        display : EpisodeConfusionDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If an argument is not legal; see `skd.evaluate`.
        """
        owner = "EpisodeConfusionDisplay.from_model"
        check_axes(ax, 1, owner)
        episodes, ways = predict_episodes(
            model,
            split,
            owner,
            n_episodes=n_episodes,
            n_way=n_way,
            n_shot=n_shot,
            n_query=n_query,
            classifier=classifier,
            n_support_copies=n_support_copies,
            support_augmentation=support_augmentation,
            flip=flip,
            seed=seed,
        )
        n_episodes, n_way, _ = ways.shape
        counts = np.zeros((split.num_classes, split.num_classes), dtype=np.int64)
        true = np.broadcast_to(episodes.classes[:, :, None], ways.shape)
        predicted = np.take_along_axis(episodes.classes, ways.reshape(n_episodes, -1), axis=1)
        np.add.at(counts, (true.reshape(n_episodes, -1), predicted), 1)
        title = f"Confusion in {n_episodes} {n_way}-way {n_shot}-shot episodes"
        display = cls(counts, split.class_names, title=title)
        display.plot(ax=ax)
        return display

    @classmethod
    def from_classifier(
        cls,
        classifier: FewShotClassifier,
        images: Any,
        labels: ArrayLike | None = None,
        *,
        ax: Axes | None = None,
    ) -> EpisodeConfusionDisplay:
        """Predict images by a fitted classifier, count them, and draw.

        Parameters
        ----------
        classifier : FewShotClassifier
            Fitted classifier.
        images : array-like, path or sequence of paths
            Images that were not part of the fit; as for `FewShotClassifier.score`.
        labels : array-like of shape (n_images,), optional
            Classes of the images, among those of the fit, or `reject` of the classifier for images
            of other classes; left out for a folder of class folders.
        ax : Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        display : EpisodeConfusionDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        NotFittedError
            If the classifier is not fitted.
        TypeError, ValueError
            If an argument is not legal, or a label is not a class of the fit.
        """
        owner = "EpisodeConfusionDisplay.from_classifier"
        check_axes(ax, 1, owner)
        check.instance(classifier, "classifier", owner, FewShotClassifier)
        if labels is None:
            images, labels = pictures.classes_of(images, owner)
        with delegated(owner, "FewShotClassifier.predict"):
            predicted = classifier.predict(images)
        length = len(predicted)
        truth = inputs.label_vector(labels, owner, length=length, name="labels", of="images")
        known = classifier.classes_
        if classifier.reject is not None:  # a row and a column of its own
            known = np.array([*known.tolist(), classifier.reject], dtype=object)
        rows = {name: row for row, name in enumerate(known.tolist())}
        unknown = {label for label in truth.tolist() if label not in rows}
        if unknown or not truth.size:
            legal = "one of the classes of the fit, for each image"
            check.refuse("labels", owner, legal, sorted(unknown) or "no labels")
        counts = np.zeros((len(known), len(known)), dtype=np.int64)
        for true, given in zip(truth.tolist(), predicted.tolist(), strict=True):
            counts[rows[true], rows[given]] += 1
        display = cls(counts, [str(name) for name in known])
        display.plot(ax=ax)
        return display

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the shares of each true class; the row of a class without queries stays white.

        Up to 30 classes have names, more have numbers; up to 12 classes have percentages in the
        cells.

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
        size = len(self.class_names)
        side = min(3.2 + 0.32 * size, 9.0)
        figure_size = (side + 1.2, side)
        (axes,) = self._axes(ax, 1, "EpisodeConfusionDisplay.plot", figure_size)
        queries = self.counts.sum(axis=1, keepdims=True)
        shares = np.where(queries > 0, 100 * self.counts / np.maximum(queries, 1), np.nan)
        image = axes.imshow(shares, cmap="cividis", vmin=0, vmax=100, interpolation="nearest")
        axes.figure.colorbar(image, ax=axes, label="share of the true class (%)", shrink=0.8)
        if size <= MOST_NAMES:
            names = distinct(self.class_names, LONGEST_NAME, 2 if size <= MOST_NUMBERS else 1)
            is_crowded = size * longest_line(names) > MOST_LETTERS
            axes.set_xticks(range(size), names, rotation=90 if is_crowded else 0)
            axes.set_yticks(range(size), names)
        if size <= MOST_NUMBERS:
            for (row, column), share in np.ndenumerate(shares):
                if np.isfinite(share):
                    colour = "black" if share > LIGHT else "white"
                    axes.text(column, row, f"{share:.0f}", color=colour, ha="center", va="center")
        right = 100 * np.trace(self.counts) / self.counts.sum()
        axes.set_title(f"{self.title}\n{self.counts.sum():,} queries, {right:.1f} % right")
        named = "class" if size <= MOST_NAMES else "class, by number"
        axes.set(xlabel=f"predicted {named}", ylabel=f"true {named}")
        return axes
