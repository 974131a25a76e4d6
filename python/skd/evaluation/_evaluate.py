"""Few-shot evaluation: accuracy of a small classifier over many episodes."""

from __future__ import annotations

from contextlib import nullcontext
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd._display.progress_bar import progress_bar
from skd._files.hashes import state_sha256
from skd._version import __version__
from skd.choices import Augmentation, ClassifierName, Features
from skd.classifiers import l2_normalize
from skd.classifiers.kinds import INVERSE_REGULARIZATION
from skd.datasets import Split
from skd.distributed.mpi_ranks import ranks_of
from skd.evaluation._episode_files import EpisodeSet, find_episodes
from skd.evaluation._features import FeatureExtractor
from skd.evaluation._report import EvaluationResult, mean_ci95
from skd.evaluation._scores import episode_accuracies, score
from skd.evaluation._two_sets import drawn_from_both, require_same_model
from skd.evaluation.feature_sets import FeatureSet, given_query, given_set
from skd.evaluation.protocol import EpisodeProtocol, check_evaluation
from skd.machine import instruction_set
from skd.models import Model, Normalization

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm


FloatArray = NDArray[np.float32]


def evaluate(
    model: Model,
    split: Split,
    *,
    n_way: int = 5,
    n_shot: int = 1,
    n_query: int = 15,
    n_episodes: int = 600,
    classifier: ClassifierName = "logistic",
    features: Features = "embedding",
    n_support_copies: int = 5,
    support_augmentation: Augmentation = "crop_flip",
    flip: bool = True,
    seed: int = 0,
    legacy_episodes: bool = False,
    episodes_file: str | PathLike[str] | None = None,
    data_name: str | None = None,
    split_name: str | None = None,
    progress: bool = True,
    communicator: Intracomm | None = None,
) -> EvaluationResult:
    """Evaluate a model on few-shot episodes.

    In each episode a classifier is fitted to the L2-normalised features of the support images and
    scored on the query images. docs/how-to/evaluation.md defines the computation.

    Parameters
    ----------
    model : Model
        Model to evaluate. Images are normalised as it requires; if it has no normalisation, with
        that of `split`.
    split : Split
        Images of novel classes. Choose models on the validation split, and score the test split
        only once.
    n_way, n_shot, n_query : int, default=5, 1 and 15
        Classes of an episode, at least 2, and support and query images of each class.
    n_episodes : int, default=600
        Number of episodes, at most 1,000,000.
    classifier : str, default="logistic"
        Classifier of the queries. It is fitted to the support features alone ("logistic",
        "nearest_centroid", "nearest_centroid_cosine", "nearest_neighbor",
        "nearest_neighbor_cosine", "ridge" or "linear_svc"), or it is transductive and sees all
        queries of an episode at once ("simple_shot").
    features : {"embedding", "logits"}, default="embedding"
        Output of the model.
    n_support_copies : int, default=5
        Augmented copies of each support image; without augmentation one copy is used.
    support_augmentation : {"crop_flip", "full", "none"}, default="crop_flip"
        Augmentation of the support images; see `skd.augment`.
    flip : bool, default=True
        Whether that augmentation mirrors images.
    seed : int, default=0
        Seed of the episodes and the augmentation; episode `i` depends on (seed, i) alone.
    legacy_episodes : bool, default=False
        Draw the episodes of the published code.
    episodes_file : str or path, optional
        File of the episodes. If it exists, its episodes are replayed, whatever their seed;
        otherwise the episodes are drawn and the file is written.
    data_name, split_name : str, optional
        Names of the data and the split in the report, such as "cifar-fs" and "val".
    progress : bool, default=True
        Show the progress of a long call: a bar on a terminal and in a notebook, otherwise lines
        of the logger ``skd``.
    communicator : mpi4py.MPI.Intracomm, optional
        Communicator of ranks that share the work, each with the same model and data. Each rank
        gets the same report as a single process, bit for bit; the first rank reads or writes
        `episodes_file`.

    Returns
    -------
    result : EvaluationResult
        Mean, confidence interval and accuracies, in percent, with all options.

    Raises
    ------
    ValueError
        If an option is not legal, the images do not have the model's size and channels, there are
        too few classes or images, or the episodes file is damaged or has other labels or options.
    TypeError
        If an argument has another type than documented.
    FileNotFoundError
        If the folder of the episodes file does not exist.
    SKDError
        If another rank raises one of these.
    """
    owner = "evaluate"
    ranks = ranks_of(communicator, owner)
    with ranks.abort_on_local_error(), ranks.raise_on_all_ranks():
        protocol, wanted, how = check_evaluation(
            model,
            split,
            owner,
            n_way=n_way,
            n_shot=n_shot,
            n_query=n_query,
            n_episodes=n_episodes,
            classifier=classifier,
            seed=seed,
            legacy_episodes=legacy_episodes,
            episodes_file=episodes_file,
            data_name=data_name,
            split_name=split_name,
            features=features,
            n_support_copies=n_support_copies,
            support_augmentation=support_augmentation,
            flip=flip,
        )
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
        options = {
            **_options(episodes, protocol),
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
            ranks.require_equal({**options, **provenance}, owner)
            with progress_bar(0, owner, "image", wanted=shows and ranks.is_first) as bar:
                extract = FeatureExtractor(
                    model, wanted.features, split.images, normalization, bar.update
                )
                accuracies = episode_accuracies(
                    extract, episodes.episodes, protocol.classifier, how, ranks, bar
                )
    return EvaluationResult(*mean_ci95(accuracies), accuracies, options, provenance)


def evaluate_features(
    features: FeatureSet | ArrayLike | str | PathLike[str],
    labels: ArrayLike | str | PathLike[str] | None = None,
    *,
    query: FeatureSet | tuple[ArrayLike, ArrayLike] | str | PathLike[str] | None = None,
    n_way: int = 5,
    n_shot: int = 1,
    n_query: int = 15,
    n_episodes: int = 600,
    classifier: ClassifierName = "logistic",
    seed: int = 0,
    legacy_episodes: bool = False,
    episodes_file: str | PathLike[str] | None = None,
    data_name: str | None = None,
    split_name: str | None = None,
    progress: bool = True,
) -> EvaluationResult:
    """Evaluate features from any source on few-shot episodes.

    Parameters
    ----------
    features : array-like of shape (n_images, n_dimensions), path or FeatureSet
        Features; they are L2-normalised first. A file is read as by `load_features`.
    labels : array-like of shape (n_images,) or path, optional
        Class of each image, integers or text; needed with an array, and with a file that has none.
    query : FeatureSet, path, or pair of array-likes, optional
        Features and labels of the images that queries are drawn from; support images are then drawn
        from `features`. Both must be of one model, as far as they name it. Classes are matched by
        their names, or by their labels if a set has no names. By default both are drawn from
        `features`.
    n_way, n_shot, n_query, n_episodes : int
        As for `evaluate`.
    classifier : str, default="logistic"
        As for `evaluate`.
    seed : int, default=0
        As for `evaluate`.
    legacy_episodes : bool, default=False
        As for `evaluate`.
    episodes_file : str or path, optional
        As for `evaluate`. The file of a model's evaluation can be used if `labels` are equal.
    data_name, split_name : str, optional
        As for `evaluate`; by default the names in a file of ``skd embed``.
    progress : bool, default=True
        As for `evaluate`.

    Returns
    -------
    result : EvaluationResult
        Mean, confidence interval and accuracies, in percent, with all options.

    Raises
    ------
    ValueError
        If an option is not legal, a feature is not finite, there are too few classes or images,
        a file is damaged or of another kind, the episodes file has other labels or options, or
        `query` is from another model than `features`.
    TypeError
        If an argument has another type than documented.
    FileNotFoundError
        If a file, or the folder of the episodes file, does not exist.

    Examples
    --------
    >>> features = np.repeat(np.eye(5), 4, axis=0)
    >>> labels = np.repeat(np.arange(5), 4)
    >>> evaluate_features(features, labels, n_query=3, n_episodes=10).mean
    100.0
    """
    owner = "evaluate_features"
    given = given_set(features, labels, owner)
    shows = check.boolean(progress, "progress", owner)
    protocol = EpisodeProtocol.checked(
        owner,
        n_way=n_way,
        n_shot=n_shot,
        n_query=n_query,
        n_episodes=n_episodes,
        classifier=classifier,
        seed=seed,
        legacy_episodes=legacy_episodes,
        episodes_file=episodes_file,
        data_name=data_name,
        split_name=split_name,
    )
    inputs = {"data": given._described(protocol.names)}
    if query is None:
        matrix, episodes = given.features, find_episodes(given.labels, protocol, owner)
    else:
        asked = given_query(query, owner)
        require_same_model(given, asked, owner)
        matrix, episodes = drawn_from_both(given, asked, protocol, owner)
        inputs["query"] = asked._described()
    rows = l2_normalize(matrix)
    _, support, queries = episodes.episodes
    with progress_bar(len(queries), owner, "episode", wanted=shows) as bar:

        def support_features(block: slice) -> FloatArray:
            own = support[block]
            bar.update(len(own))
            return rows[own.reshape(len(own), -1)]

        everything = slice(0, len(queries))
        accuracies = score(
            protocol.classifier, rows, queries, support_features, support.shape[2], 1, everything
        )
    return EvaluationResult(
        *mean_ci95(accuracies),
        accuracies,
        {**_options(episodes, protocol), **given._network_options()},
        _provenance(episodes, model=given.model, **inputs),
    )


def _options(episodes: EpisodeSet, protocol: EpisodeProtocol) -> dict[str, Any]:
    """Return the options that define the episodes and the classifier."""
    return {
        **episodes.extent,
        "n_episodes": len(episodes),
        "classifier": protocol.classifier,
        "inverse_regularization": INVERSE_REGULARIZATION,
        "seed": protocol.seed,
        "legacy_episodes": protocol.legacy,
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
