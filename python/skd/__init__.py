"""Few-shot learning by self-supervised knowledge distillation, computed in Swift.

References
----------
.. [1] J. Rajasegaran, S. Khan, M. Hayat, F. S. Khan and M. Shah, "Self-supervised Knowledge
   Distillation for Few-shot Learning", arXiv:2006.09785, 2020.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from skd._threads import use_threads_of_environment
from skd._version import __version__

if TYPE_CHECKING:  # for type checkers and editors; `_HOMES` says the same for the interpreter
    from skd import callbacks, datasets, distributed, losses, ops, plots, profiling, recipes
    from skd.augmentation import apply_augmentation, augment, draw_augmentation, epoch_order
    from skd.classifiers import (
        BDCSPN,
        PTMAP,
        TIM,
        AlphaTIM,
        CalibratedClassifier,
        LaplacianShot,
        LinearSVC,
        LogisticRegression,
        NearestCentroid,
        NearestNeighbor,
        OpenSetQuality,
        Reliability,
        RidgeClassifier,
        SimpleShot,
        expected_calibration_error,
        l2_normalize,
        open_set_quality,
        open_set_scores,
        rejection_threshold,
        reliability,
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
        ComparisonMatrix,
        Episode,
        Episodes,
        EpisodeSampler,
        EvaluationResult,
        FeatureSet,
        GroupAccuracy,
        HeadComparison,
        OpenSetResult,
        PairedDifference,
        compare,
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

__all__ = [
    "BDCSPN",
    "PTMAP",
    "SGD",
    "TIM",
    "AlphaTIM",
    "CalibratedClassifier",
    "ComparisonMatrix",
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
    "Reliability",
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
    "compare",
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
    "expected_calibration_error",
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
    "rejection_threshold",
    "reliability",
    "set_num_threads",
    "step_lr",
    "threads",
]

#: Folder or file of each public name, which is loaded when one of its names is first used.
_HOMES = {
    "augmentation": ("apply_augmentation", "augment", "draw_augmentation", "epoch_order"),
    "classifiers": (
        "BDCSPN",
        "PTMAP",
        "TIM",
        "AlphaTIM",
        "LaplacianShot",
        "LinearSVC",
        "LogisticRegression",
        "NearestCentroid",
        "NearestNeighbor",
        "OpenSetQuality",
        "RidgeClassifier",
        "SimpleShot",
        "l2_normalize",
        "open_set_quality",
        "open_set_scores",
        "CalibratedClassifier",
        "Reliability",
        "expected_calibration_error",
        "rejection_threshold",
        "reliability",
    ),
    "errors": (
        "ConvergenceWarning",
        "DamagedCheckpointError",
        "NonFiniteLossError",
        "NotFittedError",
        "SKDError",
        "SmallSplitWarning",
        "WriteError",
    ),
    "evaluation": (
        "Episode",
        "Episodes",
        "EpisodeSampler",
        "EvaluationResult",
        "FeatureSet",
        "GroupAccuracy",
        "HeadComparison",
        "OpenSetResult",
        "PairedDifference",
        "evaluate",
        "evaluate_features",
        "evaluate_many",
        "evaluate_many_features",
        "load_features",
        "mean_ci95",
        "ComparisonMatrix",
        "compare",
    ),
    "few_shot": ("FewShotClassifier",),
    "history": ("EpochRecord", "History", "Losses"),
    "interchange": ("import_torch",),
    "machine": (
        "available_memory",
        "get_num_threads",
        "instruction_set",
        "live_memory",
        "set_num_threads",
        "threads",
    ),
    "models": (
        "LayerSummary",
        "Model",
        "ModelSummary",
        "Normalization",
        "create_model",
        "list_models",
        "list_pretrained",
        "load_model",
        "load_pretrained",
    ),
    "profiling": ("peak_gflops",),
    "training": (
        "SGD",
        "Distilled",
        "Gen0",
        "Gen1",
        "Supervised",
        "Term",
        "TrainingPlan",
        "cosine_lr",
        "one_cycle_lr",
        "step_lr",
    ),
}
_MODULES = (
    *("augmentation", "callbacks", "choices", "classifiers", "datasets", "distributed", "errors"),
    *("evaluation", "few_shot", "history", "interchange", "losses", "machine", "models", "ops"),
    *("plots", "profiling", "recipes", "training"),
)
_HOME_OF_NAME = {name: home for home, names in _HOMES.items() for name in names}

use_threads_of_environment()


def __getattr__(name: str) -> Any:
    """Load a public name or module when it is first used."""
    if name in _MODULES:
        return import_module(f"skd.{name}")
    if name in _HOME_OF_NAME:
        value = getattr(import_module(f"skd.{_HOME_OF_NAME[name]}"), name)
        globals()[name] = value  # the next use finds it without this function
        return value
    raise AttributeError(f"module 'skd' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
