"""Training: the objectives, and the loop of `fit`."""

from skd.training._callback import Callback, RunStart, StepRecord
from skd.training._checkpoints import newest_step
from skd.training._distilled import Distilled
from skd.training._generations import Gen0, Gen1, Supervised
from skd.training._objective import check_fit
from skd.training._options import VALIDATION_EPISODES, image_size_of
from skd.training._plan import TrainingPlan
from skd.training._schedules import SCHEDULES, cosine_lr, one_cycle_lr, step_lr
from skd.training._sgd import SGD
from skd.training._terms import Term

__all__ = [
    "SCHEDULES",
    "SGD",
    "VALIDATION_EPISODES",
    "Callback",
    "Distilled",
    "Gen0",
    "Gen1",
    "RunStart",
    "StepRecord",
    "Supervised",
    "Term",
    "TrainingPlan",
    "check_fit",
    "cosine_lr",
    "image_size_of",
    "newest_step",
    "one_cycle_lr",
    "step_lr",
]
