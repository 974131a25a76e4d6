"""Drawn episodes, which may differ in extent: one after the other in flat arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd._memory import new_array
from skd._refusals.native import refused_as
from skd.evaluation.episode_options import EpisodeOptions

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class EpisodeGroup:
    """Episodes of one extent.

    Attributes
    ----------
    numbers : ndarray of shape (n_episodes,), dtype int64
        Positions of the episodes among all that were drawn.
    support : ndarray of shape (n_episodes, n_way, n_shot), dtype int64
        Positions of the support images, class by class.
    query : ndarray of shape (n_episodes, n_queries), dtype int64
        Positions of the query images.
    query_ways : ndarray of shape (n_episodes, n_queries), dtype int64
        Way of each query in ``0..n_way``, where `n_way` is any unknown class.
    """

    numbers: IntArray
    support: IntArray
    query: IntArray
    query_ways: IntArray

    @property
    def n_way(self) -> int:
        """Number of classes with support images."""
        return int(self.support.shape[1])

    @property
    def n_shot(self) -> int:
        """Number of support images of each class."""
        return int(self.support.shape[2])


@dataclass(frozen=True)
class DrawnEpisodes:
    """Episodes in flat arrays.

    Attributes
    ----------
    n_way, n_shot : ndarray of shape (n_episodes,), dtype int64
        Extent of each episode.
    classes : ndarray of shape (sum(n_way + unknown),), dtype int64
        Labels of the classes, the unknown ones of an episode last.
    support : ndarray of shape (sum(n_way * n_shot),), dtype int64
        Positions of the support images, class by class.
    query : ndarray of shape (sum(query_counts),), dtype int64
        Positions of the query images, class by class.
    query_counts : ndarray of shape (sum(n_way + unknown),), dtype int64
        Number of queries of each class.
    unknown : int
        Number of classes without support images in each episode.
    """

    n_way: IntArray
    n_shot: IntArray
    classes: IntArray
    support: IntArray
    query: IntArray
    query_counts: IntArray
    unknown: int

    @classmethod
    def balanced(cls, classes: IntArray, support: IntArray, query: IntArray) -> DrawnEpisodes:
        """Return balanced episodes of one extent, given with an axis for each extent."""
        count, n_way, n_shot = support.shape
        return cls(
            np.full(count, n_way, dtype=np.int64),
            np.full(count, n_shot, dtype=np.int64),
            classes.ravel(),
            support.ravel(),
            query.ravel(),
            np.full(classes.size, query.shape[2], dtype=np.int64),
            unknown=0,
        )

    def __len__(self) -> int:
        """Return the number of episodes."""
        return len(self.n_way)

    @property
    def flat(self) -> dict[str, IntArray]:
        """The arrays by name."""
        return {name: array for name, array in vars(self).items() if name != "unknown"}

    @property
    def is_balanced(self) -> bool:
        """Whether all episodes have one extent, and all of their classes as many queries."""
        arrays = (self.n_way, self.n_shot, self.query_counts)
        return not self.unknown and all((array == array[0]).all() for array in arrays)

    def shaped(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return classes, support and query of balanced episodes, an axis for each extent."""
        outer = len(self), int(self.n_way[0])
        return (
            self.classes.reshape(outer),
            self.support.reshape(*outer, -1),
            self.query.reshape(*outer, -1),
        )

    def identity(self) -> tuple[IntArray, ...]:
        """Return the arrays whose hash identifies the episodes."""
        if self.is_balanced:
            return self.classes, self.support, self.query
        return (*self.flat.values(), np.array([self.unknown], dtype=np.int64))

    def first(self, count: int) -> DrawnEpisodes:
        """Return the first `count` episodes."""
        n_way, n_shot = self.n_way[:count], self.n_shot[:count]
        n_classes = int((n_way + self.unknown).sum())
        counts = self.query_counts[:n_classes]
        return DrawnEpisodes(
            n_way,
            n_shot,
            self.classes[:n_classes],
            self.support[: int((n_way * n_shot).sum())],
            self.query[: int(counts.sum())],
            counts,
            self.unknown,
        )

    def groups(self) -> Iterator[EpisodeGroup]:
        """Yield the episodes of each extent, by n_way and then by n_shot."""
        class_starts = _starts(self.n_way + self.unknown)
        support_starts = _starts(self.n_way * self.n_shot)
        query_starts = _starts(np.add.reduceat(self.query_counts, class_starts))
        extents = np.unique(np.stack([self.n_way, self.n_shot], axis=1), axis=0)
        for n_way, n_shot in extents.tolist():
            numbers = np.flatnonzero((self.n_way == n_way) & (self.n_shot == n_shot))
            counts = _rows(self.query_counts, class_starts[numbers], n_way + self.unknown)
            ways = np.minimum(np.arange(n_way + self.unknown), n_way)
            support = _rows(self.support, support_starts[numbers], n_way * n_shot)
            yield EpisodeGroup(
                numbers,
                support.reshape(-1, n_way, n_shot),
                _rows(self.query, query_starts[numbers], int(counts[0].sum())),
                np.repeat(np.tile(ways, len(numbers)), counts.ravel()).reshape(len(numbers), -1),
            )


def draw_episodes(
    labels: IntArray,
    options: EpisodeOptions,
    first: int,
    count: int,
    owner: str,
    *,
    first_name: str = "first",
) -> DrawnEpisodes:
    """Draw episodes ``first`` to ``first + count - 1``; the labels must be enough for them.

    `first_name` is the name that the caller has for `first`.
    """
    n_way, n_shot = (new_array((count,), np.int64, owner, "count") for _ in range(2))
    with refused_as(owner, first=first_name):
        _native.episode_extents(options.native, first, n_way, n_shot)
    n_classes = int((n_way + options.unknown).sum())
    sizes = n_classes, int((n_way * n_shot).sum()), n_classes * options.n_query, n_classes
    classes, support, query, query_counts = (
        new_array((size,), np.int64, owner, "count") for size in sizes
    )
    with refused_as(owner, first=first_name):
        _native.sample_episodes(
            labels, options.native, first, count, classes, support, query, query_counts
        )
    return DrawnEpisodes(n_way, n_shot, classes, support, query, query_counts, options.unknown)


def _starts(sizes: IntArray) -> IntArray:
    """Return where each of consecutive pieces begins."""
    return np.cumsum(sizes) - sizes


def _rows(flat: IntArray, starts: IntArray, length: int) -> IntArray:
    """Return pieces of equal length, without a copy if they are the whole array."""
    if len(flat) == len(starts) * length:
        return flat.reshape(len(starts), length)
    rows: IntArray = flat[starts[:, None] + np.arange(length)]
    return rows
