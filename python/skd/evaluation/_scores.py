"""Scores of episodes, computed in blocks of bounded memory and split over the ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd.choices import OpenSetScore
from skd.classifiers.open_set import SCORES
from skd.distributed.ranks import ALONE, Ranks
from skd.evaluation._drawn import DrawnEpisodes, EpisodeGroup
from skd.evaluation._features import FeatureExtractor, SupportAugmentation
from skd.evaluation._heads import EpisodeHead

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]
SupportFeatures = Callable[[EpisodeGroup, slice], FloatArray]

# Number of episodes whose support features are in memory at once; fewer if they are large. It is a
# power of two, so that the batches of a block are full unless its episodes are few and large.
MOST_EPISODES_AT_ONCE = 1024
SUPPORT_BYTES = 1 << 26


class Scores(NamedTuple):
    """Scores of all episodes, in percent.

    Attributes
    ----------
    accuracies : ndarray of shape (n_heads, n_episodes), dtype float64
        Accuracy of each head.
    open_set : dict of str to ndarray of shape (2, n_episodes), dtype float64
        AUROC and FPR95 of each score; empty without unknown classes.
    """

    accuracies: DoubleArray
    open_set: dict[OpenSetScore, DoubleArray]


def score_images(
    extract: FeatureExtractor,
    episodes: DrawnEpisodes,
    heads: Sequence[EpisodeHead],
    how: SupportAugmentation,
    ranks: Ranks,
    bar: Any,
    owner: str,
    *,
    first: int = 0,
    predictions: NDArray[np.int64] | None = None,
) -> Scores:
    """Score heads on episodes of images; each rank computes a part of all.

    Parameters
    ----------
    extract : FeatureExtractor
        Features of the images of the episodes.
    episodes : DrawnEpisodes
        The episodes.
    heads : sequence of EpisodeHead
        The heads.
    how : SupportAugmentation
        Augmentation of the support images.
    ranks : Ranks
        Processes that share the work.
    bar : tqdm.tqdm
        Progress in images.
    owner : str
        Name of the function in errors.
    first : int, default=0
        Number of the first episode, on which its augmentation depends.
    predictions : ndarray of shape (n_episodes, n_queries), optional
        Filled with the predicted way of each query; for one head, one extent and one process only.
    """
    needed = episodes.query
    if not how.augments:
        needed = np.concatenate([episodes.query, episodes.support])
    positions, rows = np.unique(needed, return_inverse=True)
    own_images = ranks.slice_of(len(positions))
    copies = how.copies if how.augments else 0
    own_support = sum(
        group.support[ranks.slice_of(len(group.support))].size for group in episodes.groups()
    )
    bar.reset(own_images.stop - own_images.start + copies * own_support)
    image_features = ranks.gathered(extract.plain(positions[own_images]), len(positions))
    # Rows of the features, in place of positions in the split.
    n_queries = len(episodes.query)
    located = replace(episodes, query=rows[:n_queries])
    if not how.augments:
        located = replace(located, support=rows[n_queries:])

    def support_features(group: EpisodeGroup, block: slice) -> FloatArray:
        if how.augments:
            return extract.augmented(first + group.numbers[block], group.support[block], how)
        return rows_of(image_features, group, block)

    return score(
        image_features, located, heads, support_features, how.copies, owner, ranks, predictions
    )


def rows_of(features: FloatArray, group: EpisodeGroup, block: slice) -> FloatArray:
    """Return the features of the support images of a block of episodes."""
    own = group.support[block]
    rows: FloatArray = features[own.reshape(len(own), -1)]
    return rows


def score(
    features: FloatArray,
    episodes: DrawnEpisodes,
    heads: Sequence[EpisodeHead],
    support_features: SupportFeatures,
    copies: int,
    owner: str,
    ranks: Ranks = ALONE,
    predictions: NDArray[np.int64] | None = None,
) -> Scores:
    """Score heads on episodes, whose positions are rows of `features`, group after group.

    `support_features` computes the support features of a block of a group; `predictions` is filled
    with the predicted way of each query, if it is given.
    """
    kinds: list[OpenSetScore] = list(SCORES) if episodes.unknown else []
    columns = np.empty((len(episodes), len(heads) + 2 * len(kinds)), dtype=np.float64)
    for group in episodes.groups():
        own = ranks.slice_of(len(group.numbers))
        part = _score_group(
            features, group, heads, kinds, support_features, copies, own, owner, predictions
        )
        columns[group.numbers] = ranks.gathered(part, len(group.numbers))
    rest = columns[:, len(heads) :].T.reshape(len(kinds), 2, len(episodes))
    return Scores(
        np.ascontiguousarray(columns[:, : len(heads)].T),
        {kind: np.ascontiguousarray(both) for kind, both in zip(kinds, rest, strict=True)},
    )


def _score_group(
    features: FloatArray,
    group: EpisodeGroup,
    heads: Sequence[EpisodeHead],
    kinds: Sequence[OpenSetScore],
    support_features: SupportFeatures,
    copies: int,
    chosen: slice,
    owner: str,
    predictions: NDArray[np.int64] | None,
) -> DoubleArray:
    """Return the scores of the chosen episodes of a group, a row for each, block after block."""
    labels = np.tile(np.repeat(np.arange(group.n_way, dtype=np.int64), group.n_shot), copies)
    first, end = chosen.start, chosen.stop
    columns = np.empty((len(heads) + 2 * len(kinds), end - first), dtype=np.float64)
    size = MOST_EPISODES_AT_ONCE
    while size > 1 and size * labels.size * features[0].nbytes > SUPPORT_BYTES:
        size //= 2
    for start in range(first, end, size):
        block = slice(start, min(start + size, end))
        output = columns[:, block.start - first : block.stop - first]
        support = support_features(group, block)
        query, ways = (np.ascontiguousarray(a[block]) for a in (group.query, group.query_ways))
        for head, accuracies in zip(heads, output, strict=False):
            if head.options is None:
                _score_by_estimator(
                    head, support, labels, features, query, ways, group.n_way, accuracies, owner
                )
                continue
            _native.score_episodes(
                support,
                labels,
                features,
                query,
                ways,
                group.n_way,
                head.options,
                None if predictions is None else predictions[block],
                accuracies,
            )
        for place, kind in enumerate(kinds):
            aurocs, fpr95s = output[len(heads) + 2 * place :][:2]
            _native.open_set_episodes(
                support, labels, features, query, ways, group.n_way, SCORES[kind], aurocs, fpr95s
            )
    # From the exact number of hits, because 0.07 * 100 is not 7 in floating point.
    n_known = int((group.query_ways[0] < group.n_way).sum())
    columns[: len(heads)] = 100 * np.rint(columns[: len(heads)] * n_known) / n_known
    columns[len(heads) :] *= 100
    return np.ascontiguousarray(columns.T)


def _score_by_estimator(
    head: EpisodeHead,
    support: FloatArray,
    labels: NDArray[np.int64],
    features: FloatArray,
    query: NDArray[np.int64],
    ways: NDArray[np.int64],
    n_way: int,
    accuracies: DoubleArray,
    owner: str,
) -> None:
    """Fill the accuracies of a block with those of an object, episode by episode."""
    for episode in range(len(query)):
        predicted = head.predict(support[episode], labels, features[query[episode]], owner)
        known = ways[episode] < n_way
        hits = int(np.count_nonzero(predicted[known] == ways[episode][known]))
        accuracies[episode] = hits / int(known.sum())
