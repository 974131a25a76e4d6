"""Few-shot evaluation: accuracy of a small classifier over many episodes."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from skd.choices import Augmentation, ClassifierName, Features, QueryDistribution
from skd.datasets import Split
from skd.evaluation._computation import evaluate_matrix, evaluate_model
from skd.evaluation._heads import EpisodeHead
from skd.evaluation._report import EvaluationResult
from skd.evaluation.feature_sets import FeatureSet
from skd.evaluation.protocol import check_classifier
from skd.models import Model

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm


def evaluate(
    model: Model,
    split: Split,
    *,
    n_way: int | tuple[int, int] = 5,
    n_shot: int | tuple[int, int] = 1,
    n_query: int = 15,
    query_distribution: QueryDistribution = "uniform",
    query_concentration: float = 2.0,
    open_set: int | None = None,
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
    n_way, n_shot : int or pair of int, default=5 and 1
        Classes of an episode, at least 2, and support images of each class. With a pair, such as
        ``n_way=(5, 20)``, each episode draws its number from the smallest to the largest.
    n_query : int, default=15
        Query images of each class; with "dirichlet", their mean.
    query_distribution : {"uniform", "dirichlet"}, default="uniform"
        Distribution of the ``n_way * n_query`` queries over the classes: equal numbers, or the
        proportions of a symmetric Dirichlet distribution [1]_, which each episode draws. Every
        class then needs ``n_shot + n_way * n_query`` images, because it may get all queries.
    query_concentration : float, default=2.0
        Parameter of the Dirichlet distribution, in 0.001..1e6; the smaller, the less balanced.
    open_set : int, optional
        Number of unknown classes in each episode: `n_query` queries of each belong to no class of
        the support set. The result then holds AUROC and FPR95 of the scores of
        `skd.open_set_scores`. Accuracies count the queries of known classes alone.
    n_episodes : int, default=600
        Number of episodes, at most 1,000,000.
    classifier : str, default="logistic"
        Classifier of the queries. It is fitted to the support features alone ("logistic",
        "nearest_centroid", "nearest_centroid_cosine", "nearest_neighbor",
        "nearest_neighbor_cosine", "ridge" or "linear_svc"), or it is transductive and sees all
        queries of an episode at once ("simple_shot", "bd_cspn", "laplacian_shot", "tim",
        "alpha_tim" or "pt_map").
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

    References
    ----------
    .. [1] O. Veilleux, M. Boudiaf, P. Piantanida and I. Ben Ayed, "Realistic Evaluation of
       Transductive Few-Shot Learning", arXiv:2204.11181, 2021.
    """
    owner = "evaluate"
    (result,) = evaluate_model(
        model,
        split,
        lambda: (EpisodeHead.named(check_classifier(classifier, owner), owner),),
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
    return result


def evaluate_features(
    features: FeatureSet | ArrayLike | str | PathLike[str],
    labels: ArrayLike | str | PathLike[str] | None = None,
    *,
    query: FeatureSet | tuple[ArrayLike, ArrayLike] | str | PathLike[str] | None = None,
    n_way: int | tuple[int, int] = 5,
    n_shot: int | tuple[int, int] = 1,
    n_query: int = 15,
    query_distribution: QueryDistribution = "uniform",
    query_concentration: float = 2.0,
    open_set: int | None = None,
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
        their names, or by their labels if a set has no names. Episodes are then balanced and of one
        extent. By default both are drawn from `features`.
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
    classifier : str, default="logistic"
        As for `evaluate`.
    seed : int, default=0
        As for `evaluate`.
    legacy_episodes : bool, default=False
        As for `evaluate`.
    episodes_file : str or path, optional
        As for `evaluate`. The file of a model's evaluation can be used if `labels` are equal.
    data_name, split_name : str, optional
        As for `evaluate`.
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
        or the episodes file is damaged or has other labels or options.
    TypeError
        If an argument has another type than documented.
    FileNotFoundError
        If the folder of the episodes file does not exist.

    Examples
    --------
    >>> features = np.repeat(np.eye(5), 4, axis=0)
    >>> labels = np.repeat(np.arange(5), 4)
    >>> evaluate_features(features, labels, n_query=3, n_episodes=10).mean
    100.0
    """
    owner = "evaluate_features"
    (result,) = evaluate_matrix(
        features,
        labels,
        query,
        lambda: (EpisodeHead.named(check_classifier(classifier, owner), owner),),
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
    return result
