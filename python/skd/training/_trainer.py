"""What the objectives have in common: steps and `fit`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._files.hashes import state_sha256
from skd._memory import too_large_by
from skd._refusals.native import refused_as
from skd._version import __version__
from skd.distributed.mpi_ranks import ranks_of
from skd.errors import SKDError
from skd.history import Losses
from skd.machine import instruction_set
from skd.models import Model, model_floats
from skd.models.plausible_floats import require_plausible
from skd.training._options import FitOptions
from skd.training._sgd import SGD
from skd.training._terms import Term, checked_terms, described
from skd.training._trainer_state import TrainerState, training_side

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm

    from skd.datasets import Split
    from skd.history import EpochRecord, History
    from skd.training._callback import Callback


class Trainer(TrainerState):
    """What the objectives share: an objective with its optimiser, over one model."""

    _labels_required = True

    def __init__(
        self,
        model: Model,
        teacher: Model | None,
        objective: int,
        optimizer: SGD | None,
        seed: int,
        *,
        alpha: float = 0.0,
        beta: float = 0.0,
        temperature: float = 1.0,
        twins: Sequence[int] = (180,),
        all_views: bool = False,
        rotations_per_image: int = 4,
        terms: Sequence[Term] = (),
        communicator: Intracomm | None = None,
        sync_batch_norm: bool = True,
    ) -> None:
        owner = type(self).__name__
        self.model = model
        self.terms = checked_terms(terms, owner)
        self.sync_batch_norm = check.boolean(sync_batch_norm, "sync_batch_norm", owner)
        self.seed = check.seed(seed, owner)
        if optimizer is None:
            optimizer = SGD()
        self.optimizer = check.instance(optimizer, "optimizer", owner, SGD)
        self._learning_rate = self.optimizer.lr
        with refused_as(owner):
            self._native = _native.Trainer(
                model._native,
                None if teacher is None else teacher._native,
                objective,
                alpha,
                beta,
                temperature,
                90 in twins,
                180 in twins,
                270 in twins,
                all_views,
                rotations_per_image,
                self.optimizer.lr,
                self.optimizer.momentum,
                self.optimizer.weight_decay,
                self.seed,
            )
        self.ranks = ranks_of(communicator, owner)
        if self.ranks.size > 1:
            with self.ranks.guarded():
                self.ranks.require_equal(self._identity(teacher), owner)

    def _identity(self, teacher: Model | None) -> dict[str, Any]:
        """Return what must be equal in all processes that train together."""
        return {
            "version": __version__,
            "instruction set": instruction_set(),  # others round otherwise
            **self.model.config,
            **self.recipe(),
            "model": state_sha256(self.model.snapshot()),
            "teacher": None if teacher is None else state_sha256(teacher.snapshot()),
        }

    def step(
        self, x: ArrayLike, labels: ArrayLike | None, *, image_size: int | None = None
    ) -> Losses:
        """Take one training step: forward, losses, backward, SGD.

        Parameters
        ----------
        x : array-like of shape (batch, image_size, image_size, channels), dtype float32
            Normalised images, not rotated; uint8 ones are normalised by the model's own. With a
            communicator, this rank's part of a batch that lies over the ranks in their order.
        labels : array-like of shape (batch,), dtype int64
            Classes, in ``0..num_classes - 1``. `Gen1` takes None too.
        image_size : int, optional
            Side of the images in pixels; by default the model's. The network ends in a global
            average, so its weights fit images of any side that its poolings allow.

        Returns
        -------
        losses : Losses
            Terms of the loss before the step, means over the whole batch.

        Raises
        ------
        NonFiniteLossError
            If a loss, a term or a gradient is NaN or infinite, or the update would make a
            parameter so; nothing is then updated.
        MemoryError
            If the machine has less memory than the step needs; see `step_memory`.
        """
        return self._advance("step", self._native.step, x, labels, image_size)

    def loss(
        self, x: ArrayLike, labels: ArrayLike | None, *, image_size: int | None = None
    ) -> Losses:
        """Compute the losses and gradients of a step without any update.

        Parameters
        ----------
        x : array-like of shape (batch, image_size, image_size, channels), dtype float32
            As for `step`.
        labels : array-like of shape (batch,), dtype int64
            As for `step`.
        image_size : int, optional
            As for `step`.

        Returns
        -------
        losses : Losses
            Terms of the loss.
        """
        return self._advance("loss", self._native.loss, x, labels, image_size)

    def _advance(
        self,
        method: str,
        call: Callable[..., tuple[float, float, float, float, float, float, float]],
        x: ArrayLike,
        labels: ArrayLike | None,
        image_size: int | None,
    ) -> Losses:
        """Call the library with the own terms, and report their values with its losses."""
        values: dict[str, float] = {}
        ranks = self.ranks
        with ranks.guarded():
            with ranks.together():
                images, targets = self._batch(x, labels, image_size, method)
            share = ranks.share(len(images), sync_batch_norm=self.sync_batch_norm)
            terms = described(self.terms, targets, values, ranks)
            named = refused_as(f"{type(self).__name__}.{method}")
            # What the library reports so, it reports in all processes.
            with ranks.alike(SKDError), self._explaining_non_finite(values), named:
                losses = call(images, targets, terms, share)
            return Losses(*losses, terms=ranks.mean(values, len(images)))

    def gradients(self) -> dict[str, NDArray[np.float32]]:
        """Return the gradients of the last `step` or `loss`.

        Returns
        -------
        gradients : dict of str to ndarray
            Read-only views under the names and in the shapes of `Model.state_dict`; only of
            parameters that have a gradient.
        """
        return self._native.gradients()

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
        callback: Callable[[EpochRecord], object] | None = None,
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
        callback : callable, optional
            Called with the `EpochRecord` of each epoch, after its checkpoint is written; on every
            rank.
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
        from skd.training._loop import fit  # loads concurrent.futures

        with self.ranks.guarded(), self.ranks.together():
            options = FitOptions.checked(
                self,
                split,
                epochs=epochs,
                decay_epochs=decay_epochs,
                decay_factor=decay_factor,
                schedule=schedule,
                warmup_epochs=warmup_epochs,
                batch_size=batch_size,
                image_sizes=image_sizes,
                resize_epochs=resize_epochs,
                augmentation=augmentation,
                flip=flip,
                padding=padding,
                seed=seed,
                val=val,
                val_every=val_every,
                progress=progress,
                callback=callback,
                callbacks=callbacks,
                checkpoint_dir=checkpoint_dir,
                save_every_steps=save_every_steps,
                resume=resume,
                prefetch=prefetch,
            )
        with self.ranks.guarded():
            return fit(self, options)

    def _batch(
        self, x: Any, labels: Any, image_size: Any, method: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
        """Return a batch in the form that the library takes."""
        owner, model = f"{type(self).__name__}.{method}", self.model
        side = training_side(model, image_size, "image_size", owner)
        images = check.model_images(x, "x", owner, side=side, channels=model.input_channels)
        if not len(images):
            check.refuse("x", owner, "at least one image", "an empty batch")
        with refused_as(owner, batch_size="x"), too_large_by(owner, "x"):
            self.require_memory(len(images), check.float_copy_bytes(images), image_size=side)
        if labels is None and not self._labels_required:
            targets = None
        else:
            targets = check.integer_array(labels, "labels", owner, length=len(images), of="x")
        floats = model_floats(images, model.normalization, owner, name="x")
        if images.dtype != np.uint8 and model.normalization is not None:
            require_plausible(floats, model.normalization, "x", owner)
        return floats, targets
