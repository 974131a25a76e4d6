"""The base of the objectives: a trainer with `fit`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from skd.training._options import FitOptions
from skd.training._trainer import Trainer

if TYPE_CHECKING:
    from skd.datasets import Split
    from skd.history import History
    from skd.training._callback import Callback


class Objective(Trainer):
    """A trainer that visits a whole split of images, epoch after epoch."""

    def fit(
        self,
        split: Split,
        *,
        epochs: int,
        decay_epochs: Sequence[int] = (),
        decay_factor: float = 0.1,
        schedule: str = "step",
        warmup_epochs: float = 0.0,
        batch_size: int = 64,
        image_sizes: Sequence[int] | None = None,
        resize_epochs: Sequence[int] = (),
        augmentation: str = "full",
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

        Every epoch visits the images in a new order and leaves out the last incomplete batch.
        While one batch is trained on, the next one is augmented. The model's normalisation
        becomes that of `split`. A run that is resumed ends as one that was never interrupted, bit
        for bit; see ``docs/training.md``.

        Parameters
        ----------
        split : Split
            Images and labels to train on.
        epochs : int
            How many times the images are seen.
        decay_epochs : sequence of int, default=()
            Epochs, counted from 1, after which the learning rate is multiplied by `decay_factor`.
        decay_factor : float, default=0.1
            See `decay_epochs`; "cosine" and "one_cycle" end at its cube.
        schedule : {"step", "cosine", "one_cycle"}, default="step"
            How the learning rate falls, from the optimiser's. "one_cycle" changes it at every step,
            the others at every epoch; see `skd.schedules`.
        warmup_epochs : float, default=0.0
            Epochs, also a fraction of one, over which the rate rises linearly from 0.
        batch_size : int, default=64
            Images of a step, before rotation; over all ranks.
        image_sizes : sequence of int, optional
            Sides in pixels to which the augmented images are resized, one after the other:
            progressive resizing. Small images cost less; end with the size that the model is used
            at. By default the model's `image_size`.
        resize_epochs : sequence of int, default=()
            Epochs, counted from 1, after which the next of `image_sizes` is taken.
        augmentation : {"full", "crop_flip", "none"}, default="full"
            See `skd.augment`.
        flip : bool, default=True
            Whether augmentation mirrors images; set False if left and right have a meaning.
        padding : int, optional
            Zeros around an image before it is cropped; by default 4 for 32 pixels, 8 for 84.
        seed : int, default=0
            Of the order and of the augmentation.
        val : Split, optional
            Novel classes: after each `val_every` epochs the model is evaluated on 1-shot episodes.
        val_every : int, default=1
            See `val`.
        progress : bool, default=True
            Whether to show the progress: a bar on a terminal and in a notebook, else a line now and
            then on the standard error.
        callbacks : sequence of Callback, default=()
            Told of the begin, each step, each epoch and the end; see `skd.callbacks`. Ranks may
            have different ones, or none.
        checkpoint_dir : str or path, optional
            Folder of checkpoints: the last two, and ``best.safetensors`` on `val`. One is written
            after every epoch and on Ctrl-C or SIGTERM, which end the run within a step.
        save_every_steps : int, optional
            Write one after every so many steps too.
        resume : bool, default=False
            Whether to go on from the newest usable checkpoint, if there is one. The data, `epochs`
            under the cosine and all options of the model, the objective and the run must be equal.
        prefetch : bool, default=True
            Whether to augment a batch while the one before is trained on; changes no result.

        Returns
        -------
        history : History
            One record per epoch, those before the interruption included.

        Raises
        ------
        NonFiniteLossError
            If a step comes out NaN or infinite; the model is as the step before left it.
        WriteError
            If a checkpoint, or a file of a callback, cannot be written. It is an `OSError` that
            names the file and the checkpoint to resume from; those written before are intact.
        SKDError
            If there are checkpoints to resume from, but none is whole and finite; or where another
            rank raises one of these.
        ValueError
            If an argument is wrong, the folder holds checkpoints without `resume`, or those of
            another run; the differences are named and nothing is changed.
        """
        arguments = {name: value for name, value in locals().items() if name != "self"}
        from skd.training._loop import fit  # loads concurrent.futures

        with self.ranks.abort_on_local_error(), self.ranks.raise_on_all_ranks():
            options = FitOptions(trainer=self, **arguments)
        with self.ranks.abort_on_local_error():
            return fit(self, options)


def check_fit(trainer: Objective, split: Split, **options: Any) -> None:
    """Raise what `fit` would raise for these arguments before its first step."""
    call = inspect.signature(trainer.fit).bind(split, **options)
    call.apply_defaults()
    FitOptions(trainer=trainer, **call.arguments)
