"""Picture of an episode: support images, queries and predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd.choices import Augmentation, ClassifierName
from skd.datasets import Split
from skd.evaluation import predict_episodes
from skd.evaluation.protocol import MOST_EPISODES
from skd.models import Model
from skd.plots._figures import GREEN, VERMILION, Display, check_axes
from skd.plots._names import distinct

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL = 0.95  # width of an image with its margin, in inches
ROW = 1.32  # height of a row, an image and its caption, in widths of a cell
GAP = 0.5  # gap between support images and queries
CAPTION = 0.4  # height of a caption of two lines
IMAGE = 0.9  # side of an image, in widths of a cell
LONGEST_CAPTION, LONGEST_NAME = 12, 18  # letters of a line
RIGHT, WRONG = "✓", "✗"


class EpisodeDisplay(Display):
    """The images of an episode, a row for each class: support images, then queries.

    A correctly classified query has a solid green frame and a tick below. Other queries have a
    dashed red frame, a cross, and the name of the predicted class.

    Parameters
    ----------
    support : array-like of shape (n_way, n_shot, side, side, n_channels), dtype uint8
        Support images, class by class.
    query : array-like of shape (n_way, n_query, side, side, n_channels), dtype uint8
        Query images, class by class.
    predicted : array-like of shape (n_way, n_query), dtype int64
        Row of the predicted class for each query, in ``0..n_way - 1``.
    class_names : sequence of str
        Name of the class of each row.
    title : str, default="Episode"
        Beginning of the title, which also gives the extent and the accuracy.

    Attributes
    ----------
    ax_ : Axes
        Axes of the last drawing.
    figure_ : Figure
        The figure of these axes.

    Examples
    --------
    >>> from skd.plots import EpisodeDisplay
    >>> images = np.zeros((2, 1, 8, 8, 3), dtype=np.uint8)
    >>> EpisodeDisplay(images, images, [[0], [0]], ["cat", "dog"]).plot().get_title()
    'Episode: 2-way 1-shot, 1 of 2 queries right'
    """

    def __init__(
        self,
        support: ArrayLike,
        query: ArrayLike,
        predicted: ArrayLike,
        class_names: Sequence[str],
        *,
        title: str = "Episode",
    ) -> None:
        owner = "EpisodeDisplay"
        self.class_names = check.names(class_names, "class_names", owner)
        n_way = len(self.class_names)
        self.support = _images(support, "support", owner, n_way)
        self.query = _images(query, "query", owner, n_way)
        extent = self.query.shape[:2]
        rows = np.asarray(predicted)
        if rows.shape != extent:
            check.refuse("predicted", owner, f"of shape {extent}", f"shape {rows.shape}")
        self.predicted = check.integer_array(rows.ravel(), "predicted", owner).reshape(extent)
        if self.predicted.min() < 0 or self.predicted.max() >= n_way:
            got = f"{self.predicted.min()}..{self.predicted.max()}"
            check.refuse("predicted", owner, f"in 0..{n_way - 1}", got)
        self.title = title

    @classmethod
    def from_model(
        cls,
        model: Model,
        split: Split,
        *,
        episode: int = 0,
        n_way: int = 5,
        n_shot: int = 1,
        n_query: int = 8,
        classifier: ClassifierName = "logistic",
        n_support_copies: int = 5,
        support_augmentation: Augmentation = "crop_flip",
        flip: bool = True,
        seed: int = 0,
        ax: Axes | None = None,
    ) -> EpisodeDisplay:
        """Predict the queries of an episode as `skd.evaluate` does, and draw them.

        Parameters
        ----------
        model : Model
            Model to evaluate. Images are normalised as it requires; if it has no normalisation,
            with that of `split`.
        split : Split
            Images of novel classes.
        episode : int, default=0
            Number of the episode among those that `skd.evaluate` draws with these options.
        n_way, n_shot, n_query, classifier, n_support_copies, support_augmentation, flip, seed
            Options as for `skd.evaluate`, but by default 8 queries of each class.
        ax : Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        display : EpisodeDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If an argument is not legal; see `skd.evaluate`.
        """
        owner = "EpisodeDisplay.from_model"
        check_axes(ax, 1, owner)
        number = check.integer(episode, "episode", owner, maximum=MOST_EPISODES - 1)
        ((classes,), (support,), (query,)), (ways,) = predict_episodes(
            model,
            split,
            owner,
            first=number,
            n_episodes=1,
            n_way=n_way,
            n_shot=n_shot,
            n_query=n_query,
            classifier=classifier,
            n_support_copies=n_support_copies,
            support_augmentation=support_augmentation,
            flip=flip,
            seed=seed,
        )
        display = cls(
            split.images[support],
            split.images[query],
            ways,
            [split.class_names[label] for label in classes],
            title=f"Episode {number}",
        )
        display.plot(ax=ax)
        return display

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the images; given axes should be wide enough for the captions.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw in; by default in a new figure.

        Returns
        -------
        axes : Axes
            Axes, in units of the width of an image.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If `ax` is not an Axes.
        """
        (n_way, n_shot), n_query = self.support.shape[:2], self.query.shape[1]
        width, height = n_shot + GAP + n_query, ROW * (n_way - 1) + IMAGE + CAPTION
        size = (CELL * width + 1.8, CELL * height + 0.8)
        (axes,) = self._axes(ax, 1, "EpisodeDisplay.plot", size)
        captions = distinct(self.class_names, LONGEST_CAPTION - 2)
        for row in range(n_way):
            for column, image in enumerate(self.support[row]):
                self._draw(axes, image, column, row)
            for column, image in enumerate(self.query[row]):
                place, given = n_shot + GAP + column, self.predicted[row, column]
                self._draw(axes, image, place, row)
                self._mark(axes, place, row, None if given == row else captions[given])
        right = int((self.predicted == np.arange(n_way)[:, None]).sum())
        extent = f"{n_way}-way {n_shot}-shot, {right} of {n_way * n_query} queries right"
        axes.set_title(f"{self.title}: {extent}", pad=10)
        places = [ROW * row + IMAGE / 2 for row in range(n_way)]
        axes.set_yticks(places, distinct(self.class_names, LONGEST_NAME))
        centres = [(n_shot - 1 + IMAGE) / 2, n_shot + GAP + (n_query - 1 + IMAGE) / 2]
        axes.set_xticks(centres, ["support", "queries, with predictions"])
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlim=(-0.1, width), ylim=(height, -0.1), aspect="equal")
        return axes

    def _draw(self, axes: Axes, image: NDArray[np.uint8], column: float, row: int) -> None:
        top = ROW * row
        extent = (column, column + IMAGE, top + IMAGE, top)
        axes.imshow(_shown(image), extent=extent, interpolation="nearest", **GREY)

    def _mark(self, axes: Axes, column: float, row: int, wrong: str | None) -> None:
        """Frame a query, and note below whether it is right, or the predicted class."""
        from matplotlib.patches import Rectangle

        colour = GREEN if wrong is None else VERMILION
        frame = Rectangle(
            (column, ROW * row),
            IMAGE,
            IMAGE,
            fill=False,
            edgecolor=colour,
            linewidth=2.5,
            linestyle="-" if wrong is None else (0, (2, 1)),
            clip_on=False,
        )
        axes.add_patch(frame)
        caption = RIGHT if wrong is None else f"{WRONG} {wrong}"
        axes.text(
            column + IMAGE / 2, ROW * row + IMAGE + 0.06, caption, ha="center", va="top", fontsize=8
        )


GREY: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255}  # images with one channel


def _shown(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image in matplotlib's form: grey, RGB or RGBA."""
    channels = image.shape[2]
    if channels == 1:
        return image[:, :, 0]
    return image[:, :, [0, 0, 0, 1]] if channels == 2 else image


def _images(value: ArrayLike, name: str, owner: str, n_way: int) -> NDArray[np.uint8]:
    """Return images of each class: uint8, five-dimensional, non-empty."""
    images = check.byte_array(value, name, owner, ndim=5)
    if len(images) != n_way or not images.size or not 1 <= images.shape[4] <= 4:
        shape = f"({n_way}, n, side, side, n_channels)"
        legal = f"of shape {shape} with 1 to 4 channels, for these 'class_names'"
        check.refuse(name, owner, legal, f"shape {images.shape}")
    return images
