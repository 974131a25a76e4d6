"""Few-shot learning by self-supervised knowledge distillation, computed in Swift.

References
----------
.. [1] J. Rajasegaran, S. Khan, M. Hayat, F. S. Khan and M. Shah, "Self-supervised Knowledge
   Distillation for Few-shot Learning", arXiv:2006.09785, 2020.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from skd import datasets, distributed, losses, ops, profiling
from skd._version import __version__
from skd.augmentation import apply_augmentation, augment, draw_augmentation, epoch_order
from skd.classifiers import (
    BDCSPN,
    PTMAP,
    TIM,
    AlphaTIM,
    LaplacianShot,
    LinearSVC,
    LogisticRegression,
    NearestCentroid,
    NearestNeighbor,
    OpenSetQuality,
    RidgeClassifier,
    SimpleShot,
    l2_normalize,
    open_set_quality,
    open_set_scores,
)
from skd.errors import (
    ConvergenceWarning,
    DamagedCheckpointError,
    NonFiniteLossError,
    NotFittedError,
    SKDError,
    SmallSplitWarning,
    WriteError,
)
from skd.evaluation import (
    Episode,
    Episodes,
    EpisodeSampler,
    EvaluationResult,
    FeatureSet,
    GroupAccuracy,
    HeadComparison,
    OpenSetResult,
    PairedDifference,
    evaluate,
    evaluate_features,
    evaluate_many,
    evaluate_many_features,
    load_features,
    mean_ci95,
)
from skd.few_shot import FewShotClassifier
from skd.history import EpochRecord, History, Losses
from skd.interchange import import_torch
from skd.machine import (
    available_memory,
    get_num_threads,
    instruction_set,
    live_memory,
    set_num_threads,
    threads,
    use_threads_of_environment,
)
from skd.models import (
    LayerSummary,
    Model,
    ModelSummary,
    Normalization,
    create_model,
    list_models,
    list_pretrained,
    load_model,
    load_pretrained,
)
from skd.profiling import peak_gflops
from skd.training import (
    SGD,
    Distilled,
    Gen0,
    Gen1,
    Supervised,
    Term,
    TrainingPlan,
    cosine_lr,
    one_cycle_lr,
    step_lr,
)

if TYPE_CHECKING:
    from skd import callbacks, plots, recipes

__all__ = [
    "BDCSPN",
    "PTMAP",
    "SGD",
    "TIM",
    "AlphaTIM",
    "ConvergenceWarning",
    "DamagedCheckpointError",
    "Distilled",
    "Episode",
    "EpisodeSampler",
    "Episodes",
    "EpochRecord",
    "EvaluationResult",
    "FeatureSet",
    "FewShotClassifier",
    "Gen0",
    "Gen1",
    "GroupAccuracy",
    "HeadComparison",
    "History",
    "LaplacianShot",
    "LayerSummary",
    "LinearSVC",
    "LogisticRegression",
    "Losses",
    "Model",
    "ModelSummary",
    "NearestCentroid",
    "NearestNeighbor",
    "NonFiniteLossError",
    "Normalization",
    "NotFittedError",
    "OpenSetQuality",
    "OpenSetResult",
    "PairedDifference",
    "RidgeClassifier",
    "SKDError",
    "SimpleShot",
    "SmallSplitWarning",
    "Supervised",
    "Term",
    "TrainingPlan",
    "WriteError",
    "__version__",
    "apply_augmentation",
    "augment",
    "available_memory",
    "callbacks",
    "cosine_lr",
    "create_model",
    "datasets",
    "distributed",
    "draw_augmentation",
    "epoch_order",
    "evaluate",
    "evaluate_features",
    "evaluate_many",
    "evaluate_many_features",
    "get_num_threads",
    "import_torch",
    "instruction_set",
    "l2_normalize",
    "list_models",
    "list_pretrained",
    "live_memory",
    "load_features",
    "load_model",
    "load_pretrained",
    "losses",
    "mean_ci95",
    "one_cycle_lr",
    "open_set_quality",
    "open_set_scores",
    "ops",
    "peak_gflops",
    "plots",
    "profiling",
    "recipes",
    "set_num_threads",
    "step_lr",
    "threads",
]

use_threads_of_environment()

LOADED_ON_USE = ("callbacks", "plots", "recipes")


def __getattr__(name: str) -> ModuleType:
    """Load a module of `LOADED_ON_USE` when it is first used."""
    if name in LOADED_ON_USE:
        return import_module(f"skd.{name}")
    raise AttributeError(f"module 'skd' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
