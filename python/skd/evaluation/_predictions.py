"""Predictions of the classifiers that `evaluate` fits, query by query."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd._display.progress_bar import progress_bar
from skd.datasets import Split
from skd.distributed.ranks import ALONE
from skd.evaluation._drawn import draw_episodes
from skd.evaluation._episodes import Episodes
from skd.evaluation._features import FeatureExtractor
from skd.evaluation._heads import EpisodeHead
from skd.evaluation._scores import score_images
from skd.evaluation.protocol import check_classifier, check_evaluation
from skd.models import Model, Normalization


def predict_episodes(
    model: Model,
    split: Split,
    owner: str,
    *,
    first: int = 0,
    n_episodes: Any,
    classifier: Any,
    **options: Any,
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
    classifier : str
        Classifier, as for `evaluate`.
    **options : dict
        Options of `evaluate` that decide the predictions; the features are embeddings, and the
        episodes balanced ones of one extent.

    Returns
    -------
    episodes : Episodes
        The episodes.
    ways : ndarray of shape (n_episodes, n_way, n_query), dtype int64
        Predicted way of each query, a position in ``episodes.classes``.
    """
    head = EpisodeHead.named(check_classifier(classifier, owner), owner)
    protocol, wanted, how = check_evaluation(
        model, split, owner, n_episodes=n_episodes, features="embedding", **options
    )
    if not protocol.options.has_one_extent:
        ranged = "n_way" if protocol.options.ways[0] < protocol.options.ways[1] else "n_shot"
        check.refuse(ranged, owner, "a single number", check.shown(options[ranged]))
    drawn = draw_episodes(split.labels, protocol.options, first, protocol.n_episodes, owner)
    episodes = Episodes(*drawn.shaped())
    ways = np.empty((len(drawn), episodes.query[0].size), dtype=np.int64)
    normalization = model.normalization or Normalization(split.mean, split.std)
    with progress_bar(0, owner, "image", wanted=True) as bar:
        extract = FeatureExtractor(model, wanted.features, split.images, normalization, bar.update)
        score_images(extract, drawn, [head], how, ALONE, bar, owner, first=first, predictions=ways)
    return episodes, ways.reshape(episodes.query.shape)
