"""The options of `fit`, checked before anything changes.

A new option takes two edits: a parameter of `Objective.fit` with its text, and a field of
`FitOptions` with its check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd import _validation as check
from skd._memory import too_large_by
from skd._refusals.native import refused_as
from skd.augmentation import MODES, mode_of, padding_of
from skd.choices import Augmentation, ScheduleKind
from skd.datasets import Split
from skd.training._callback import Callback
from skd.training._schedules import SCHEDULES, cosine_lr, one_cycle_lr
from skd.training._trainer import Trainer, training_side

BATCHES_HELD = 2  # the one in use and the next
VALIDATION_EPISODES = 200


Check = Callable[[Any, str, str], Any]  # of value, name and owner; returns the value to keep


def _decisive(check: Check) -> dict[str, Any]:
    """Describe an option that decides the result: a run is resumed only with the same value."""
    return {"check": check, "is_decisive": True}


def _free(check: Check) -> dict[str, Any]:
    """Describe an option that a resumed run may change; `recipe` adds the data and the length."""
    return {"check": check, "is_decisive": False}


def _optional(check: Callable[..., Any], **limits: Any) -> Check:
    """Return a check that None passes, too."""
    return lambda value, name, owner: None if value is None else check(value, name, owner, **limits)


_count = partial(check.integer, minimum=1)
_counts = partial(check.integers, minimum=1)


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """The checked arguments of `fit`."""

    trainer: InitVar[Trainer]
    split: Split
    epochs: int = field(metadata=_free(_count))
    decay_epochs: NDArray[np.int64] = field(metadata=_decisive(check.epochs_list))
    decay_factor: float = field(metadata=_decisive(check.number))
    schedule: ScheduleKind = field(metadata=_decisive(partial(check.choice, legal=SCHEDULES)))
    warmup_epochs: float = field(metadata=_decisive(check.number))
    batch_size: int = field(metadata=_decisive(_count))
    image_sizes: Sequence[int] = field(metadata=_decisive(_optional(_counts)))
    resize_epochs: Sequence[int] = field(metadata=_decisive(_counts))
    augmentation: Augmentation = field(metadata=_decisive(partial(check.choice, legal=MODES)))
    flip: bool = field(metadata=_decisive(check.boolean))
    padding: int = field(metadata=_decisive(_optional(check.integer)))
    seed: int = field(metadata=_decisive(lambda value, _, owner: check.seed(value, owner)))
    val: Split | None = field(metadata=_free(_optional(check.instance, kind=Split)))
    val_every: int = field(metadata=_decisive(_count))
    progress: bool = field(metadata=_free(check.boolean))
    callbacks: tuple[Callback, ...] = field(metadata=_free(partial(check.instances, kind=Callback)))
    checkpoint_dir: Path | None = field(metadata=_free(_optional(check.path)))
    save_every_steps: int | None = field(metadata=_free(_optional(_count)))
    resume: bool = field(metadata=_free(check.boolean))
    prefetch: bool = field(metadata=_free(check.boolean))

    def __post_init__(self, trainer: Trainer) -> None:
        """Check each option by itself, then with the others, the data and the trainer."""
        owner, model = f"{type(trainer).__name__}.fit", trainer.model
        self._check_split(trainer, owner)
        for entry in fields(self):
            if "check" in entry.metadata:
                value = entry.metadata["check"](getattr(self, entry.name), entry.name, owner)
                self._keep(entry.name, value)
        self._check_val(owner)
        self._check_batch_size(trainer, owner)
        self._check_checkpoints(trainer, owner)
        self._check_image_sizes(trainer, owner)
        mode_of(self.augmentation, "augmentation", owner, model.input_channels)
        self._keep("padding", padding_of(self.padding, model.image_size, owner))
        check.number(
            self.warmup_epochs, "warmup_epochs", owner, maximum=self.epochs, open_maximum=True
        )
        self._check_last_rate(trainer, owner)
        self._require_memory(trainer, owner)

    def _keep(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_split(self, trainer: Trainer, owner: str) -> None:
        split, model = check.instance(self.split, "split", owner, Split), trainer.model
        _, side, _, channels = split.images.shape
        if (side, channels) != (model.image_size, model.input_channels):
            legal = f"of {model.image_size} pixels and {model.input_channels} channels"
            check.refuse("split", owner, legal, f"images of shape {split.images.shape}")
        if split.num_classes > model.num_classes:
            legal = f"of at most {model.num_classes} classes"
            check.refuse("split", owner, legal, split.num_classes)

    def _check_val(self, owner: str) -> None:
        if self.val is None:
            return
        shape, legal = self.val.images.shape[1:], self.split.images.shape[1:]
        if shape != legal:
            check.refuse("val", owner, f"of images of shape {legal}", shape)
        if self.val.num_classes < 2:
            check.refuse("val", owner, "of at least 2 classes", self.val.num_classes)
        if self.val.smallest_class < 2:
            check.refuse("val", owner, "of at least 2 images per class", self.val.smallest_class)

    def _check_batch_size(self, trainer: Trainer, owner: str) -> None:
        images, ranks, size = len(self.split), trainer.ranks.size, self.batch_size
        if size < ranks:
            legal = f"at least the number of ranks, {ranks}: each has a part"
            check.refuse("batch_size", owner, legal, size)
        if size > images:
            check.refuse("batch_size", owner, f"at most the number of images, {images}", size)

    def _check_checkpoints(self, trainer: Trainer, owner: str) -> None:
        if self.checkpoint_dir is None:
            for name in ("save_every_steps", "resume"):
                if getattr(self, name):
                    check.refuse(name, owner, "left out without a checkpoint_dir", "one")
        elif trainer.ranks.is_first:  # the first rank alone touches the folder
            check.output_folder(self.checkpoint_dir, "checkpoint_dir", owner)

    def _check_image_sizes(self, trainer: Trainer, owner: str) -> None:
        """Require legal sizes, at least one, and an epoch between each two."""
        model, sizes, changes = trainer.model, self.image_sizes, list(self.resize_epochs)
        if sizes is None:
            sizes = (model.image_size,)
        if not sizes:
            check.refuse("image_sizes", owner, "None or at least one size", sizes)
        self._keep(
            "image_sizes", [training_side(model, side, "image_sizes", owner) for side in sizes]
        )
        if len(changes) != len(sizes) - 1 or changes != sorted(set(changes)):
            legal = f"{len(sizes) - 1} rising epochs, one between each two of image_sizes"
            check.refuse("resize_epochs", owner, legal, changes)

    def _check_last_rate(self, trainer: Trainer, owner: str) -> None:
        with refused_as(owner, epoch="epochs", factor="decay_factor"):
            rate = self.learning_rate(self.epochs, 1, trainer.optimizer.lr)
        if not rate <= float(np.finfo(np.float32).max):
            legal = "such that the learning rate of the last epoch is finite in float32"
            check.refuse("decay_factor", owner, legal, self.decay_factor)

    def _require_memory(self, trainer: Trainer, owner: str) -> None:
        rows = trainer.ranks.slice_of(self.batch_size)
        count, largest = rows.stop - rows.start, max(self.image_sizes)
        held = BATCHES_HELD * 4 * count * largest * largest * trainer.model.input_channels
        with refused_as(owner, x="batch_size"), too_large_by(owner, "batch_size"):
            trainer.require_memory(count, held, image_size=largest)

    @property
    def decisive(self) -> dict[str, Any]:
        """The options that decide the result, but the data and the number of epochs."""
        return {
            entry.name: getattr(self, entry.name)
            for entry in fields(self)
            if entry.metadata.get("is_decisive")
        }

    @property
    def mode(self) -> int:
        """The augmentation, as the library numbers it."""
        return MODES[self.augmentation]

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
    """Return the size in an epoch, counted from 1, if each change takes the next size."""
    return sizes[sum(change < epoch for change in changes)]
