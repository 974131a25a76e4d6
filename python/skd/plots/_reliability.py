"""Reliability diagrams: accuracy against confidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from skd import _validation as check
from skd._refusals import delegated
from skd.classifiers import Reliability, reliability
from skd.few_shot import FewShotClassifier, pictures
from skd.plots._figures import BLUE, AxesArray, Display, check_axes, legend_below

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 4.2, 4.4
MOST_PANELS = 7
GAP = "#555555"  # of the distance to the diagonal
LARGEST_DOT, SMALLEST_DOT = 140.0, 12.0  # areas in square points, of all predictions and of few


class ReliabilityDisplay(Display):
    """Reliability diagrams, a panel for each set of probabilities [1]_.

    A dot shows the accuracy of the predictions of a bin of confidence, and a vertical line its
    distance from the diagonal, on which confidences are what they claim. Larger dots stand for
    more predictions.

    Parameters
    ----------
    reliabilities : mapping of str to Reliability
        Results of `skd.reliability` by name, such as ``{"calibrated": ...}``.

    Attributes
    ----------
    ax_ : ndarray of shape (n_names,) of Axes
        Axes of the last drawing.
    figure_ : Figure
        The figure of these axes.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", arXiv:1706.04599, 2017.

    Examples
    --------
    >>> from skd.plots import ReliabilityDisplay
    >>> found = skd.reliability([[0.9, 0.1], [0.6, 0.4]], [0, 1])
    >>> ReliabilityDisplay({"head": found}).plot()[0].get_xlabel()
    'confidence (%)'
    """

    def __init__(self, reliabilities: Mapping[str, Reliability]) -> None:
        owner = "ReliabilityDisplay"
        legal = f"a mapping of 1 to {MOST_PANELS} names to results of skd.reliability"
        if not isinstance(reliabilities, Mapping) or not all(
            isinstance(found, Reliability) for found in reliabilities.values()
        ):
            got = check.shown(reliabilities)
            check.refuse("reliabilities", owner, legal, got, TypeError)
        if not 1 <= len(reliabilities) <= MOST_PANELS:
            check.refuse("reliabilities", owner, legal, f"{len(reliabilities)}")
        self.reliabilities = {str(name): found for name, found in reliabilities.items()}

    @classmethod
    def from_predictions(
        cls,
        probabilities: ArrayLike | Mapping[str, ArrayLike],
        labels: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        n_bins: int = 15,
        ax: Any = None,
    ) -> ReliabilityDisplay:
        """Compare probabilities with the true classes, and draw the diagrams.

        Parameters
        ----------
        probabilities : array-like of shape (n_predictions, num_classes), or mapping of str to them
            Probabilities of the classes, or several of the same predictions by name.
        labels : array-like of shape (n_predictions,)
            True class of each prediction.
        classes : array-like of shape (num_classes,), optional
            Class of each column; by default 0, 1, 2, ...
        n_bins : int, default=15
            Number of bins, at most 10,000.
        ax : array-like of Axes, optional
            Axes to draw in, one for each name; by default in a new figure.

        Returns
        -------
        display : ReliabilityDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If an argument is not legal; see `skd.reliability`.
        """
        owner = "ReliabilityDisplay.from_predictions"
        by_name = probabilities if isinstance(probabilities, Mapping) else {"": probabilities}
        check_axes(ax, len(by_name), owner)
        with delegated(owner, "reliability", "ReliabilityDisplay", reliabilities="probabilities"):
            display = cls(
                {
                    name: reliability(table, labels, classes=classes, n_bins=n_bins)
                    for name, table in by_name.items()
                }
            )
        display.plot(ax=ax)
        return display

    @classmethod
    def from_classifier(
        cls,
        classifier: FewShotClassifier,
        images: Any,
        labels: ArrayLike | None = None,
        *,
        n_bins: int = 15,
        ax: Any = None,
    ) -> ReliabilityDisplay:
        """Classify images with a fitted classifier, and draw its reliability diagram.

        Parameters
        ----------
        classifier : FewShotClassifier
            A fitted classifier whose head has `predict_proba`.
        images : array-like, path, or sequence of images or paths
            Images that were not part of the fit; as for `FewShotClassifier.score`.
        labels : array-like of shape (n_images,), optional
            True class of each image, one of the classes of the fit; left out for a folder of class
            folders.
        n_bins : int, default=15
            Number of bins, at most 10,000.
        ax : Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        display : ReliabilityDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If an argument is not legal, or the head has no probabilities.
        NotFittedError
            If the classifier is not fitted.
        """
        owner = "ReliabilityDisplay.from_classifier"
        check_axes(ax, 1, owner)
        check.instance(classifier, "classifier", owner, FewShotClassifier)
        if not hasattr(classifier, "predict_proba"):
            check.refuse("classifier", owner, "one with predict_proba", repr(classifier.head))
        if labels is None:
            images, labels = pictures.classes_of(images, owner)
        with delegated(owner, "FewShotClassifier.predict_proba"):
            table = classifier.predict_proba(images)
        inner = "ReliabilityDisplay.from_predictions"
        with delegated(owner, inner, probabilities="images"):
            return cls.from_predictions(
                {str(classifier.head): table},
                labels,
                classes=classifier.classes_,
                n_bins=n_bins,
                ax=ax,
            )

    def plot(self, ax: Any = None) -> AxesArray:
        """Draw the diagrams.

        Parameters
        ----------
        ax : array-like of Axes, optional
            Axes to draw in, one for each name; by default in a new figure.

        Returns
        -------
        axes : ndarray of shape (n_names,) of Axes
            Axes, one for each name.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If `ax` does not hold one Axes for each name.
        """
        count = len(self.reliabilities)
        size = (WIDTH * count, HEIGHT)
        axes, result = self._panels(ax, count, "ReliabilityDisplay.plot", size)
        for panel, (name, found) in zip(axes, self.reliabilities.items(), strict=True):
            _draw(panel, name, found)
        return result


def _draw(axes: Axes, name: str, found: Reliability) -> None:
    """Draw one diagram."""
    filled = found.counts > 0
    confidence, accuracy = 100 * found.confidence[filled], 100 * found.accuracy[filled]
    shares = found.counts[filled] / found.counts.sum()
    axes.plot([0, 100], [0, 100], color=GAP, linestyle="--", linewidth=1, label="calibrated")
    axes.vlines(confidence, confidence, accuracy, color=GAP, linewidth=1.2)
    areas = SMALLEST_DOT + (LARGEST_DOT - SMALLEST_DOT) * shares
    axes.scatter(confidence, accuracy, s=areas, color=BLUE, zorder=3, label="accuracy of a bin")
    error = f"expected calibration error {100 * found.error:.1f} %"
    axes.set(title=f"{name}\n{error}" if name else error, xlim=(0, 100), ylim=(0, 100))
    axes.set(xlabel="confidence (%)", ylabel="accuracy (%)")
    legend_below(axes, columns=2)
