"""The training loop of `fit`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd import _validation as check
from skd._progress import progress_bar
from skd.augmentation import mode_of, padding_of
from skd.datasets import Split
from skd.evaluation import EvaluationResult, evaluate
from skd.history import EpochRecord, History, Losses
from skd.schedules import cosine_lr

if TYPE_CHECKING:
    from skd.models import Model
    from skd.optimizers import SGD

VALIDATION_EPISODES = 200


class Trainable(Protocol):
    """What the loop needs of a trainer."""

    model: Model
    optimizer: SGD
    learning_rate: float

    def step(self, x: NDArray[np.float32], labels: NDArray[np.int64], /) -> Losses:
        """Train on one batch."""


@dataclass(frozen=True)
class FitOptions:
    """The checked arguments of `fit`."""

    split: Split
    epochs: int
    decay_epochs: NDArray[np.int64]
    decay_factor: float
    schedule: str
    batch_size: int
    mode: int
    flip: bool
    padding: int
    seed: int
    val: Split | None
    val_every: int
    progress: bool
    callback: Callable[[EpochRecord], object] | None

    @classmethod
    def checked(
        cls,
        trainer: Trainable,
        split: Any,
        *,
        epochs: Any,
        decay_epochs: Any,
        decay_factor: Any,
        schedule: Any,
        batch_size: Any,
        augmentation: Any,
        flip: Any,
        padding: Any,
        seed: Any,
        val: Any,
        val_every: Any,
        progress: Any,
        callback: Any,
    ) -> FitOptions:
        """Check the arguments before anything is changed."""
        owner, model = f"{type(trainer).__name__}.fit", trainer.model
        check.instance(split, "split", owner, Split)
        _, side, _, channels = split.images.shape
        if (side, channels) != (model.image_size, model.input_channels):
            legal = f"of {model.image_size} pixels and {model.input_channels} channels"
            check.refuse("split", owner, legal, f"images of shape {split.images.shape}")
        if split.n_classes > model.num_classes:
            legal = f"of at most {model.num_classes} classes"
            check.refuse("split", owner, legal, split.n_classes)
        if val is not None:
            check.instance(val, "val", owner, Split)
            if val.images.shape[1:] != split.images.shape[1:]:
                legal = f"of images of shape {split.images.shape[1:]}"
                check.refuse("val", owner, legal, val.images.shape[1:])
            if val.smallest_class < 2:
                check.refuse("val", owner, "of at least 2 images per class", val.smallest_class)
        size = check.integer(batch_size, "batch_size", owner, minimum=1)
        if size > len(split):
            check.refuse("batch_size", owner, f"at most the number of images, {len(split)}", size)
        if callback is not None and not callable(callback):
            got = type(callback).__name__
            check.refuse("callback", owner, "callable", got, TypeError)
        options = cls(
            split=split,
            epochs=check.integer(epochs, "epochs", owner, minimum=1),
            decay_epochs=check.epochs_list(decay_epochs, "decay_epochs", owner),
            decay_factor=check.number(decay_factor, "decay_factor", owner),
            schedule=check.choice(schedule, "schedule", owner, ("step", "cosine")),
            batch_size=size,
            mode=mode_of(augmentation, "augmentation", owner, channels),
            flip=check.boolean(flip, "flip", owner),
            padding=padding_of(padding, side, owner),
            seed=check.seed(seed, owner),
            val=val,
            val_every=check.integer(val_every, "val_every", owner, minimum=1),
            progress=check.boolean(progress, "progress", owner),
            callback=callback,
        )
        rate = options.learning_rate(options.epochs, trainer.optimizer.lr)
        if not rate <= float(np.finfo(np.float32).max):
            legal = "such that the learning rate of the last epoch is finite in float32"
            check.refuse("decay_factor", owner, legal, options.decay_factor)
        return options

    @property
    def steps_per_epoch(self) -> int:
        """Complete batches of an epoch."""
        return len(self.split) // self.batch_size

    def learning_rate(self, epoch: int, base: float) -> float:
        """Rate of an epoch, counted from 1."""
        if self.schedule == "cosine":
            return cosine_lr(epoch, epochs=self.epochs, base=base, factor=self.decay_factor)
        return _native.step_learning_rate(epoch, base, self.decay_factor, self.decay_epochs)


def fit(trainer: Trainable, options: FitOptions) -> History:
    """Run the epochs; see `Trainable.fit`."""
    trainer.model.normalization = (options.split.mean, options.split.std)
    records = []
    batches = _batches(options)
    steps = options.steps_per_epoch * options.epochs
    bar = progress_bar(steps, type(trainer).__name__, "step", wanted=options.progress)
    try:
        for epoch in range(1, options.epochs + 1):
            trainer.learning_rate = options.learning_rate(epoch, trainer.optimizer.lr)
            record = _train_epoch(trainer, options, epoch, batches, bar)
            records.append(record)
            if options.callback is not None:
                options.callback(record)
    finally:
        batches.close()  # an interrupt must not leave the augmenting thread behind
        bar.close()
    return History(tuple(records))


Batches = Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]


def _train_epoch(
    trainer: Trainable, options: FitOptions, epoch: int, batches: Batches, bar: Any
) -> EpochRecord:
    start = time.perf_counter()
    sums = np.zeros(len(Losses._fields))
    for step in range(1, options.steps_per_epoch + 1):
        images, labels = next(batches)
        sums += trainer.step(images, labels)
        bar.set_postfix(epoch=epoch, loss=f"{sums[0] / step:.3f}", refresh=False)
        bar.update()
    seconds = time.perf_counter() - start
    return EpochRecord(
        epoch=epoch,
        learning_rate=trainer.learning_rate,
        losses=Losses(*(sums / options.steps_per_epoch).tolist()),
        seconds=seconds,
        images_per_second=options.steps_per_epoch * options.batch_size / seconds,
        validation=_validate(trainer, options, epoch),
    )


def _batches(options: FitOptions) -> Any:
    """Yield the batches of all epochs, each augmented while the one before is in use."""
    split, size, steps = options.split, options.batch_size, options.steps_per_epoch
    mean, std = (np.array(values, dtype=np.float32) for values in (split.mean, split.std))
    shape = (size, *split.images.shape[1:])
    buffers = [np.empty(shape, dtype=np.float32) for _ in range(2)]
    order = np.empty(len(split), dtype=np.int64)

    def augmented(number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        epoch, step = number // steps + 1, number % steps
        if step == 0:
            _native.shuffle(options.seed, epoch, order)
        positions = order[step * size : (step + 1) * size].copy()
        images = buffers[number % 2]
        _native.augment(
            split.images,
            positions,
            None,
            options.mode,
            options.padding,
            options.flip,
            options.seed,
            epoch,
            False,
            mean,
            std,
            images,
        )
        return images, split.labels[positions]

    total = steps * options.epochs
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="skd-augment") as executor:
        ahead = executor.submit(augmented, 0)
        for number in range(1, total + 1):
            batch = ahead.result()
            if number < total:
                ahead = executor.submit(augmented, number)
            yield batch


def _validate(trainer: Trainable, options: FitOptions, epoch: int) -> EvaluationResult | None:
    """Evaluate 1-shot episodes of the validation split, as large as it allows up to 5-way."""
    val = options.val
    if val is None or (epoch % options.val_every != 0 and epoch != options.epochs):
        return None
    return evaluate(
        trainer.model,
        val,
        n_way=min(5, val.n_classes),
        n_query=min(15, val.smallest_class - 1),
        n_episodes=VALIDATION_EPISODES,
        n_support_copies=1,
        support_augmentation="none",
        seed=options.seed,
    )
