"""What a training will take: its steps, time and memory, measured before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from skd._display.durations import duration
from skd.augmentation import augment
from skd.datasets.episode_size import largest_episode
from skd.machine import available_memory, get_num_threads
from skd.training._checkpoints import newest_step
from skd.training._options import VALIDATION_EPISODES, FitOptions
from skd.training._trainer import Trainer

TIMED_STEPS = 2
EMBEDDED = 64


@dataclass(frozen=True, repr=False)
class TrainingPlan:
    """Steps, time and memory of a training on this machine; returned by `Gen0.plan`.

    Attributes
    ----------
    epochs, steps_per_epoch : int
        Number of epochs, and of the steps of each.
    steps_done : int
        Steps of the checkpoint that the training resumes from; 0 for a new training.
    seconds_per_step : float
        Mean duration of the remaining steps, in seconds.
    seconds_per_image : float
        Duration of embedding an image, in seconds.
    training_seconds, validation_seconds : float
        Durations of the remaining steps, and of the embeddings of the remaining validations.
    step_bytes : int
        Memory of models, training state, activations and workspaces, in bytes; see
        `Gen0.step_memory`.
    available_bytes : int
        Memory that was available, in bytes; see `skd.available_memory`.
    """

    epochs: int
    steps_per_epoch: int
    steps_done: int
    seconds_per_step: float
    seconds_per_image: float
    training_seconds: float
    validation_seconds: float
    step_bytes: int
    available_bytes: int

    @property
    def steps(self) -> int:
        """Steps of all epochs, including those of the checkpoint."""
        return self.epochs * self.steps_per_epoch

    @property
    def seconds(self) -> float:
        """Duration of everything that remains, in seconds."""
        return self.training_seconds + self.validation_seconds

    def __repr__(self) -> str:
        """Return time and memory, one on each line."""
        done = f", {self.steps_done} of them done" if self.steps_done else ""
        return (
            f"TrainingPlan: {duration(self.seconds)} on {get_num_threads()} threads\n"
            f"  training    {duration(self.training_seconds)} ({self.epochs} epochs of "
            f"{self.steps_per_epoch} steps{done}, {self.seconds_per_step:.3g} s each)\n"
            f"  validation  {duration(self.validation_seconds)}\n"
            f"  memory      {self.step_bytes / 1e6:.0f} MB besides the images; "
            f"{self.available_bytes / 1e6:.0f} MB are available"
        )


def training_plan(trainer: Trainer, options: FitOptions) -> TrainingPlan:
    """Time the losses of a batch of each size, and a forward pass; see `Objective.plan`."""
    available = available_memory()
    done = 0
    if options.resume and options.checkpoint_dir is not None:
        done = min(newest_step(options.checkpoint_dir), options.epochs * options.steps_per_epoch)
    left = _steps_left(options, done)
    training = sum(
        count * _seconds_per_step(trainer, options, side) for side, count in left if count > 0
    )
    steps = sum(count for _, count in left)
    per_image = _seconds_per_image(trainer, options)
    validations = _validations_left(options, done // options.steps_per_epoch)
    part = trainer.ranks.slice_of(options.batch_size)
    return TrainingPlan(
        epochs=options.epochs,
        steps_per_epoch=options.steps_per_epoch,
        steps_done=done,
        seconds_per_step=training / max(steps, 1),
        seconds_per_image=per_image,
        training_seconds=training,
        validation_seconds=validations * _validation_images(options) * per_image,
        step_bytes=trainer.step_memory(part.stop - part.start, image_size=max(options.image_sizes)),
        available_bytes=available,
    )


def _steps_left(options: FitOptions, done: int) -> list[tuple[int, int]]:
    """Return each size of the images, in pixels, with the number of its remaining steps."""
    ends = [min(epoch, options.epochs) for epoch in (*options.resize_epochs, options.epochs)]
    counts, begin = [], done
    for side, end in zip(options.image_sizes, ends, strict=True):
        stop = max(end * options.steps_per_epoch, begin)
        counts.append((side, stop - begin))
        begin = stop
    return counts


def _validations_left(options: FitOptions, epochs_done: int) -> int:
    """Return the number of remaining validations; the last epoch always has one."""
    if options.val is None or epochs_done == options.epochs:
        return 0
    return -(-options.epochs // options.val_every) - epochs_done // options.val_every


def _validation_images(options: FitOptions) -> int:
    """Return the largest number of images that a validation embeds."""
    if options.val is None:
        return 0
    size = largest_episode(options.val)
    return min(len(options.val), VALIDATION_EPISODES * size.n_way * (1 + size.n_query))


def _seconds_per_step(trainer: Trainer, options: FitOptions, side: int) -> float:
    """Return the duration of the losses and gradients of a batch, which change nothing."""
    split, part = options.split, trainer.ranks.slice_of(options.batch_size)
    images = augment(
        split.images[part], seed=0, mode="none", size=side, mean=split.mean, std=split.std
    )
    labels = split.labels[part]
    return _seconds(lambda: trainer.loss(images, labels, image_size=side), TIMED_STEPS)


def _seconds_per_image(trainer: Trainer, options: FitOptions) -> float:
    """Return the duration of embedding an image."""
    split = options.split
    few = augment(split.images[:EMBEDDED], seed=0, mode="none", mean=split.mean, std=split.std)
    return _seconds(lambda: trainer.model.embed(few), 1) / len(few)


def _seconds(work: Callable[[], object], runs: int) -> float:
    """Return the mean duration of some runs, after a warm-up run."""
    work()
    begin = time.perf_counter()
    for _ in range(runs):
        work()
    return (time.perf_counter() - begin) / runs
