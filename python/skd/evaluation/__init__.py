"""Few-shot evaluation: episodes, their scores, and the report."""

from skd.evaluation._episodes import Episodes, EpisodeSampler
from skd.evaluation._evaluate import evaluate, evaluate_features
from skd.evaluation._predictions import predict_episodes
from skd.evaluation._report import EvaluationResult, mean_ci95
from skd.evaluation.feature_sets import FeatureSet, load_features

__all__ = [
    "EpisodeSampler",
    "Episodes",
    "EvaluationResult",
    "FeatureSet",
    "evaluate",
    "evaluate_features",
    "load_features",
    "mean_ci95",
    "predict_episodes",
]
