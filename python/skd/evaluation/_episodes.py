"""Few-shot episodes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd.choices import QueryDistribution
from skd.evaluation._drawn import draw_episodes
from skd.evaluation.episode_options import EpisodeOptions


class Episode(NamedTuple):
    """One episode.

    Attributes
    ----------
    classes : ndarray of shape (n_way + open_set,), dtype int64
        Labels of the classes drawn, the unknown ones last.
    support : ndarray of shape (n_way, n_shot), dtype int64
        Positions of the support images, class by class.
    query : ndarray of shape (n_queries,), dtype int64
        Positions of the query images, class by class.
    query_ways : ndarray of shape (n_queries,), dtype int64
        Class of each query, as a position in `classes`; those from `n_way` on are unknown.
    """

    classes: NDArray[np.int64]
    support: NDArray[np.int64]
    query: NDArray[np.int64]
    query_ways: NDArray[np.int64]


class Episodes(NamedTuple):
    """A block of balanced episodes of one extent.

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
    n_way : int or pair of int, default=5
        Classes of an episode. With a pair, each episode draws its number from the smallest to the
        largest, both included.
    n_shot : int or pair of int, default=1
        Support images of each class, or their range.
    n_query : int, default=15
        Query images of each class; with "dirichlet", their mean.
    query_distribution : {"uniform", "dirichlet"}, default="uniform"
        Distribution of the ``n_way * n_query`` queries over the classes: equal numbers, or the
        proportions of a symmetric Dirichlet distribution [1]_, which each episode draws.
    query_concentration : float, default=2.0
        Parameter of the Dirichlet distribution, in 0.001..1e6; the smaller, the less balanced.
    open_set : int, optional
        Number of further classes in each episode that have `n_query` queries and no support.
    seed : int, default=0
        Seed of the random numbers; not used if `legacy`.
    legacy : bool, default=False
        Draw exactly the episodes of the published code.

    Raises
    ------
    ValueError
        If an option is not legal, or there are too few classes or images. A class needs
        ``n_shot + n_query`` images; with "dirichlet" ``n_shot + n_way * n_query``, because one
        class may get all queries.
    TypeError
        If an argument has another type than documented.

    References
    ----------
    .. [1] O. Veilleux, M. Boudiaf, P. Piantanida and I. Ben Ayed, "Realistic Evaluation of
       Transductive Few-Shot Learning", arXiv:2204.11181, 2021.

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
        n_way: int | tuple[int, int] = 5,
        n_shot: int | tuple[int, int] = 1,
        n_query: int = 15,
        query_distribution: QueryDistribution = "uniform",
        query_concentration: float = 2.0,
        open_set: int | None = None,
        seed: int = 0,
        legacy: bool = False,
    ) -> None:
        owner = "EpisodeSampler"
        self._labels = check.class_labels(labels, "labels", owner)
        self._options = EpisodeOptions.checked(
            owner,
            n_way=n_way,
            n_shot=n_shot,
            n_query=n_query,
            query_distribution=query_distribution,
            query_concentration=query_concentration,
            open_set=open_set,
            seed=seed,
            legacy=legacy,
            minimum_way=1,
            legacy_name="legacy",
        )
        self._options.require_enough(self._labels, owner)

    def sample(self, first: int, count: int) -> Episodes:
        """Draw episodes ``first`` to ``first + count - 1``, which must be balanced.

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

        Raises
        ------
        ValueError
            If the episodes differ in extent, in the numbers of queries of their classes, or have
            unknown classes; `episode` draws those.
        """
        owner = "EpisodeSampler.sample"
        start = check.integer(first, "first", owner)
        number = check.integer(count, "count", owner)
        options = self._options
        if not options.is_balanced:
            legal = "a sampler of balanced episodes of one extent; call `episode` for others"
            check.refuse("self", owner, legal, str(options.described()))
        drawn = draw_episodes(self._labels, options, start, number, owner)
        outer = number, options.ways[0]
        return Episodes(
            drawn.classes.reshape(outer),
            drawn.support.reshape(*outer, options.shots[0]),
            drawn.query.reshape(*outer, options.n_query),
        )

    def episode(self, number: int) -> Episode:
        """Draw one episode.

        Parameters
        ----------
        number : int
            Number of the episode, >= 0.

        Returns
        -------
        episode : Episode
            Classes, positions of the support and query images, and the class of each query.

        Examples
        --------
        >>> labels = np.repeat(np.arange(10), 40)
        >>> sampler = EpisodeSampler(labels, n_way=(2, 5), n_query=6, open_set=2)
        >>> episode = sampler.episode(3)
        >>> len(episode.query) == 6 * len(episode.classes)
        True
        """
        owner = "EpisodeSampler.episode"
        position = check.integer(number, "number", owner)
        drawn = draw_episodes(self._labels, self._options, position, 1, owner, first_name="number")
        return Episode(
            drawn.classes,
            drawn.support.reshape(int(drawn.n_way[0]), -1),
            drawn.query,
            np.repeat(np.arange(len(drawn.classes)), drawn.query_counts),
        )
