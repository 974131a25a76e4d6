"""Identity of a run: two runs with equal identity can continue each other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from skd._files.hashes import state_sha256
from skd._version import __version__
from skd.machine import instruction_set

if TYPE_CHECKING:
    from skd.distributed.ranks import Ranks
    from skd.training._options import FitOptions
    from skd.training._trainer import Trainer


def recipe(trainer: Trainer, options: FitOptions) -> dict[str, Any]:
    """Return everything that decides the bits of a run except its length, in the types of JSON.

    Threads, prefetching, the progress bar, callbacks and the frequency of checkpoints do not
    change the result and are left out.
    """
    teacher = getattr(trainer, "teacher", None)
    result = {
        **{f"model {name}": value for name, value in trainer.model.config.items()},
        **trainer.recipe(),
        "teacher": None if teacher is None else state_sha256(teacher.snapshot()),
        "data": options.split.sha256,
        "mean": options.split.mean,
        "std": options.split.std,
        **options.decisive,
        "val": None if options.val is None else options.val.sha256,
    }
    if options.schedule != "step":  # the rates depend on the length
        result["epochs"] = options.epochs
    equal: dict[str, Any] = json.loads(json.dumps(result, default=np.ndarray.tolist))
    return equal


def environment(ranks: Ranks) -> dict[str, Any]:
    """Return the circumstances that may change the last bits of a result."""
    return {
        "version": __version__,
        "instruction set": instruction_set(),
        **({} if ranks.size == 1 else {"ranks": ranks.size}),
    }
