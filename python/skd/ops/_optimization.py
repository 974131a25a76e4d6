"""The update rule of SGD."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd.training import SGD

DEFAULT = SGD()


def sgd_step(
    parameter: ArrayLike,
    d_parameter: ArrayLike,
    velocity: ArrayLike | None = None,
    *,
    optimizer: SGD | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Take one step of stochastic gradient descent.

    Parameters
    ----------
    parameter : array-like of any shape, dtype float32
        Values before the step; not modified.
    d_parameter : array-like of the same shape, dtype float32
        Gradient.
    velocity : array-like of the same shape, dtype float32, optional
        Velocity of the previous step; None in the first step.
    optimizer : SGD, default=SGD()
        Learning rate, momentum and weight decay.

    Returns
    -------
    parameter, velocity : ndarray of the same shape, dtype float32
        Values after the step.

    Examples
    --------
    >>> sgd_step([1.0], [2.0], optimizer=SGD(lr=0.5, weight_decay=0))[0]
    array([0.], dtype=float32)
    """
    owner = "sgd_step"
    new_parameter = check.float_array(parameter, "parameter", owner).copy()
    gradient = check.float_array(d_parameter, "d_parameter", owner)
    if velocity is None:
        new_velocity = np.zeros_like(new_parameter)
    else:
        new_velocity = check.float_array(velocity, "velocity", owner).copy()
    rule = DEFAULT if optimizer is None else check.instance(optimizer, "optimizer", owner, SGD)
    first = velocity is None
    _native.sgd_step(
        new_parameter, gradient, new_velocity, rule.lr, rule.momentum, rule.weight_decay, first
    )
    return new_parameter, new_velocity
