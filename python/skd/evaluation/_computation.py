"""What `evaluate` and its relatives compute: the reports of heads on the same episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd._display.progress_bar import progress_bar
from skd._files.hashes import state_sha256
from skd._version import __version__
from skd.classifiers import l2_normalize
from skd.classifiers.kinds import INVERSE_REGULARIZATION
from skd.datasets import Split
from skd.distributed.mpi_ranks import ranks_of
from skd.evaluation._drawn import EpisodeGroup
from skd.evaluation._episode_files import EpisodeSet, find_episodes
from skd.evaluation._features import FeatureExtractor
from skd.evaluation._heads import EpisodeHead
from skd.evaluation._report import EvaluationResult
from skd.evaluation._scores import Scores, rows_of, score, score_images
from skd.evaluation._summaries import mean_ci95, open_set_result
from skd.evaluation._two_sets import drawn_from_both, require_same_model
from skd.evaluation.feature_sets import given_query, given_set
from skd.evaluation.protocol import EpisodeProtocol, check_evaluation
from skd.machine import instruction_set
from skd.models import Model, Normalization

FindHeads = Callable[[], Sequence[EpisodeHead]]


def evaluate_model(
    model: Model,
    split: Split,
    find_heads: FindHeads,
    owner: str,
    *,
    progress: Any,
    communicator: Any,
    **options: Any,
) -> list[EvaluationResult]:
    """Return the result of each head on episodes of images; see `evaluate` for the options.

    `find_heads` checks and returns the heads.
    """
    ranks = ranks_of(communicator, owner)
    with ranks.abort_on_local_error(), ranks.raise_on_all_ranks():
        heads = find_heads()
        protocol, wanted, how = check_evaluation(model, split, owner, **options)
        shows = check.boolean(progress, "progress", owner)
        # The last check, because it may write a file.
        found = (
            find_episodes(split.labels, protocol, owner, split.class_names)
            if ranks.is_first
            else None
        )
    episodes = ranks.broadcast(found)
    assert episodes is not None
    # The model must not change from its hash to the last feature. With several ranks the lock could
    # deadlock, because they wait for each other.
    with model._native.locked() if ranks.size == 1 else nullcontext():
        normalization = model.normalization or Normalization(split.mean, split.std)
        described = {
            "features": wanted.features,
            "n_support_copies": how.copies,
            "support_augmentation": wanted.support_augmentation,
            "support_padding": how.padding if how.augments else 0,
            "flip": wanted.flip,
            "normalization": {"mean": list(normalization.mean), "std": list(normalization.std)},
        }
        provenance = _provenance(
            episodes,
            model={**model.config, "sha256": state_sha256(model.snapshot())},
            data={
                **protocol.names,
                "sha256": split.sha256,
                "n_images": len(split),
                "num_classes": split.num_classes,
                "image_shape": list(split.images.shape[1:]),
            },
        )
        with ranks.abort_on_local_error():
            reports = [{**_options(episodes, protocol, head), **described} for head in heads]
            labels = ", ".join(head.label for head in heads)
            ranks.require_equal({**reports[0], "classifier": labels, **provenance}, owner)
            with progress_bar(0, owner, "image", wanted=shows and ranks.is_first) as bar:
                extract = FeatureExtractor(
                    model, wanted.features, split.images, normalization, bar.update
                )
                scores = score_images(extract, episodes.episodes, heads, how, ranks, bar, owner)
    return _results(episodes, scores, reports, provenance)


def evaluate_matrix(
    features: Any,
    labels: Any,
    query: Any,
    find_heads: FindHeads,
    owner: str,
    *,
    progress: Any,
    **options: Any,
) -> list[EvaluationResult]:
    """Return the result of each head on episodes of features; see `evaluate_features`.

    `find_heads` checks and returns the heads.
    """
    heads = find_heads()
    given = given_set(features, labels, owner)
    shows = check.boolean(progress, "progress", owner)
    protocol = EpisodeProtocol.checked(owner, **options)
    inputs = {"data": given._described(protocol.names)}
    if query is None:
        matrix, episodes = given.features, find_episodes(given.labels, protocol, owner)
    else:
        asked = given_query(query, owner)
        require_same_model(given, asked, owner)
        matrix, episodes = drawn_from_both(given, asked, protocol, owner)
        inputs["query"] = asked._described()
    rows = l2_normalize(matrix)
    with progress_bar(len(episodes), owner, "episode", wanted=shows) as bar:

        def support_features(group: EpisodeGroup, block: slice) -> NDArray[np.float32]:
            bar.update(block.stop - block.start)
            return rows_of(rows, group, block)

        scores = score(rows, episodes.episodes, heads, support_features, 1, owner)
    reports = [{**_options(episodes, protocol, head), **given._network_options()} for head in heads]
    return _results(episodes, scores, reports, _provenance(episodes, model=given.model, **inputs))


def _results(
    episodes: EpisodeSet,
    scores: Scores,
    reports: Sequence[Mapping[str, Any]],
    provenance: Mapping[str, Any],
) -> list[EvaluationResult]:
    """Return the result of each head."""
    drawn = episodes.episodes
    extents = {
        name: sizes
        for name, sizes in (("n_way", drawn.n_way), ("n_shot", drawn.n_shot))
        if isinstance(reports[0][name], list)
    }
    open_set = {str(kind): open_set_result(*both) for kind, both in scores.open_set.items()}
    return [
        EvaluationResult(*mean_ci95(accuracies), accuracies, options, provenance, extents, open_set)
        for accuracies, options in zip(scores.accuracies, reports, strict=True)
    ]


def _options(episodes: EpisodeSet, protocol: EpisodeProtocol, head: EpisodeHead) -> dict[str, Any]:
    """Return the options that define the episodes and the classifier."""
    parameters = {} if head.parameters is None else {"head_parameters": dict(head.parameters)}
    return {
        **protocol.options.described(),
        "n_episodes": len(episodes),
        "classifier": head.label,
        "inverse_regularization": INVERSE_REGULARIZATION if head.is_named else None,
        **parameters,
        "seed": protocol.options.seed,
        "legacy_episodes": protocol.options.legacy,
    }


def _provenance(
    episodes: EpisodeSet, *, model: dict[str, Any] | None, **inputs: dict[str, Any]
) -> dict[str, Any]:
    """Return the library and the inputs that the numbers were computed with."""
    return {
        "skd_version": __version__,
        "instruction_set": instruction_set(),
        "model": model,
        **inputs,
        "episodes": episodes.provenance(),
    }
