"""Estimate of the time and memory of a run, measured with a few of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from skd.augmentation import augment
from skd.datasets import Split
from skd.machine import available_memory
from skd.recipes._building import Trainer, build_trainer
from skd.recipes._images import (
    evaluation_images,
    sides_of_epochs,
    validation_images,
    validations,
)
from skd.recipes._running import Run

TRIED_STEPS = 2
EMBEDDED = 64


@dataclass(frozen=True)
class Estimate:
    """Time and memory of a run on this machine.

    Attributes
    ----------
    steps, steps_done : int
        Steps of the whole run, and steps of its checkpoint.
    seconds_per_step : float
        Mean duration of the remaining steps.
    training_seconds, validation_seconds, evaluation_seconds : float
        Durations of the remaining steps, of all validations, and of the final evaluation; the last
        two count the forward passes, which take nearly all of the time.
    step_bytes : int
        Memory of models, training state, activations and workspaces; see `Gen0.step_memory`.
    available_bytes : int
        Memory that was available before; see `skd.available_memory`.
    """

    steps: int
    steps_done: int
    seconds_per_step: float
    training_seconds: float
    validation_seconds: float
    evaluation_seconds: float
    step_bytes: int
    available_bytes: int

    @property
    def seconds(self) -> float:
        """Duration of everything that remains."""
        return self.training_seconds + self.validation_seconds + self.evaluation_seconds


def estimate(run: Run) -> Estimate:
    """Time two steps and a batch of an evaluation of a prepared run.

    A separate trainer takes them, so that the run does not change. With a communicator, each
    process times its part of a batch, without the communication.

    Parameters
    ----------
    run : Run
        Run that `Run.prepare` prepared.

    Returns
    -------
    estimate : Estimate
        Times and memory.
    """
    recipe, split = run.recipe, run.split
    available = available_memory()
    trainer = build_trainer(recipe, split, run.teacher)
    part = run.ranks.slice_of(recipe.schedule.batch_size)
    labels = split.labels[part]
    sides = sides_of_epochs(recipe.schedule, trainer.model.image_size)
    per_step = {side: _seconds_per_step(trainer, split, part, side) for side in set(sides)}
    trainer.model.normalization = (split.mean, split.std)
    few = split.images[:EMBEDDED]
    per_image = _seconds(lambda: trainer.model.embed(few), 1) / len(few)
    steps = run.steps_per_epoch * recipe.schedule.epochs
    done = min(run.folder.steps_done, steps)
    seconds = [per_step[sides[step // run.steps_per_epoch]] for step in range(done, steps)]
    val, test = len(run.data.val), len(getattr(run.data, recipe.evaluation.split))
    return Estimate(
        steps=steps,
        steps_done=done,
        seconds_per_step=sum(seconds) / max(len(seconds), 1),
        training_seconds=sum(seconds),
        validation_seconds=validations(recipe) * validation_images(val) * per_image,
        evaluation_seconds=evaluation_images(recipe.evaluation, test) * per_image,
        step_bytes=trainer.step_memory(len(labels), image_size=max(sides)),
        available_bytes=available,
    )


def _seconds_per_step(trainer: Trainer, split: Split, part: slice, side: int) -> float:
    """Return the duration of a step on images of a side."""
    images = augment(
        split.images[part], seed=0, mode="none", size=side, mean=split.mean, std=split.std
    )
    labels = split.labels[part]
    return _seconds(lambda: trainer.step(images, labels, image_size=side), TRIED_STEPS)


def _seconds(work: Callable[[], object], runs: int) -> float:
    """Return the mean duration of some runs, after a warm-up run."""
    work()
    begin = time.perf_counter()
    for _ in range(runs):
        work()
    return (time.perf_counter() - begin) / runs
