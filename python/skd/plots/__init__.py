"""Plots of trainings, models and episodes, in scikit-learn's convention of displays.

A display holds what is drawn. The class methods ``from_...`` compute it, draw it and return the
display; `plot` draws it again, in a new figure or in axes that are given, and returns the axes.
The display keeps them as `ax_` and `figure_`.

Drawing needs matplotlib (``pip install 'skd[plots]'``); importing does not. Colours are those of
Okabe and Ito, which colour-blind people tell apart, and no plot relies on colour alone.
"""

from skd.plots._class_distances import ClassDistanceDisplay
from skd.plots._embedding import EmbeddingDisplay
from skd.plots._episode import EpisodeDisplay
from skd.plots._episode_confusion import EpisodeConfusionDisplay
from skd.plots._logit_entropy import LogitEntropyDisplay
from skd.plots.training_curves import TrainingCurvesDisplay

__all__ = [
    "ClassDistanceDisplay",
    "EmbeddingDisplay",
    "EpisodeConfusionDisplay",
    "EpisodeDisplay",
    "LogitEntropyDisplay",
    "TrainingCurvesDisplay",
]
