"""Losses of the method; each function returns the value and the gradients.

References
----------
.. [1] J. Rajasegaran et al., "Self-supervised Knowledge Distillation for Few-shot Learning",
   arXiv:2006.09785, 2020.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check

__all__ = ["cross_entropy", "distill_kl", "rotation_bce", "twin_l2"]


def cross_entropy(logits: ArrayLike, labels: ArrayLike) -> tuple[float, NDArray[np.float32]]:
    """Compute the softmax cross-entropy, mean over the rows.

    Parameters
    ----------
    logits : array-like of shape (n_rows, num_classes), dtype float32
        Class scores.
    labels : array-like of shape (n_rows,), dtype int64
        True classes, in ``0..num_classes - 1``.

    Returns
    -------
    loss : float
        ``-mean(log_softmax(logits)[row, labels[row]])``.
    d_logits : ndarray of shape (n_rows, num_classes), dtype float32
        Gradient with respect to `logits`.

    Examples
    --------
    >>> loss, gradient = cross_entropy([[0.0, 0.0]], [1])
    >>> round(loss, 4)
    0.6931
    >>> gradient
    array([[ 0.5, -0.5]], dtype=float32)
    """
    scores = check.float_array(logits, "logits", "cross_entropy", ndim=2)
    targets = check.integer_array(
        labels, "labels", "cross_entropy", length=len(scores), of="logits"
    )
    gradient = np.empty_like(scores)
    return _native.cross_entropy(scores, targets, gradient), gradient


def rotation_bce(logits: ArrayLike, labels: ArrayLike) -> tuple[float, NDArray[np.float32]]:
    """Compute the rotation loss of Generation 0 [1]_: sigmoid cross-entropy with one-hot labels.

    Parameters
    ----------
    logits : array-like of shape (n_rows, num_classes), dtype float32
        Scores of the rotations; four classes in the method.
    labels : array-like of shape (n_rows,), dtype int64
        True rotations, in quarter turns.

    Returns
    -------
    loss : float
        Mean over all ``n_rows * num_classes`` entries.
    d_logits : ndarray of shape (n_rows, num_classes), dtype float32
        Gradient with respect to `logits`.

    Examples
    --------
    >>> round(rotation_bce([[0.0, 0.0, 0.0, 0.0]], [2])[0], 4)
    0.6931
    """
    scores = check.float_array(logits, "logits", "rotation_bce", ndim=2)
    targets = check.integer_array(labels, "labels", "rotation_bce", length=len(scores), of="logits")
    gradient = np.empty_like(scores)
    return _native.rotation_bce(scores, targets, gradient), gradient


def distill_kl(
    student: ArrayLike, teacher: ArrayLike, *, temperature: float = 4.0
) -> tuple[float, NDArray[np.float32]]:
    """Compute the distillation loss of Generation 1 [1]_.

    Parameters
    ----------
    student : array-like of shape (n_rows, num_classes), dtype float32
        Logits of the student.
    teacher : array-like of shape (n_rows, num_classes), dtype float32
        Logits of the teacher; no gradient flows to them.
    temperature : float, default=4.0
        Temperature that softens both distributions, > 0.

    Returns
    -------
    loss : float
        ``T**2 * mean(KL(softmax(teacher / T) || softmax(student / T)))`` over the rows.
    d_student : ndarray of shape (n_rows, num_classes), dtype float32
        Gradient with respect to `student`.

    Examples
    --------
    >>> distill_kl([[1.0, 2.0]], [[1.0, 2.0]])[0]
    0.0
    """
    scores = check.float_array(student, "student", "distill_kl", ndim=2)
    targets = check.float_array(teacher, "teacher", "distill_kl", ndim=2)
    warmth = check.float32(temperature, "temperature", "distill_kl", open_minimum=True)
    gradient = np.empty_like(scores)
    return _native.distill_kl(scores, targets, warmth, gradient), gradient


def twin_l2(
    rotated: ArrayLike, upright: ArrayLike
) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
    """Compute the twin loss of Generation 1 [1]_: the distance of rotated twins, mean over rows.

    Parameters
    ----------
    rotated : array-like of shape (n_rows, num_classes), dtype float32
        Logits of the rotated images.
    upright : array-like of shape (n_rows, num_classes), dtype float32
        Logits of the same images upright.

    Returns
    -------
    loss : float
        ``mean(||rotated - upright||)``, the Euclidean norm of each row, not squared.
    d_rotated, d_upright : ndarray of shape (n_rows, num_classes), dtype float32
        Gradients, which are 0 for equal rows.

    Examples
    --------
    >>> twin_l2([[3.0, 0.0]], [[0.0, 4.0]])[0]
    5.0
    """
    first = check.float_array(rotated, "rotated", "twin_l2", ndim=2)
    second = check.float_array(upright, "upright", "twin_l2", ndim=2)
    d_rotated, d_upright = np.empty_like(first), np.empty_like(second)
    loss = _native.twin_l2(first, second, d_rotated, d_upright)
    return loss, d_rotated, d_upright
