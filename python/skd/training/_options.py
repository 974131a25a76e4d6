"""The arguments of `fit`, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._memory import too_large_by
from skd._refusals.native import refused_as
from skd.augmentation import mode_of, padding_of
from skd.datasets import Split
from skd.history import EpochRecord, Losses
from skd.training._callback import Callback
from skd.training._schedules import SCHEDULES, cosine_lr, one_cycle_lr
from skd.training._trainer_state import training_side

if TYPE_CHECKING:
    from skd.distributed.ranks import Ranks
    from skd.models import Model
    from skd.training._sgd import SGD


BATCHES_HELD = 2  # the one in use and the next
VALIDATION_EPISODES = 200


class Trainable(Protocol):
    """What the loop needs of a trainer."""

    model: Model
    optimizer: SGD
    learning_rate: float
    ranks: Ranks

    @property
    def steps_taken(self) -> int:
        """Training steps so far."""

    def step(
        self,
        x: NDArray[np.float32],
        labels: NDArray[np.int64],
        /,
        *,
        image_size: int | None = None,
    ) -> Losses:
        """Train on one batch."""

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return what the next step depends on beside the model."""

    def snapshot(self) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Copy the states of model and trainer, after the same step."""

    def load_state_dict(self, state_dict: Mapping[str, ArrayLike], /) -> None:
        """Replace what `state_dict` returns."""

    def level_running_statistics(self) -> None:
        """Take over those of the first process, where each has its own."""

    def recipe(self) -> dict[str, Any]:
        """Return the options of the objective."""

    def require_memory(
        self, batch_size: int, further_bytes: int = 0, *, image_size: int | None = None
    ) -> None:
        """Raise a MemoryError if the machine lacks the memory for a step."""


@dataclass(frozen=True)
class FitOptions:
    """The checked arguments of `fit`."""

    split: Split
    epochs: int
    decay_epochs: NDArray[np.int64]
    decay_factor: float
    schedule: str
    warmup_epochs: float
    batch_size: int
    image_sizes: tuple[int, ...]
    resize_epochs: tuple[int, ...]
    mode: int
    flip: bool
    padding: int
    seed: int
    val: Split | None
    val_every: int
    progress: bool
    callback: Callable[[EpochRecord], object] | None
    callbacks: tuple[Callback, ...]
    checkpoint_dir: Path | None
    save_every_steps: int | None
    resume: bool
    prefetch: bool

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
        warmup_epochs: Any,
        batch_size: Any,
        image_sizes: Any,
        resize_epochs: Any,
        augmentation: Any,
        flip: Any,
        padding: Any,
        seed: Any,
        val: Any,
        val_every: Any,
        progress: Any,
        callback: Any,
        callbacks: Any,
        checkpoint_dir: Any,
        save_every_steps: Any,
        resume: Any,
        prefetch: Any,
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
            if val.n_classes < 2:
                check.refuse("val", owner, "of at least 2 classes", val.n_classes)
            if val.smallest_class < 2:
                check.refuse("val", owner, "of at least 2 images per class", val.smallest_class)
        size = check.integer(batch_size, "batch_size", owner, minimum=1)
        if size < trainer.ranks.size:
            legal = f"at least the number of ranks, {trainer.ranks.size}: each has a part"
            check.refuse("batch_size", owner, legal, size)
        if size > len(split):
            check.refuse("batch_size", owner, f"at most the number of images, {len(split)}", size)
        if callback is not None and not callable(callback):
            got = type(callback).__name__
            check.refuse("callback", owner, "callable", got, TypeError)
        if checkpoint_dir is not None:
            # The first rank alone touches the folder.
            checked = check.output_folder if trainer.ranks.is_first else check.path
            checkpoint_dir = checked(checkpoint_dir, "checkpoint_dir", owner)
        elif check.boolean(resume, "resume", owner) or save_every_steps is not None:
            name = "save_every_steps" if save_every_steps is not None else "resume"
            check.refuse(name, owner, "left out without a checkpoint_dir", "one")
        if save_every_steps is not None:
            save_every_steps = check.integer(save_every_steps, "save_every_steps", owner, minimum=1)
        sides, changes = _image_sizes(model, image_sizes, resize_epochs, owner)
        options = cls(
            split=split,
            epochs=check.integer(epochs, "epochs", owner, minimum=1),
            decay_epochs=check.epochs_list(decay_epochs, "decay_epochs", owner),
            decay_factor=check.number(decay_factor, "decay_factor", owner),
            schedule=check.choice(schedule, "schedule", owner, SCHEDULES),
            warmup_epochs=_warmup(warmup_epochs, epochs, owner),
            batch_size=size,
            image_sizes=sides,
            resize_epochs=changes,
            mode=mode_of(augmentation, "augmentation", owner, channels),
            flip=check.boolean(flip, "flip", owner),
            padding=padding_of(padding, side, owner),
            seed=check.seed(seed, owner),
            val=val,
            val_every=check.integer(val_every, "val_every", owner, minimum=1),
            progress=check.boolean(progress, "progress", owner),
            callback=callback,
            callbacks=_listeners(callbacks, owner),
            checkpoint_dir=checkpoint_dir,
            save_every_steps=save_every_steps,
            resume=check.boolean(resume, "resume", owner),
            prefetch=check.boolean(prefetch, "prefetch", owner),
        )
        with refused_as(owner, epoch="epochs", factor="decay_factor"):
            rate = options.learning_rate(options.epochs, 1, trainer.optimizer.lr)
        if not rate <= float(np.finfo(np.float32).max):
            legal = "such that the learning rate of the last epoch is finite in float32"
            check.refuse("decay_factor", owner, legal, options.decay_factor)
        own = trainer.ranks.slice_of(size)
        count, largest = own.stop - own.start, max(sides)
        held = BATCHES_HELD * 4 * count * largest * largest * channels
        with refused_as(owner, x="batch_size"), too_large_by(owner, "batch_size"):
            trainer.require_memory(count, held, image_size=largest)
        return options

    @property
    def steps_per_epoch(self) -> int:
        """Complete batches of an epoch."""
        return len(self.split) // self.batch_size

    def image_size(self, epoch: int) -> int:
        """Side of the images of an epoch, counted from 1."""
        return image_size_of(epoch, self.image_sizes, self.resize_epochs)

    def learning_rate(self, epoch: int, step: int, base: float) -> float:
        """Rate of a step; epochs and the steps of an epoch are counted from 1."""
        progress = epoch - 1 + step / self.steps_per_epoch
        if self.schedule == "one_cycle":
            return one_cycle_lr(
                progress,
                epochs=self.epochs,
                base=base,
                warmup_epochs=self.warmup_epochs,
                factor=self.decay_factor,
            )
        if self.schedule == "cosine":
            rate = cosine_lr(epoch, epochs=self.epochs, base=base, factor=self.decay_factor)
        else:
            rate = _native.step_learning_rate(epoch, base, self.decay_factor, self.decay_epochs)
        return rate * progress / self.warmup_epochs if progress < self.warmup_epochs else rate


def image_size_of(epoch: int, sizes: Sequence[int], changes: Sequence[int]) -> int:
    """Return the size in an epoch, counted from 1, if the next is taken after each change."""
    return sizes[sum(change < epoch for change in changes)]


def _warmup(value: Any, epochs: Any, owner: str) -> float:
    """Return the length of the warm-up, which must end before the training does."""
    return check.number(value, "warmup_epochs", owner, maximum=float(epochs), open_maximum=True)


def _image_sizes(
    model: Model, sizes: Any, changes: Any, owner: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the sides of progressive resizing, at least one, and the epochs between them."""
    epochs = tuple(check.integers(changes, "resize_epochs", owner, minimum=1))
    if sizes is None:
        sides: tuple[int, ...] = (model.image_size,)
    else:
        listed = check.integers(sizes, "image_sizes", owner, minimum=1)
        sides = tuple(training_side(model, side, "image_sizes", owner) for side in listed)
        if not sides:
            check.refuse("image_sizes", owner, "None or at least one size", list(listed))
    if len(epochs) != len(sides) - 1 or list(epochs) != sorted(set(epochs)):
        legal = f"{len(sides) - 1} rising epochs, one between each two of image_sizes"
        check.refuse("resize_epochs", owner, legal, list(epochs))
    return sides, epochs


def _listeners(value: Any, owner: str) -> tuple[Callback, ...]:
    """Return the callbacks as a tuple."""
    return check.instances(value, "callbacks", owner, Callback)
