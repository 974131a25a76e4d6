"""Callbacks of `fit`: early stopping, files, TensorBoard, trackers, and a base for your own."""

from skd.callbacks._early_stopping import EarlyStopping
from skd.callbacks._history_file import HistoryFile
from skd.callbacks._tensorboard import TensorBoard
from skd.callbacks._trackers import MLflow, WeightsAndBiases
from skd.callbacks.metrics import MetricsCallback
from skd.training import Callback, RunStart, StepRecord

__all__ = [
    "Callback",
    "EarlyStopping",
    "HistoryFile",
    "MLflow",
    "MetricsCallback",
    "RunStart",
    "StepRecord",
    "TensorBoard",
    "WeightsAndBiases",
]
