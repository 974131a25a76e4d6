"""Few-shot episodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._memory import new_array
from skd._refusals.native import refused_as


class Episodes(NamedTuple):
    """A block of episodes.

    Attributes
    ----------
    classes : ndarray of shape (n_episodes, n_way), dtype int64
        Labels of the classes drawn.
    support : ndarray of shape (n_episodes, n_way, n_shot), dtype int64
        Positions of the support images, class by class.
    query : ndarray of shape (n_episodes, n_way, n_query), dtype int64
        Positions of the query images, class by class.
    """

    classes: NDArray[np.int64]
    support: NDArray[np.int64]
    query: NDArray[np.int64]


class EpisodeSampler:
    """Draws episodes; episode `i` depends only on the labels, the options and `i`.

    Parameters
    ----------
    labels : array-like of shape (n_images,), dtype int64
        Class of each image, any integers.
    n_way : int, default=5
        Classes of an episode.
    n_shot : int, default=1
        Support images of each class.
    n_query : int, default=15
        Query images of each class.
    seed : int, default=0
        Seed of the random numbers; not used if `legacy`.
    legacy : bool, default=False
        Draw exactly the episodes of the published code.

    Examples
    --------
    >>> sampler = EpisodeSampler([0, 0, 1, 1], n_way=2, n_shot=1, n_query=1)
    >>> episodes = sampler.sample(0, 3)
    >>> episodes.support.shape
    (3, 2, 1)
    """

    def __init__(
        self,
        labels: ArrayLike,
        *,
        n_way: int = 5,
        n_shot: int = 1,
        n_query: int = 15,
        seed: int = 0,
        legacy: bool = False,
    ) -> None:
        owner = "EpisodeSampler"
        self._labels = check.class_labels(labels, "labels", owner)
        self.n_way = check.integer(n_way, "n_way", owner, minimum=1)
        self.n_shot = check.integer(n_shot, "n_shot", owner, minimum=1)
        self.n_query = check.integer(n_query, "n_query", owner, minimum=1)
        self.seed = check.seed(seed, owner)
        self.legacy = check.boolean(legacy, "legacy", owner)
        require_enough_images(self._labels, self.n_way, self.n_shot, self.n_query, owner)

    def sample(self, first: int, count: int) -> Episodes:
        """Draw episodes ``first`` to ``first + count - 1``.

        Parameters
        ----------
        first : int
            Number of the first episode, >= 0.
        count : int
            Number of episodes.

        Returns
        -------
        episodes : Episodes
            Classes, and positions of the support and query images.
        """
        owner = "EpisodeSampler.sample"
        start = check.integer(first, "first", owner)
        number = check.integer(count, "count", owner)
        shapes = ((), (self.n_shot,), (self.n_query,))
        classes, support, query = (
            new_array((number, self.n_way, *rest), np.int64, owner, "count") for rest in shapes
        )
        with refused_as(owner):
            _native.sample_episodes(
                self._labels,
                self.n_way,
                self.n_shot,
                self.n_query,
                self.seed,
                self.legacy,
                start,
                classes,
                support,
                query,
            )
        return Episodes(classes, support, query)


def require_enough_images(
    labels: NDArray[np.int64],
    n_way: int,
    n_shot: int,
    n_query: int,
    owner: str,
    class_names: Sequence[str] | None = None,
) -> None:
    """Refuse labels with too few classes, or too few images of a class."""
    classes, counts = np.unique(labels, return_counts=True)
    if n_way > len(classes):
        check.refuse("n_way", owner, f"at most the number of classes, {len(classes)}", n_way)
    needed = n_shot + n_query
    too_few = np.flatnonzero(counts < needed)
    if too_few.size:
        worst = too_few[counts[too_few].argmin()]
        name = str(classes[worst]) if class_names is None else repr(class_names[worst])
        source = "labels" if class_names is None else "split"
        legal = f"such that every class of '{source}' has n_shot + n_query = {needed} images"
        got = f"{n_query}, and class {name} has {counts[worst]}"
        others = f" ({too_few.size - 1} more have too few)" if too_few.size > 1 else ""
        check.refuse("n_query", owner, legal, got + others)
