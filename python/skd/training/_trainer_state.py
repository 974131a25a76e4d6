"""What a trainer knows beside its model: velocities, step count, learning rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._memory import too_large_by
from skd._refusals.native import refused_as
from skd.errors import NonFiniteLossError
from skd.history import Losses

if TYPE_CHECKING:
    from skd.distributed.ranks import Ranks
    from skd.models import Model
    from skd.training._sgd import SGD
    from skd.training._terms import Term

VELOCITY_PREFIX = "velocity."
MAX_IMAGE_SIZE = 4096  # side in pixels
MAX_STEP = 2**47  # where the counters of random numbers still have room


def training_side(model: Model, value: Any, name: str, owner: str) -> int:
    """Return the side of training images in pixels, the model's for None."""
    if value is None:
        return model.image_size
    smallest = model._native.minimum_image_size
    return check.integer(value, name, owner, minimum=smallest, maximum=MAX_IMAGE_SIZE)


class TrainerState:
    """State of a trainer: saved, restored, and told when a step fails."""

    model: Model
    optimizer: SGD
    seed: int
    terms: tuple[Term, ...]
    sync_batch_norm: bool
    ranks: Ranks
    _native: _native.Trainer
    _learning_rate: float
    #: Names of the attributes that are options of the objective.
    _options: tuple[str, ...] = ()

    def __getstate__(self) -> NoReturn:
        """Refuse to be pickled or copied: a trainer holds the buffers of its steps."""
        name = type(self).__name__
        raise TypeError(
            f"A {name} cannot be pickled or copied. Pickle or clone its model, keep its "
            f"state_dict, and make a new {name} of them; fit(checkpoint_dir=...) does so for a "
            "whole training."
        )

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step; at first that of the optimiser."""
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
        return self._native.steps_taken

    def recipe(self) -> dict[str, Any]:
        """Return what the trainer was made with, as numbers, texts and lists.

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
        """Return how much memory trainer and models hold once they take steps.

        A step for which the machine has too little raises a MemoryError before it begins, and
        changes nothing. `skd.available_memory` tells what there is.

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
            of the batch; found without allocating anything.

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
            Bytes that arrays of the caller need besides.
        image_size : int, optional
            Side of the images in pixels; by default the model's.

        Raises
        ------
        MemoryError
            With the batch size, the estimate and what is available.
        """
        owner = f"{type(self).__name__}.require_memory"
        number = check.integer(batch_size, "batch_size", owner, minimum=1)
        side = training_side(self.model, image_size, "image_size", owner)
        further = check.integer(further_bytes, "further_bytes", owner, maximum=2**60)
        names = ("batch_size", "further_bytes") if further else ("batch_size",)
        with refused_as(owner, x="batch_size"), too_large_by(owner, *names):
            self._native.require_memory(number, side, further)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return all that the next step depends on beside the model's own state.

        Returns
        -------
        state : dict of str to ndarray
            ``"step"``, the steps taken (int64, shape ()), which also count for DropBlock;
            ``"learning_rate"`` (float64, shape ()); and for each parameter
            ``"velocity.<name>"``, SGD's momentum buffer: read-only float32 views under the names
            and in the shapes of `Model.state_dict`. They are zero before the first step.
        """
        with self._native.locked():
            state: dict[str, NDArray[Any]] = {
                "step": np.array(self.steps_taken, dtype=np.int64),
                "learning_rate": np.array(self.learning_rate, dtype=np.float64),
            }
            for name, view in self._native.velocities().items():
                state[VELOCITY_PREFIX + name] = view
        return state

    def snapshot(self) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Copy the state of the model and that of the trainer, both after the same step.

        Returns
        -------
        model, trainer : dict of str to ndarray
            As of `Model.state_dict` and `state_dict`, but nothing changes the arrays.
        """
        with self._native.locked():
            own = {name: array.copy() for name, array in self.state_dict().items()}
            return self.model.snapshot(), own

    def load_state_dict(self, state_dict: Mapping[str, ArrayLike]) -> None:
        """Replace the whole state of the trainer, or nothing of it; the model stays as it is.

        Parameters
        ----------
        state_dict : mapping of str to array-like
            An array of the right shape for every name of `state_dict`, and no other name.

        Raises
        ------
        ValueError
            If names are missing or unexpected, a shape differs, or a value is not finite.
        TypeError
            If an entry is no array of real numbers, or the step is no integer.
        """
        owner = f"{type(self).__name__}.load_state_dict"
        with refused_as(owner), self._native.locked():  # the arrays may be the trainer's own
            arrays = check.state_arrays(state_dict, self.state_dict(), owner)
            step = check.integer(arrays.pop("step")[()], "step", owner, maximum=MAX_STEP)
            rate = check.float32(arrays.pop("learning_rate")[()], "learning_rate", owner)
            self._native.load(list(arrays.values()), step)
            self.learning_rate = rate

    def level_running_statistics(self) -> None:
        """Take over those of the first process, where each has its own: they serve evaluation."""
        if self.ranks.size == 1 or self.sync_batch_norm:
            return
        with self._native.locked():
            state = self.model.state_dict()
            own = {name: state[name] for name in state if ".running_" in name}
            self.model.load_state_dict({**state, **self.ranks.broadcast(own)})

    @contextmanager
    def _explaining_non_finite(self, own: Mapping[str, float]) -> Iterator[None]:
        """Add step and terms to the error of a step whose loss or gradient is not finite."""
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
