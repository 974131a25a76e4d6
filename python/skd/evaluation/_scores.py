"""Accuracies of episodes, computed in blocks of bounded memory and split over the ranks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd.choices import ClassifierName
from skd.classifiers.kinds import options_of
from skd.distributed.ranks import Ranks
from skd.evaluation._episodes import Episodes
from skd.evaluation._features import FeatureExtractor, SupportAugmentation

FloatArray = NDArray[np.float32]

# Number of episodes whose support features are in memory at once; fewer if they are large. It is a
# power of two, so that the batches of a block are full unless its episodes are few and large.
MOST_EPISODES_AT_ONCE = 1024
SUPPORT_BYTES = 1 << 26


def episode_accuracies(
    extract: FeatureExtractor,
    episodes: Episodes,
    classifier: ClassifierName,
    how: SupportAugmentation,
    ranks: Ranks,
    bar: Any,
    *,
    first: int = 0,
    predictions: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Return the accuracies of episodes in percent; each rank computes a part of all.

    Parameters
    ----------
    extract : FeatureExtractor
        Features of the images of the episodes.
    episodes : Episodes
        The episodes.
    classifier : str
        Name of the classifier.
    how : SupportAugmentation
        Augmentation of the support images.
    ranks : Ranks
        Processes that share the work.
    bar : tqdm.tqdm
        Progress in images.
    first : int, default=0
        Number of the first episode, on which its augmentation depends.
    predictions : ndarray of shape (n_episodes, n_way, n_query), optional
        Filled with the predicted way of each query; in a single process only.
    """
    _, support, query = episodes
    needed = query if how.augments else np.concatenate([support, query], axis=2)
    positions, rows = np.unique(needed.ravel(), return_inverse=True)
    rows = rows.reshape(needed.shape)  # rows of the features, in place of positions in the split
    own_images, own_episodes = ranks.slice_of(len(positions)), ranks.slice_of(len(query))
    copies = how.copies if how.augments else 0
    bar.reset(own_images.stop - own_images.start + copies * support[own_episodes].size)
    image_features = ranks.gathered(extract.plain(positions[own_images]), len(positions))

    def support_features(block: slice) -> FloatArray:
        if how.augments:
            return extract.augmented(first + block.start, support[block], how)
        own = rows[block, :, : support.shape[2]]
        gathered: FloatArray = image_features[own.reshape(len(own), -1)]
        return gathered

    accuracies = score(
        classifier,
        image_features,
        np.ascontiguousarray(rows[:, :, -query.shape[2] :]),
        support_features,
        support.shape[2],
        how.copies,
        own_episodes,
        predictions,
    )
    return ranks.gathered(accuracies, len(query))


def score(
    classifier: ClassifierName,
    features: FloatArray,
    query: NDArray[np.int64],
    support_features: Callable[[slice], FloatArray],
    n_shot: int,
    copies: int,
    chosen: slice,
    predictions: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Return the accuracies of the chosen episodes in percent, block after block.

    `query` holds rows of `features`; `support_features` computes those of a block of episodes;
    `predictions` is filled with the predicted way of each query, if it is given.
    """
    options = options_of(classifier, "evaluate")
    n_way = query.shape[1]
    support_labels = np.tile(np.repeat(np.arange(n_way, dtype=np.int64), n_shot), copies)
    first, end = chosen.start, chosen.stop
    accuracies = np.empty(end - first, dtype=np.float64)
    size = MOST_EPISODES_AT_ONCE
    while size > 1 and size * support_labels.size * features[0].nbytes > SUPPORT_BYTES:
        size //= 2
    for start in range(first, end, size):
        block = slice(start, min(start + size, end))
        _native.score_episodes(
            support_features(block),
            support_labels,
            features,
            query[block],
            options,
            None if predictions is None else predictions[block],
            accuracies[block.start - first : block.stop - first],
        )
    # From the exact number of hits, because 0.07 * 100 is not 7 in floating point.
    n_queries = n_way * query.shape[2]
    percent: NDArray[np.float64] = 100 * np.rint(accuracies * n_queries) / n_queries
    return percent
