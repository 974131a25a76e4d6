"""Classifiers of images, from a few examples of each class."""

from skd.few_shot._classifier import FewShotClassifier

__all__ = ["FewShotClassifier"]
