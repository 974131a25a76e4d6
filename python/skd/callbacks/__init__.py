"""Callbacks of `fit`: history files, TensorBoard, trackers, and a base class for your own."""

from skd.callbacks._history_file import HistoryFile
from skd.callbacks._tensorboard import TensorBoard
from skd.callbacks._trackers import MLflow, WeightsAndBiases
from skd.callbacks.metrics import MetricsCallback
from skd.training import Callback, RunStart, StepRecord

__all__ = [
    "Callback",
    "HistoryFile",
    "MLflow",
    "MetricsCallback",
    "RunStart",
    "StepRecord",
    "TensorBoard",
    "WeightsAndBiases",
]
