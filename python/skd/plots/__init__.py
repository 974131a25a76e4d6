"""Plots of trainings, models and episodes, following scikit-learn's convention of displays.

A display holds the data of a plot. The class methods ``from_...`` compute the data, draw them and
return the display. `plot` draws them again, in a new figure or in given axes, and returns the axes.
The display keeps axes and figure as `ax_` and `figure_`.

Drawing needs matplotlib (``pip install matplotlib``); importing does not. The colours are Okabe
and Ito's, which colour-blind people can distinguish, and no plot relies on colour alone.
"""

from skd.plots._class_distances import ClassDistanceDisplay
from skd.plots._comparison import ComparisonDisplay
from skd.plots._embedding import EmbeddingDisplay
from skd.plots._episode import EpisodeDisplay
from skd.plots._episode_confusion import EpisodeConfusionDisplay
from skd.plots._figures import require_matplotlib as require_matplotlib
from skd.plots._head_comparison import HeadComparisonDisplay
from skd.plots._logit_entropy import LogitEntropyDisplay
from skd.plots._reliability import ReliabilityDisplay
from skd.plots.training_curves import TrainingCurvesDisplay

__all__ = [
    "ClassDistanceDisplay",
    "ComparisonDisplay",
    "EmbeddingDisplay",
    "EpisodeConfusionDisplay",
    "EpisodeDisplay",
    "HeadComparisonDisplay",
    "LogitEntropyDisplay",
    "ReliabilityDisplay",
    "TrainingCurvesDisplay",
]
