"""Loss terms that users write in NumPy; they run between the forward and the backward pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd.choices import Features
from skd.distributed.ranks import Ranks
from skd.models import FEATURES

MAX_TERMS = 64

TermFunction = Callable[..., tuple[float, ArrayLike]]
FloatArray = NDArray[np.float32]


class Term:
    """A further term of the loss of an objective: ``weight * value``.

    Parameters
    ----------
    name : str
        Name of the term in `Losses.terms` and in errors.
    function : callable
        Called once a step as ``function(rows, labels, views)``; returns ``(value, gradient)``.

        - ``rows`` are the outputs that `on` names: a read-only copy, float32 of shape
          (len(views) * batch, n_dimensions), all images in the first view, then all in the second.
        - ``labels`` are the classes of the images, int64 of shape (batch,), or None.
        - ``views`` are the rotations in degrees, ``(0,)`` for `Supervised` and
          ``(0, 90, 180, 270)`` for `Gen0`.
        - ``value`` is a number; ``gradient`` is its gradient with respect to ``rows``, an array of
          the same shape. A C-contiguous float32 array is used without a copy.

        An exception ends the step and changes nothing. The function may use other models, but not
        the models of the trainer, and must not wait for a thread that uses them.
    on : {"logits", "embedding"}, default="logits"
        Output of the network that the function reads.
    weight : float, default=1.0
        Factor of value and gradient; may be negative.

    Examples
    --------
    The entropy of the predictions, which a positive weight minimises:

    >>> def entropy(rows, labels, views):
    ...     exponentials = np.exp(rows - rows.max(axis=1, keepdims=True))
    ...     p = exponentials / exponentials.sum(axis=1, keepdims=True)
    ...     entropies = -(p * np.log(p)).sum(axis=1, keepdims=True)
    ...     return entropies.mean(), -p * (np.log(p) + entropies) / len(rows)
    >>> model = skd.create_model("convnet4", num_classes=2, image_size=16)
    >>> trainer = skd.Supervised(model, terms=[Term("entropy", entropy, weight=0.1)])
    >>> losses = trainer.loss(np.zeros((2, 16, 16, 3)), [0, 1])
    >>> bool(np.isclose(losses.total, losses.cross_entropy + 0.1 * losses.terms["entropy"]))
    True
    """

    def __init__(
        self, name: str, function: TermFunction, *, on: Features = "logits", weight: float = 1.0
    ) -> None:
        if not isinstance(name, str) or not name or "\0" in name:
            check.refuse("name", "Term", "a non-empty str", repr(name), TypeError)
        if not callable(function):
            check.refuse("function", "Term", "callable", type(function).__name__, TypeError)
        self.name = name
        self.function = function
        self.on = check.choice(on, "on", "Term", FEATURES)
        self.weight = check.float32(weight, "weight", "Term", minimum=-math.inf)

    def __repr__(self) -> str:
        """Return the name, the output and the weight."""
        return f"Term({self.name!r}, on={self.on!r}, weight={self.weight!r})"

    def evaluate(
        self, rows: FloatArray, labels: NDArray[np.int64] | None, views: tuple[int, ...]
    ) -> tuple[float, FloatArray]:
        """Call the function and check its result.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_dimensions), dtype float32
            See `Term`.
        labels : ndarray of shape (batch,), dtype int64, or None
            See `Term`.
        views : tuple of int
            See `Term`.

        Returns
        -------
        value : float
            Value without the weight; may be NaN.
        gradient : ndarray of shape (n_rows, n_dimensions), dtype float32
            C-contiguous gradient; the function's array itself if it is already so.

        Raises
        ------
        TypeError
            If the function does not return a number and an array of real numbers.
        ValueError
            If the gradient has another shape.
        """
        given = check.float_array(rows, "rows", "Term.evaluate", ndim=2)
        owner = f"the function of term {self.name!r}"
        result = self.function(given, labels, views)
        if not isinstance(result, tuple) or len(result) != 2:
            check.refuse("result", owner, "(value, gradient)", repr(result), TypeError)
        try:
            value = float(result[0])
        except (TypeError, ValueError):
            check.refuse("value", owner, "a number", repr(result[0]), TypeError)
        gradient = check.float_array(result[1], "gradient", owner)
        check.require_shape(gradient, given.shape, "gradient", owner, by="rows")
        return value, gradient


def checked_terms(value: Any, owner: str) -> tuple[Term, ...]:
    """Return terms with different names as a tuple."""
    terms = check.instances(value, "terms", owner, Term)
    names = [term.name for term in terms]
    if len(set(names)) < len(names) or len(names) > MAX_TERMS:
        check.refuse("terms", owner, f"at most {MAX_TERMS} terms of different names", names)
    return terms


def native_terms(
    terms: Sequence[Term],
    labels: NDArray[np.int64] | None,
    values: dict[str, float],
    ranks: Ranks,
) -> list[Any]:
    """Return the terms in the form of the binding, for one call; their values go to `values`.

    If a term fails on one rank, the library reports it on all ranks.
    """
    if labels is not None:
        labels.setflags(write=False)

    def bound(term: Term) -> Callable[[FloatArray, tuple[int, ...]], tuple[float, FloatArray]]:
        def evaluate(rows: FloatArray, views: tuple[int, ...]) -> tuple[float, FloatArray]:
            with ranks.errors_on_all_ranks():
                value, gradient = term.evaluate(rows, labels, views)
            values[term.name] = value
            return value, gradient

        return evaluate

    return [(term.name, term.on == "embedding", term.weight, bound(term)) for term in terms]
