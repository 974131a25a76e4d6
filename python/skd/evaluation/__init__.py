"""Few-shot evaluation: episodes, their scores, and the report."""

from skd.evaluation._episode_files import find_episodes
from skd.evaluation._episodes import Episodes, EpisodeSampler
from skd.evaluation._evaluate import evaluate, evaluate_features
from skd.evaluation._features import FeatureExtractor, SupportAugmentation
from skd.evaluation._report import EvaluationResult, mean_ci95
from skd.evaluation.protocol import CLASSIFIERS

__all__ = [
    "CLASSIFIERS",
    "EpisodeSampler",
    "Episodes",
    "EvaluationResult",
    "FeatureExtractor",
    "SupportAugmentation",
    "evaluate",
    "evaluate_features",
    "find_episodes",
    "mean_ci95",
]
