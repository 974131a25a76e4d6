"""Training objectives: plain supervision, Generation 0 and Generation 1.

References
----------
.. [1] J. Rajasegaran et al., "Self-supervised Knowledge Distillation for Few-shot Learning",
   arXiv:2006.09785, 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._trainer_state import TrainerState
from skd.history import Losses
from skd.models import Model, model_floats
from skd.optimizers import SGD
from skd.terms import Term, checked_terms, described

if TYPE_CHECKING:
    from skd.callbacks import Callback
    from skd.datasets import Split
    from skd.history import EpochRecord, History

__all__ = ["Gen0", "Gen1", "Supervised"]

ROTATIONS = (90, 180, 270)


class _Trainer(TrainerState):
    """What the three objectives share: an objective with its optimiser, over one model."""

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
        terms: Sequence[Term] = (),
    ) -> None:
        owner = type(self).__name__
        self.model = model
        self.terms = checked_terms(terms, owner)
        self.seed = check.seed(seed, owner)
        if optimizer is None:
            optimizer = SGD()
        self.optimizer = check.instance(optimizer, "optimizer", owner, SGD)
        self._learning_rate = self.optimizer.lr
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
            self.optimizer.lr,
            self.optimizer.momentum,
            self.optimizer.weight_decay,
            self.seed,
        )

    def step(self, x: ArrayLike, labels: ArrayLike | None) -> Losses:
        """Take one training step: forward, losses, backward, SGD.

        Parameters
        ----------
        x : array-like of shape (batch, image_size, image_size, channels), dtype float32
            Normalised images, not rotated; uint8 ones are normalised by the model's own.
        labels : array-like of shape (batch,), dtype int64
            Classes, in ``0..num_classes - 1``. `Gen1` takes None too.

        Returns
        -------
        losses : Losses
            Terms of the loss before the step.

        Raises
        ------
        NonFiniteLossError
            If a loss, a term or a gradient is NaN or infinite; nothing is then updated.
        """
        return self._advance(self._native.step, *self._batch(x, labels, "step"))

    def loss(self, x: ArrayLike, labels: ArrayLike | None) -> Losses:
        """Compute the losses and gradients of a step without any update.

        Parameters
        ----------
        x : array-like of shape (batch, image_size, image_size, channels), dtype float32
            As for `step`.
        labels : array-like of shape (batch,), dtype int64
            As for `step`.

        Returns
        -------
        losses : Losses
            Terms of the loss.
        """
        return self._advance(self._native.loss, *self._batch(x, labels, "loss"))

    def _advance(
        self,
        call: Callable[..., tuple[float, float, float, float, float, float, float]],
        images: NDArray[np.float32],
        labels: NDArray[np.int64] | None,
    ) -> Losses:
        """Call the library with the own terms, and report their values with its losses."""
        values: dict[str, float] = {}
        with self._explaining_non_finite(values):
            losses = call(images, labels, described(self.terms, labels, values))
        return Losses(*losses, terms=values)

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
        batch_size: int = 64,
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
            See `decay_epochs`; the cosine ends at its cube.
        schedule : {"step", "cosine"}, default="step"
            How the learning rate falls, from the optimiser's.
        batch_size : int, default=64
            Images of a step, before rotation.
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
            Whether to show a progress bar, if the standard error is a terminal.
        callback : callable, optional
            Called with the `EpochRecord` of each epoch, after its checkpoint is written.
        callbacks : sequence of Callback, default=()
            Told of the begin, each step, each epoch and the end; see `skd.callbacks`.
        checkpoint_dir : str or path, optional
            Folder of checkpoints: the last two, and ``best.safetensors`` on `val`. One is written
            after every epoch and on Ctrl-C or SIGTERM, which end the run within a step.
        save_every_steps : int, optional
            Write one after every so many steps too.
        resume : bool, default=False
            Whether to go on from the newest whole checkpoint, if there is one. The data, `epochs`
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
            If a loss is NaN or infinite; the model is as the step before left it.
        OSError
            If a checkpoint cannot be written; those written before are intact.
        SKDError
            If there are checkpoints to resume from, but none is whole.
        ValueError
            If an argument is wrong, the folder holds checkpoints without `resume`, or those of
            another run; the differences are named and nothing is changed.
        """
        from skd._fit_options import FitOptions
        from skd._fitting import fit

        options = FitOptions.checked(
            self,
            split,
            epochs=epochs,
            decay_epochs=decay_epochs,
            decay_factor=decay_factor,
            schedule=schedule,
            batch_size=batch_size,
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
        return fit(self, options)

    def _batch(
        self, x: Any, labels: Any, method: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
        """Return a batch in the form that the library takes."""
        owner, model = f"{type(self).__name__}.{method}", self.model
        images = check.model_images(
            x, "x", owner, side=model.image_size, channels=model.input_channels
        )
        if not len(images):
            check.refuse("x", owner, "at least one image", "an empty batch")
        if labels is None and not self._labels_required:
            targets = None
        else:
            targets = check.integer_array(labels, "labels", owner, length=len(images))
        return model_floats(images, model.normalization, owner), targets


class Supervised(_Trainer):
    """Cross-entropy on images that are not rotated; known as RFS-simple.

    Parameters
    ----------
    model : Model
        Trained in place.
    optimizer : SGD, default=SGD()
        Learning rate, momentum and weight decay.
    seed : int, default=0
        Of dropout and DropBlock.
    terms : sequence of Term, default=()
        Join the loss.

    Examples
    --------
    >>> model = skd.create_model("convnet4", num_classes=2, image_size=16)
    >>> supervised = Supervised(model, optimizer=skd.SGD(lr=0.01))
    >>> losses = supervised.step(np.zeros((2, 16, 16, 3)), [0, 1])
    >>> losses.total == losses.cross_entropy
    True
    """

    def __init__(
        self,
        model: Model,
        *,
        optimizer: SGD | None = None,
        seed: int = 0,
        terms: Sequence[Term] = (),
    ) -> None:
        check.instance(model, "model", "Supervised", Model)
        super().__init__(model, None, _native.SUPERVISED, optimizer, seed, terms=terms)


class Gen0(_Trainer):
    """Generation 0 [1]_: classes and rotations of images in all four rotations.

    ``total = cross_entropy + alpha * rotation``; the rotation is predicted from the logits.

    Parameters
    ----------
    model : Model
        With a rotation head; trained in place.
    alpha : float, default=2.0
        Weight of the rotation loss, >= 0.
    optimizer : SGD, default=SGD()
        Learning rate, momentum and weight decay.
    seed : int, default=0
        Of dropout and DropBlock.
    terms : sequence of Term, default=()
        Join the loss.

    References
    ----------
    .. [1] J. Rajasegaran et al., "Self-supervised Knowledge Distillation for Few-shot Learning",
       arXiv:2006.09785, 2020.
    """

    _options = ("alpha",)

    def __init__(
        self,
        model: Model,
        *,
        alpha: float = 2.0,
        optimizer: SGD | None = None,
        seed: int = 0,
        terms: Sequence[Term] = (),
    ) -> None:
        check.instance(model, "model", "Gen0", Model)
        if not model.has_rotation_head:
            check.refuse("model", "Gen0", "a model with a rotation head", repr(model))
        self.alpha = check.number(alpha, "alpha", "Gen0")
        super().__init__(model, None, _native.GEN0, optimizer, seed, alpha=self.alpha, terms=terms)


class Gen1(_Trainer):
    """Generation 1 [1]_: a student follows its teacher and pulls rotated twins together.

    ``total = distillation + beta * twin``; labels serve for the accuracy only and may be None.

    Parameters
    ----------
    student : Model
        Trained in place; usually ``teacher.clone()``.
    teacher : Model
        Another model of equal classes, image size and channels; only evaluated.
    beta : float, default=0.1
        Weight of the mean twin term, >= 0. Published code divides its one twin term by 3: its
        "0.1" is ``beta=0.1 / 3`` here.
    temperature : float, default=4.0
        Of the distillation, > 0.
    twin_rotations : sequence of {90, 180, 270}, default=(180,)
        Rotations whose twins are pulled to the upright images.
    bn_views : {"twins", "all"}, default="twins"
        Which views enter the student's batch statistics: the upright images and the twins, or
        all four rotations as in the published code.
    optimizer : SGD, default=SGD()
        Learning rate, momentum and weight decay.
    seed : int, default=0
        Of dropout and DropBlock.
    terms : sequence of Term, default=()
        Join the loss.

    References
    ----------
    .. [1] J. Rajasegaran et al., "Self-supervised Knowledge Distillation for Few-shot Learning",
       arXiv:2006.09785, 2020.
    """

    _labels_required = False
    _options = ("beta", "temperature", "twin_rotations", "bn_views")

    def __init__(
        self,
        student: Model,
        teacher: Model,
        *,
        beta: float = 0.1,
        temperature: float = 4.0,
        twin_rotations: Sequence[int] = (180,),
        bn_views: str = "twins",
        optimizer: SGD | None = None,
        seed: int = 0,
        terms: Sequence[Term] = (),
    ) -> None:
        owner = "Gen1"
        check_teacher(student, teacher, owner)
        self.teacher = teacher
        self.beta = check.number(beta, "beta", owner)
        self.temperature = check.number(temperature, "temperature", owner, open_minimum=True)
        self.twin_rotations = check.subset(twin_rotations, "twin_rotations", owner, ROTATIONS)
        self.bn_views = check.choice(bn_views, "bn_views", owner, ("twins", "all"))
        super().__init__(
            student,
            teacher,
            _native.GEN1,
            optimizer,
            seed,
            beta=self.beta,
            temperature=self.temperature,
            twins=self.twin_rotations,
            all_views=self.bn_views == "all",
            terms=terms,
        )


def check_teacher(student: Model, teacher: Model, owner: str) -> None:
    """Refuse a teacher that cannot teach the student."""
    check.instance(student, "student", owner, Model)
    check.instance(teacher, "teacher", owner, Model)
    if student is teacher:
        check.refuse("teacher", owner, "another model than the student", "the student")
    for name in ("num_classes", "image_size", "input_channels"):
        own, taught = getattr(student, name), getattr(teacher, name)
        if own != taught:
            check.refuse("teacher", owner, f"a model with {name} {own}", taught)
