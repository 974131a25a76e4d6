"""Few-shot evaluation: episodes, their scores, and the report."""

from skd.evaluation._comparison import HeadComparison, PairedDifference
from skd.evaluation._episodes import Episode, Episodes, EpisodeSampler
from skd.evaluation._evaluate import evaluate, evaluate_features
from skd.evaluation._many import evaluate_many, evaluate_many_features
from skd.evaluation._matrix import compare
from skd.evaluation._matrix_result import ComparisonMatrix
from skd.evaluation._predictions import predict_episodes
from skd.evaluation._report import EvaluationResult
from skd.evaluation._summaries import GroupAccuracy, OpenSetResult, mean_ci95
from skd.evaluation.feature_sets import FeatureSet, load_features

__all__ = [
    "ComparisonMatrix",
    "Episode",
    "EpisodeSampler",
    "Episodes",
    "EvaluationResult",
    "FeatureSet",
    "GroupAccuracy",
    "HeadComparison",
    "OpenSetResult",
    "PairedDifference",
    "compare",
    "evaluate",
    "evaluate_features",
    "evaluate_many",
    "evaluate_many_features",
    "load_features",
    "mean_ci95",
    "predict_episodes",
]
