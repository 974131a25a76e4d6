"""Estimate of the time and memory of a run, measured with a few of its steps."""

from __future__ import annotations

from dataclasses import dataclass

from skd.recipes._building import fit_options
from skd.recipes._images import evaluation_images
from skd.recipes._running import Run
from skd.training import TrainingPlan


@dataclass(frozen=True)
class Estimate:
    """Time and memory of a run on this machine.

    Attributes
    ----------
    training : TrainingPlan
        Steps, time and memory of the training, with its validations.
    evaluation_seconds : float
        Duration of the forward passes of the final evaluation, which take nearly all of its time.
    """

    training: TrainingPlan
    evaluation_seconds: float

    @property
    def seconds(self) -> float:
        """Duration of everything that remains."""
        return self.training.seconds + self.evaluation_seconds


def estimate(run: Run) -> Estimate:
    """Plan the training and the evaluation of a prepared run, without a change to it.

    Parameters
    ----------
    run : Run
        Run that `Run.prepare` prepared.

    Returns
    -------
    estimate : Estimate
        Times and memory.
    """
    recipe = run.recipe
    training = run.trainer.plan(
        run.split,
        **fit_options(recipe, run.data),
        checkpoint_dir=run.folder.checkpoints,
        resume=True,
    )
    images = evaluation_images(recipe.evaluation, len(getattr(run.data, recipe.evaluation.split)))
    return Estimate(training, images * training.seconds_per_image)
