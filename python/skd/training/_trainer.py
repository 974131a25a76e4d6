"""A trainer: an objective with its optimiser over one model, and the state between steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._files.hashes import state_sha256
from skd._memory import too_large_by
from skd._refusals.native import refused_as
from skd._version import __version__
from skd.distributed.mpi_ranks import ranks_of
from skd.errors import NonFiniteLossError, SKDError
from skd.history import Losses
from skd.machine import instruction_set
from skd.models import Model, model_floats
from skd.models.plausible_floats import require_plausible
from skd.training._sgd import SGD
from skd.training._terms import Term, checked_terms, native_terms

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm

VELOCITY_PREFIX = "velocity."
MAX_IMAGE_SIZE = 4096  # side in pixels
MAX_STEP = 2**47  # where the counters of random numbers still have room


def training_side(model: Model, value: Any, name: str, owner: str) -> int:
    """Return the side of training images in pixels, the model's for None."""
    if value is None:
        return model.image_size
    smallest = model._native.minimum_image_size
    return check.integer(value, name, owner, minimum=smallest, maximum=MAX_IMAGE_SIZE)


class Trainer:
    """An objective with its optimiser, over one model: takes steps, and keeps their state."""

    #: Names of the attributes that are options of the objective.
    _options: tuple[str, ...] = ()
    _labels_required = True

    def __init__(
        self,
        model: Model,
        teacher: Model | None,
        objective: int,
        optimizer: SGD | None,
        seed: int,
        *,
        rotation_weight: float = 0.0,
        twin_weight: float = 0.0,
        cross_entropy_weight: float = 0.0,
        distillation_weight: float = 0.0,
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
                objective=objective,
                rotation_weight=rotation_weight,
                twin_weight=twin_weight,
                cross_entropy_weight=cross_entropy_weight,
                distillation_weight=distillation_weight,
                temperature=temperature,
                twin_90=90 in twins,
                twin_180=180 in twins,
                twin_270=270 in twins,
                all_views=all_views,
                rotations_per_image=rotations_per_image,
                learning_rate=self.optimizer.lr,
                momentum=self.optimizer.momentum,
                weight_decay=self.optimizer.weight_decay,
                seed=self.seed,
            )
        self.ranks = ranks_of(communicator, owner)
        if self.ranks.size > 1:
            with self.ranks.abort_on_local_error():
                self.ranks.require_equal(self._identity(teacher), owner)

    def _identity(self, teacher: Model | None) -> dict[str, Any]:
        """Return the values that must be equal on all ranks."""
        return {
            "version": __version__,
            "instruction set": instruction_set(),  # other instruction sets round differently
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
            Normalised images, not rotated; uint8 images are normalised with the model's
            normalisation. With a communicator, this rank's part of a batch that is split over the
            ranks in order.
        labels : array-like of shape (batch,), dtype int64
            Classes, in ``0..num_classes - 1``. `Gen1` also accepts None.
        image_size : int, optional
            Side of the images in pixels; by default the model's. The network ends in a global
            average, so its weights fit images of any side that its poolings allow.

        Returns
        -------
        losses : Losses
            Terms of the loss before the step, as means over the whole batch.

        Raises
        ------
        NonFiniteLossError
            If a loss, a term or a gradient is NaN or infinite, or the update would make a
            parameter NaN or infinite. Nothing is updated.
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
        """Call the library with the trainer's terms; return its losses with their values."""
        values: dict[str, float] = {}
        ranks = self.ranks
        with ranks.abort_on_local_error():
            with ranks.raise_on_all_ranks():
                images, targets = self._batch(x, labels, image_size, method)
            share = ranks.share(len(images), sync_batch_norm=self.sync_batch_norm)
            terms = native_terms(self.terms, targets, values, ranks)
            named = refused_as(f"{type(self).__name__}.{method}")
            # The library raises an SKDError on all ranks.
            with ranks.errors_on_all_ranks(SKDError), self._explaining_non_finite(values), named:
                losses = call(images, targets, terms, share)
            return Losses(*losses, terms=ranks.mean(values, len(images)))

    def gradients(self) -> dict[str, NDArray[np.float32]]:
        """Return the gradients of the last `step` or `loss`.

        Returns
        -------
        gradients : dict of str to ndarray
            Read-only views under the names and in the shapes of `Model.state_dict`, for the
            parameters that have a gradient.
        """
        with refused_as(f"{type(self).__name__}.gradients"):
            return self._native.gradients()

    def _batch(
        self, x: Any, labels: Any, image_size: Any, method: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
        """Return a batch in the form of the binding."""
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

    def __getstate__(self) -> NoReturn:
        """Refuse pickling and copying: a trainer holds the buffers of its steps."""
        name = type(self).__name__
        raise TypeError(
            f"A {name} cannot be pickled or copied. Pickle or clone its model, keep its "
            f"state_dict, and create a new {name} from them; fit(checkpoint_dir=...) does so for "
            "a whole training."
        )

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step; initially the optimiser's."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        owner = type(self).__name__
        rate = check.float32(value, "learning_rate", owner)
        with refused_as(owner):
            self._native.set_learning_rate(rate)
        self._learning_rate = rate

    @property
    def steps_taken(self) -> int:
        """Training steps so far; they seed dropout and drive DropBlock's ramp."""
        with refused_as(f"{type(self).__name__}.steps_taken"):
            return self._native.steps_taken

    def recipe(self) -> dict[str, Any]:
        """Return the options of the trainer as numbers, texts and lists.

        Returns
        -------
        recipe : dict
            Name of the objective, its options, the seed and the optimiser's numbers.
        """
        options = {name: getattr(self, name) for name in self._options}
        return {
            "objective": type(self).__name__,
            **options,
            # Their order decides the last bits of the sum.
            **{
                f"term {term.name}": [place, term.on, term.weight]
                for place, term in enumerate(self.terms)
            },
            "trainer seed": self.seed,
            "lr": self.optimizer.lr,
            "momentum": self.optimizer.momentum,
            "weight_decay": self.optimizer.weight_decay,
            **({} if self.sync_batch_norm else {"sync_batch_norm": False}),
        }

    def step_memory(self, batch_size: int, *, image_size: int | None = None) -> int:
        """Return the memory that trainer and models hold once they take steps.

        If the machine has too little memory for a step, it raises a MemoryError before it begins
        and changes nothing. `skd.available_memory` returns the memory that is left.

        Parameters
        ----------
        batch_size : int
            Images of a step, before rotation.
        image_size : int, optional
            Side of the images in pixels; by default the model's.

        Returns
        -------
        step_memory : int
            Bytes of state, gradients, velocities, activations and workspaces, without the arrays
            of the batch. The computation allocates nothing.

        Examples
        --------
        >>> trainer = skd.Supervised(skd.create_model("convnet4", num_classes=5, image_size=32))
        >>> trainer.step_memory(64) > trainer.step_memory(32)
        True
        """
        owner = f"{type(self).__name__}.step_memory"
        number = check.integer(batch_size, "batch_size", owner, minimum=1)
        side = training_side(self.model, image_size, "image_size", owner)
        with refused_as(owner), too_large_by(owner, "batch_size"):
            return self._native.step_memory(number, side)

    def require_memory(
        self, batch_size: int, further_bytes: int = 0, *, image_size: int | None = None
    ) -> None:
        """Raise a MemoryError if the machine lacks the memory for a step.

        Parameters
        ----------
        batch_size : int
            Images of a step, before rotation.
        further_bytes : int, default=0
            Bytes that the caller's arrays need in addition.
        image_size : int, optional
            Side of the images in pixels; by default the model's.

        Raises
        ------
        MemoryError
            If memory is short; the message names the batch size, the estimate and the memory
            that is available.
        """
        owner = f"{type(self).__name__}.require_memory"
        number = check.integer(batch_size, "batch_size", owner, minimum=1)
        side = training_side(self.model, image_size, "image_size", owner)
        further = check.integer(further_bytes, "further_bytes", owner, maximum=2**60)
        names = ("batch_size", "further_bytes") if further else ("batch_size",)
        with refused_as(owner, x="batch_size"), too_large_by(owner, *names):
            self._native.require_memory(number, side, further)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return everything that the next step depends on besides the model's state.

        Returns
        -------
        state : dict of str to ndarray
            ``"step"``, the steps taken (int64, shape ()), which also count for DropBlock;
            ``"learning_rate"`` (float64, shape ()); and for each parameter
            ``"velocity.<name>"``, SGD's momentum buffer: read-only float32 views under the names
            and in the shapes of `Model.state_dict`. They are zero before the first step.
        """
        with refused_as(f"{type(self).__name__}.state_dict"), self._native.locked():
            state: dict[str, NDArray[Any]] = {
                "step": np.array(self.steps_taken, dtype=np.int64),
                "learning_rate": np.array(self.learning_rate, dtype=np.float64),
            }
            for name, view in self._native.velocities().items():
                state[VELOCITY_PREFIX + name] = view
        return state

    def snapshot(self) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Copy the states of model and trainer, both after the same step.

        Returns
        -------
        model, trainer : dict of str to ndarray
            Copies of `Model.state_dict` and `state_dict`, which later steps do not change.
        """
        with refused_as(f"{type(self).__name__}.snapshot"), self._native.locked():
            own = {name: array.copy() for name, array in self.state_dict().items()}
            return self.model.snapshot(), own

    def load_state_dict(self, state_dict: Mapping[str, ArrayLike]) -> None:
        """Replace the state of the trainer, all or nothing; the model does not change.

        Parameters
        ----------
        state_dict : mapping of str to array-like
            An array of the right shape for every name of `state_dict`, and no further names.

        Raises
        ------
        ValueError
            If names are missing or unexpected, a shape differs, or a value is not finite.
        TypeError
            If an entry is not an array of real numbers, or the step is not an integer.
        """
        owner = f"{type(self).__name__}.load_state_dict"
        with refused_as(owner), self._native.locked():  # the arrays may be views of this trainer
            arrays = check.state_arrays(state_dict, self.state_dict(), owner)
            step = check.integer(arrays.pop("step")[()], "step", owner, maximum=MAX_STEP)
            rate = check.float32(arrays.pop("learning_rate")[()], "learning_rate", owner)
            self._native.load(list(arrays.values()), step)
            self.learning_rate = rate

    @contextmanager
    def _explaining_non_finite(self, own: Mapping[str, float]) -> Iterator[None]:
        """Add step and terms to the error about a loss or gradient that is not finite."""
        try:
            yield
        except NonFiniteLossError as error:
            error.step = self.steps_taken + 1
            terms = Losses(*self._native.last_losses())._asdict()
            error.terms = {
                name: value for name, value in terms.items() if not name.endswith("accuracy")
            }
            error.terms.update(own)
            raise
