"""Predictions of the classifiers that `evaluate` fits, query by query."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd._display.progress_bar import progress_bar
from skd.datasets import Split
from skd.distributed.ranks import ALONE
from skd.evaluation._episodes import Episodes, EpisodeSampler
from skd.evaluation._features import FeatureExtractor
from skd.evaluation._scores import episode_accuracies
from skd.evaluation.protocol import check_evaluation
from skd.models import Model, Normalization


def predict_episodes(
    model: Model, split: Split, owner: str, *, first: int = 0, n_episodes: Any, **options: Any
) -> tuple[Episodes, NDArray[np.int64]]:
    """Draw episodes as `evaluate` does, and predict their queries.

    Parameters
    ----------
    model : Model
        Model to evaluate. Images are normalised as it requires; if it has no normalisation, with
        that of `split`.
    split : Split
        Images of novel classes.
    owner : str
        Name of the function in errors.
    first : int, default=0
        Number of the first episode.
    n_episodes : int
        Number of episodes.
    **options : dict
        Options of `evaluate` that decide the predictions; the features are embeddings.

    Returns
    -------
    episodes : Episodes
        The episodes.
    ways : ndarray of shape (n_episodes, n_way, n_query), dtype int64
        Predicted way of each query, a position in ``episodes.classes``.
    """
    protocol, wanted, how = check_evaluation(
        model,
        split,
        owner,
        n_episodes=n_episodes,
        features="embedding",
        legacy_episodes=False,
        **options,
    )
    sampler = EpisodeSampler(
        split.labels, **protocol.extent, seed=protocol.seed, legacy=protocol.legacy
    )
    episodes = sampler.sample(first, protocol.n_episodes)
    ways = np.empty(episodes.query.shape, dtype=np.int64)
    normalization = model.normalization or Normalization(split.mean, split.std)
    with progress_bar(0, owner, "image", wanted=True) as bar:
        extract = FeatureExtractor(model, wanted.features, split.images, normalization, bar.update)
        episode_accuracies(
            extract,
            episodes,
            protocol.classifier,
            how,
            ALONE,
            bar,
            first=first,
            predictions=ways,
        )
    return episodes, ways
