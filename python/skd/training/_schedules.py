"""Learning-rate schedules; epochs are counted from 1.

With `warmup_epochs`, `fit` multiplies the first rates of "step" and "cosine" by the part of the
warm-up that is done; "one_cycle" begins with a warm-up itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from skd import _native
from skd import _validation as check
from skd._refusals.native import refused_as
from skd.choices import ScheduleKind, values

SCHEDULES: tuple[ScheduleKind, ...] = values(ScheduleKind)


def step_lr(
    epoch: int, *, base: float, decay_epochs: Sequence[int] = (), factor: float = 0.1
) -> float:
    """Return the rate of an epoch that is multiplied by `factor` after each decay epoch.

    Parameters
    ----------
    epoch : int
        Epoch, from 1.
    base : float
        Rate of the first epoch.
    decay_epochs : sequence of int, default=()
        The rate drops at the start of the epoch after each of these.
    factor : float, default=0.1
        Factor of the rate at each drop.

    Returns
    -------
    rate : float
        ``base * factor ** (number of decay_epochs < epoch)``.

    Examples
    --------
    >>> [round(step_lr(epoch, base=0.05, decay_epochs=[2]), 4) for epoch in (1, 2, 3)]
    [0.05, 0.05, 0.005]
    """
    with refused_as("step_lr"):
        rate = _native.step_learning_rate(
            check.integer(epoch, "epoch", "step_lr", minimum=1),
            check.number(base, "base", "step_lr"),
            check.number(factor, "factor", "step_lr"),
            check.epochs_list(decay_epochs, "decay_epochs", "step_lr"),
        )
    return _finite(rate, factor, "step_lr")


def cosine_lr(epoch: int, *, epochs: int, base: float, factor: float = 0.1) -> float:
    """Return the rate of an epoch of half a cosine wave from `base` to ``base * factor ** 3``.

    Parameters
    ----------
    epoch : int
        Epoch, in 0..`epochs`.
    epochs : int
        Total number of epochs.
    base : float
        Rate at epoch 0.
    factor : float, default=0.1
        Its cube is the ratio of the last rate to the first.

    Returns
    -------
    rate : float
        ``floor + (base - floor) * (1 + cos(pi * epoch / epochs)) / 2``.

    Examples
    --------
    >>> round(cosine_lr(10, epochs=10, base=1.0), 6)
    0.001
    """
    total = check.integer(epochs, "epochs", "cosine_lr", minimum=1)
    rate = _native.cosine_learning_rate(
        check.integer(epoch, "epoch", "cosine_lr", maximum=total),
        total,
        check.number(base, "base", "cosine_lr"),
        check.number(factor, "factor", "cosine_lr"),
    )
    return _finite(rate, factor, "cosine_lr")


def one_cycle_lr(
    progress: float, *, epochs: float, base: float, warmup_epochs: float = 0.0, factor: float = 0.1
) -> float:
    """Return the rate of a linear rise to `base` that half a cosine wave follows [1]_.

    Parameters
    ----------
    progress : float
        Epochs done, with their fraction, in 0..`epochs`.
    epochs : float
        Length of the training in epochs.
    base : float
        Highest rate.
    warmup_epochs : float, default=0.0
        Length of the rise in epochs, below `epochs`.
    factor : float, default=0.1
        Its cube is the ratio of the last rate to the highest.

    Returns
    -------
    rate : float
        ``base * progress / warmup_epochs`` during the rise; from there half a cosine wave down to
        ``base * factor ** 3``.

    References
    ----------
    .. [1] L. N. Smith and N. Topin, "Super-convergence: very fast training of neural networks
       using large learning rates", arXiv:1708.07120, 2017.

    Examples
    --------
    >>> [one_cycle_lr(t, epochs=10, base=1.0, warmup_epochs=2) for t in (0, 1, 2)]
    [0.0, 0.5, 1.0]
    """
    owner = "one_cycle_lr"
    total = check.number(epochs, "epochs", owner, open_minimum=True)
    position = check.number(progress, "progress", owner)
    if position > total:
        check.refuse("progress", owner, f"at most the 'epochs', {total:g}", position)
    rate = _native.one_cycle_learning_rate(
        position,
        total,
        check.number(warmup_epochs, "warmup_epochs", owner, maximum=total, open_maximum=True),
        check.number(base, "base", owner),
        check.number(factor, "factor", owner),
    )
    return _finite(rate, factor, owner)


def _finite(rate: float, factor: float, owner: str) -> float:
    if not math.isfinite(rate):
        legal = "small enough for a finite rate with this 'base'"
        check.refuse("factor", owner, legal, factor)
    return rate
