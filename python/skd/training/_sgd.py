"""Stochastic gradient descent, the optimiser of all objectives."""

from __future__ import annotations

from dataclasses import dataclass

from skd import _validation as check


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum and weight decay.

    ``g += weight_decay * p;  v = momentum * v + g;  p -= lr * v``, with ``v = g`` in the first
    step. Every parameter decays, biases and batch norms too; a parameter without a gradient does
    not change.

    Parameters
    ----------
    lr : float, default=0.05
        Learning rate, >= 0.
    momentum : float, default=0.9
        Momentum, in [0, 1).
    weight_decay : float, default=5e-4
        L2 penalty, >= 0.

    Examples
    --------
    >>> SGD(lr=0.1)
    SGD(lr=0.1, momentum=0.9, weight_decay=0.0005)
    """

    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4

    def __post_init__(self) -> None:
        """Check the values, and keep them as floats."""
        values = {
            "lr": check.float32(self.lr, "lr", "SGD"),
            "momentum": check.float32(
                self.momentum, "momentum", "SGD", maximum=1, open_maximum=True
            ),
            "weight_decay": check.float32(self.weight_decay, "weight_decay", "SGD"),
        }
        for name, value in values.items():  # as floats, whatever kind of number was given
            object.__setattr__(self, name, value)
