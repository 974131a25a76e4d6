"""What two runs must have in common for one to go on where the other stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from skd._files.hashes import state_sha256
from skd._version import __version__
from skd.augmentation import MODES
from skd.machine import instruction_set

if TYPE_CHECKING:
    from skd.distributed.ranks import Ranks
    from skd.training._options import FitOptions, Trainable


def recipe(trainer: Trainable, options: FitOptions) -> dict[str, Any]:
    """Return all that decides the bits of a run, but its length, in the types of JSON.

    Threads, prefetching, the progress bar, callbacks and how often checkpoints are written decide
    nothing, and are left out.
    """
    teacher = getattr(trainer, "teacher", None)
    (augmentation,) = (name for name, mode in MODES.items() if mode == options.mode)
    result = {
        **{f"model {name}": value for name, value in trainer.model.config.items()},
        **trainer.recipe(),
        "teacher": None if teacher is None else state_sha256(teacher.snapshot()),
        "data": options.split.sha256,
        "mean": options.split.mean,
        "std": options.split.std,
        "decay_epochs": options.decay_epochs.tolist(),
        "decay_factor": options.decay_factor,
        "schedule": options.schedule,
        "warmup_epochs": options.warmup_epochs,
        "batch_size": options.batch_size,
        "image_sizes": options.image_sizes,
        "resize_epochs": options.resize_epochs,
        "augmentation": augmentation,
        "flip": options.flip,
        "padding": options.padding,
        "seed": options.seed,
        "val": None if options.val is None else options.val.sha256,
        "val_every": options.val_every,
    }
    if options.schedule != "step":  # the rates depend on the length
        result["epochs"] = options.epochs
    equal: dict[str, Any] = json.loads(json.dumps(result))
    return equal


def environment(ranks: Ranks) -> dict[str, Any]:
    """Return what may change the last bits of a result without changing its meaning."""
    return {
        "version": __version__,
        "instruction set": instruction_set(),
        **({} if ranks.size == 1 else {"ranks": ranks.size}),
    }
