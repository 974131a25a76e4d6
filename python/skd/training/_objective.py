"""The base of the objectives: a trainer with `fit`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from skd._refusals import delegated
from skd.choices import Augmentation, ScheduleKind
from skd.datasets.episode_size import warn_of_smaller_episodes
from skd.training._options import FitOptions
from skd.training._plan import TrainingPlan, training_plan
from skd.training._trainer import Trainer

if TYPE_CHECKING:
    from skd.datasets import Split
    from skd.history import History
    from skd.training._callback import Callback


class Objective(Trainer):
    """A trainer that visits a whole split of images, epoch after epoch."""

    def __repr__(self) -> str:
        """Return the models, the options and the steps so far, one on each line."""
        teacher = getattr(self, "teacher", None)
        models = (
            {"model": self.model}
            if teacher is None
            else {"student": self.model, "teacher": teacher}
        )
        options = {name: getattr(self, name) for name in self._options}
        further = {"terms": self.terms} if self.terms else {}
        own = {"optimizer": self.optimizer, "seed": self.seed, "steps_taken": self.steps_taken}
        lines = (
            f"  {name}={value!r}," for name, value in (models | options | further | own).items()
        )
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])

    def fit(
        self,
        split: Split,
        *,
        epochs: int,
        decay_epochs: Sequence[int] = (),
        decay_factor: float = 0.1,
        schedule: ScheduleKind = "step",
        warmup_epochs: float = 0.0,
        batch_size: int = 64,
        image_sizes: Sequence[int] | None = None,
        resize_epochs: Sequence[int] = (),
        augmentation: Augmentation = "full",
        flip: bool = True,
        padding: int | None = None,
        seed: int = 0,
        val: Split | None = None,
        val_every: int = 1,
        progress: bool = True,
        callbacks: Sequence[Callback] = (),
        checkpoint_dir: str | PathLike[str] | None = None,
        save_every_steps: int | None = None,
        resume: bool = False,
        prefetch: bool = True,
    ) -> History:
        """Train for a number of epochs.

        Every epoch visits the images in a new order and drops the last incomplete batch. While
        one batch is trained on, the next one is augmented. The model takes over the normalisation
        of `split`. A resumed run gives the same result as an uninterrupted one, bit for bit; see
        ``docs/how-to/training.md``.

        Parameters
        ----------
        split : Split
            Images and labels to train on.
        epochs : int
            Number of passes over the images.
        decay_epochs : sequence of int, default=()
            Epochs, counted from 1, after which the learning rate is multiplied by `decay_factor`.
        decay_factor : float, default=0.1
            Factor of `decay_epochs`; "cosine" and "one_cycle" end at its cube times the rate.
        schedule : {"step", "cosine", "one_cycle"}, default="step"
            Schedule of the learning rate, which starts from the optimiser's. "one_cycle" changes
            it at every step, the others at every epoch; see `skd.step_lr`, `skd.cosine_lr` and
            `skd.one_cycle_lr`.
        warmup_epochs : float, default=0.0
            Number of epochs over which the rate rises linearly from 0; may be a fraction.
        batch_size : int, default=64
            Images of a step, before rotation, over all ranks.
        image_sizes : sequence of int, optional
            Sides in pixels to which the augmented images are resized, one after the other
            (progressive resizing). Small images cost less; end with the size at which the model
            will be used. By default the model's `image_size`.
        resize_epochs : sequence of int, default=()
            Epochs, counted from 1, after which the next of `image_sizes` is used.
        augmentation : {"full", "crop_flip", "none"}, default="full"
            Augmentation of the images; see `skd.augment`.
        flip : bool, default=True
            Whether augmentation mirrors images; set False if left and right differ in meaning.
        padding : int, optional
            Zeros around an image before it is cropped; by default 4 for 32 pixels, 8 for 84.
        seed : int, default=0
            Seed of the order and the augmentation.
        val : Split, optional
            Images of novel classes, on which the model is evaluated in 5-way 1-shot episodes with
            15 queries of each class. A smaller split gets smaller episodes, with a warning.
        val_every : int, default=1
            Number of epochs between two evaluations on `val`.
        progress : bool, default=True
            Show the progress: a bar on a terminal and in a notebook, otherwise a line for each
            epoch, and for parts of long ones, of the logger ``skd``.
        callbacks : sequence of Callback, default=()
            Callbacks that hear of the beginning, each step, each epoch and the end; see
            `skd.callbacks`. Ranks may have different callbacks, or none.
        checkpoint_dir : str or path, optional
            Folder of checkpoints: the last two, and ``best.safetensors``, the best on `val`. One
            is written after every epoch and on Ctrl-C or SIGTERM, which end the run within a step.
        save_every_steps : int, optional
            Number of steps after which a further checkpoint is written.
        resume : bool, default=False
            Continue from the newest usable checkpoint, if there is one. The data, `epochs` unless
            the schedule is "step", and all options of the model, the objective and the run must be
            equal.
        prefetch : bool, default=True
            Augment a batch while the one before is trained on; does not change the result.

        Returns
        -------
        history : History
            One record per epoch, including the epochs before an interruption.

        Raises
        ------
        NonFiniteLossError
            If a step gives NaN or infinite values; the model keeps the state before that step.
        WriteError
            If a checkpoint, or a file of a callback, cannot be written. It is an `OSError` that
            names the file and the checkpoint to resume from; earlier files are intact.
        SKDError
            If there are checkpoints to resume from, but none is whole and finite; or if another
            rank raises one of these.
        ValueError
            If an argument is wrong, or the folder holds checkpoints of another run, or any
            without `resume`; the differences are named and nothing is changed.

        Warns
        -----
        SmallSplitWarning
            If `val` is too small for the standard episodes.
        """
        arguments = {name: value for name, value in locals().items() if name != "self"}
        from skd.training._loop import fit  # loads concurrent.futures

        options = self._fit_options(arguments)
        if options.val is not None and self.ranks.is_first:
            warn_of_smaller_episodes(options.val, f"{type(self).__name__}.fit")
        with self.ranks.abort_on_local_error():
            return fit(self, options)

    def plan(self, split: Split, **options: Any) -> TrainingPlan:
        """Measure what `fit` would take, without training.

        It times the losses and gradients of a batch of `split`, which change nothing, and
        multiplies by the number of steps. It also raises what `fit` would raise before its first
        step.

        Parameters
        ----------
        split : Split
            Images and labels to train on.
        **options
            Arguments of `fit`, of which `epochs` is required. With `resume`, only what remains
            after the newest checkpoint counts.

        Returns
        -------
        plan : TrainingPlan
            Steps, time and memory.

        Raises
        ------
        MemoryError
            If the machine lacks the memory for a step.
        ValueError
            If an argument is wrong.

        Examples
        --------
        >>> data = skd.datasets.load("glyphs")
        >>> model = skd.create_model("convnet4", num_classes=141, image_size=32)
        >>> plan = skd.Supervised(model).plan(data.train, epochs=10)
        >>> plan.steps, plan.seconds > 0
        (880, True)
        """
        name = type(self).__name__
        with delegated(f"{name}.plan", f"{name}.fit", f"{name}.loss"):
            arguments = bound_arguments(self, split, options)
            with self.ranks.abort_on_local_error():
                return training_plan(self, self._fit_options(arguments))

    def _fit_options(self, arguments: dict[str, Any]) -> FitOptions:
        """Return the checked arguments of `fit`."""
        with self.ranks.abort_on_local_error(), self.ranks.raise_on_all_ranks():
            return FitOptions(trainer=self, **arguments)


def check_fit(trainer: Objective, split: Split, **options: Any) -> None:
    """Raise what `fit` would raise for these arguments before its first step."""
    FitOptions(trainer=trainer, **bound_arguments(trainer, split, options))


def bound_arguments(trainer: Objective, split: Split, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all arguments of a call of `fit`, with its defaults."""
    call = inspect.signature(trainer.fit).bind(split, **options)
    call.apply_defaults()
    return call.arguments
