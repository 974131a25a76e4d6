"""Many heads on the same episodes, in one pass over the features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from skd import _validation as check
from skd.choices import Augmentation, ClassifierName, Features, QueryDistribution
from skd.datasets import Split
from skd.evaluation._comparison import HeadComparison
from skd.evaluation._computation import evaluate_matrix, evaluate_model
from skd.evaluation._heads import EpisodeHead, episode_heads
from skd.evaluation.feature_sets import FeatureSet
from skd.models import Model

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm

Heads = Sequence[ClassifierName | Any] | Mapping[str, ClassifierName | Any]


def evaluate_many(
    model: Model,
    split: Split,
    *,
    heads: Heads,
    baseline: str | None = None,
    n_way: int | tuple[int, int] = 5,
    n_shot: int | tuple[int, int] = 1,
    n_query: int = 15,
    query_distribution: QueryDistribution = "uniform",
    query_concentration: float = 2.0,
    open_set: int | None = None,
    n_episodes: int = 600,
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
) -> HeadComparison:
    """Evaluate several heads on the same few-shot episodes of a model.

    Each image passes through the network once for all heads, and each augmented copy too. The
    result of a head is the result of `evaluate` with it, bit for bit.

    Parameters
    ----------
    model : Model
        As for `evaluate`.
    split : Split
        As for `evaluate`.
    heads : sequence, or mapping of str to heads
        Heads with different labels, 1 to 100. A head is a name of a classifier, as for `evaluate`;
        an object of skd, such as ``skd.LogisticRegression(C=0.1)``; or any object with
        ``fit_predict(support, labels, query)``, or with ``fit(X, y)`` and ``predict(X)``, which is
        called episode by episode. Labels are the keys of a mapping, the names, or the
        representations of the objects.
    baseline : str, optional
        Label of the head that the others are compared with; by default the first.
    n_way, n_shot : int or pair of int, default=5 and 1
        As for `evaluate`.
    n_query : int, default=15
        As for `evaluate`.
    query_distribution : {"uniform", "dirichlet"}, default="uniform"
        As for `evaluate`.
    query_concentration : float, default=2.0
        As for `evaluate`.
    open_set : int, optional
        As for `evaluate`.
    n_episodes : int, default=600
        As for `evaluate`.
    features : {"embedding", "logits"}, default="embedding"
        As for `evaluate`.
    n_support_copies : int, default=5
        As for `evaluate`.
    support_augmentation : {"crop_flip", "full", "none"}, default="crop_flip"
        As for `evaluate`.
    flip : bool, default=True
        As for `evaluate`.
    seed : int, default=0
        As for `evaluate`.
    legacy_episodes : bool, default=False
        As for `evaluate`.
    episodes_file : str or path, optional
        As for `evaluate`.
    data_name, split_name : str, optional
        As for `evaluate`.
    progress : bool, default=True
        As for `evaluate`.
    communicator : mpi4py.MPI.Intracomm, optional
        As for `evaluate`.

    Returns
    -------
    comparison : HeadComparison
        Result of each head, and paired differences.

    Raises
    ------
    ValueError
        If an option is not legal; see `evaluate`.
    TypeError
        If an argument has another type than documented.
    FileNotFoundError
        If the folder of the episodes file does not exist.
    SKDError
        If another rank raises one of these.
    """
    owner = "evaluate_many"
    found: list[EpisodeHead] = []

    def find_heads() -> Sequence[EpisodeHead]:
        found.extend(_checked(heads, baseline, owner))
        return found

    results = evaluate_model(
        model,
        split,
        find_heads,
        owner,
        n_way=n_way,
        n_shot=n_shot,
        n_query=n_query,
        query_distribution=query_distribution,
        query_concentration=query_concentration,
        open_set=open_set,
        n_episodes=n_episodes,
        features=features,
        n_support_copies=n_support_copies,
        support_augmentation=support_augmentation,
        flip=flip,
        seed=seed,
        legacy_episodes=legacy_episodes,
        episodes_file=episodes_file,
        data_name=data_name,
        split_name=split_name,
        progress=progress,
        communicator=communicator,
    )
    labels = [head.label for head in found]
    return HeadComparison(dict(zip(labels, results, strict=True)), baseline or labels[0])


def evaluate_many_features(
    features: FeatureSet | ArrayLike | str | PathLike[str],
    labels: ArrayLike | str | PathLike[str] | None = None,
    *,
    query: FeatureSet | tuple[ArrayLike, ArrayLike] | str | PathLike[str] | None = None,
    heads: Heads,
    baseline: str | None = None,
    n_way: int | tuple[int, int] = 5,
    n_shot: int | tuple[int, int] = 1,
    n_query: int = 15,
    query_distribution: QueryDistribution = "uniform",
    query_concentration: float = 2.0,
    open_set: int | None = None,
    n_episodes: int = 600,
    seed: int = 0,
    legacy_episodes: bool = False,
    episodes_file: str | PathLike[str] | None = None,
    data_name: str | None = None,
    split_name: str | None = None,
    progress: bool = True,
) -> HeadComparison:
    """Evaluate several heads on the same few-shot episodes of features from any source.

    Parameters
    ----------
    features : array-like of shape (n_images, n_dimensions), path or FeatureSet
        As for `evaluate_features`.
    labels : array-like of shape (n_images,) or path, optional
        As for `evaluate_features`.
    query : FeatureSet, path, or pair of array-likes, optional
        As for `evaluate_features`.
    heads : sequence, or mapping of str to heads
        As for `evaluate_many`.
    baseline : str, optional
        As for `evaluate_many`.
    n_way, n_shot : int or pair of int, default=5 and 1
        As for `evaluate`.
    n_query : int, default=15
        As for `evaluate`.
    query_distribution : {"uniform", "dirichlet"}, default="uniform"
        As for `evaluate`.
    query_concentration : float, default=2.0
        As for `evaluate`.
    open_set : int, optional
        As for `evaluate`.
    n_episodes : int, default=600
        As for `evaluate`.
    seed : int, default=0
        As for `evaluate`.
    legacy_episodes : bool, default=False
        As for `evaluate`.
    episodes_file : str or path, optional
        As for `evaluate`.
    data_name, split_name : str, optional
        As for `evaluate`.
    progress : bool, default=True
        As for `evaluate`.

    Returns
    -------
    comparison : HeadComparison
        Result of each head, and paired differences.

    Raises
    ------
    ValueError
        If an option is not legal; see `evaluate_features`.
    TypeError
        If an argument has another type than documented.
    FileNotFoundError
        If the folder of the episodes file does not exist.

    Examples
    --------
    >>> features = np.repeat(np.eye(5), 4, axis=0)
    >>> labels = np.repeat(np.arange(5), 4)
    >>> heads = ["nearest_centroid", skd.LogisticRegression(C=10.0)]
    >>> comparison = evaluate_many_features(features, labels, heads=heads, n_query=3, n_episodes=10)
    >>> comparison.differences
    {'LogisticRegression(C=10.0)': PairedDifference(mean=0.0, ci95=0.0)}
    """
    owner = "evaluate_many_features"
    found: list[EpisodeHead] = []

    def find_heads() -> Sequence[EpisodeHead]:
        found.extend(_checked(heads, baseline, owner))
        return found

    results = evaluate_matrix(
        features,
        labels,
        query,
        find_heads,
        owner,
        n_way=n_way,
        n_shot=n_shot,
        n_query=n_query,
        query_distribution=query_distribution,
        query_concentration=query_concentration,
        open_set=open_set,
        n_episodes=n_episodes,
        seed=seed,
        legacy_episodes=legacy_episodes,
        episodes_file=episodes_file,
        data_name=data_name,
        split_name=split_name,
        progress=progress,
    )
    names = [head.label for head in found]
    return HeadComparison(dict(zip(names, results, strict=True)), baseline or names[0])


def _checked(heads: Any, baseline: Any, owner: str) -> tuple[EpisodeHead, ...]:
    """Return the checked heads, one of which is the baseline."""
    checked = episode_heads(heads, owner)
    if baseline is not None:
        check.choice(baseline, "baseline", owner, [head.label for head in checked])
    return checked
