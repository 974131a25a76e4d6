"""SimpleShot's centring and L2 normalisation."""

from __future__ import annotations

from typing import Any, ClassVar

from skd import _native
from skd.classifiers.transductive import TransductiveHead


class SimpleShot(TransductiveHead):
    """Nearest class mean of centred and L2-normalised features: SimpleShot's CL2N [1]_.

    The features are used as they are, and each row x becomes ``(x - m) / ||x - m||``, where m is
    the mean of the support and query rows of the task. A query gets the class with the nearest mean
    of support rows, by the Euclidean distance.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    scores_ : ndarray of shape (n_query, num_classes) or (n_tasks, n_query, num_classes), float64
        Minus the squared distances; the largest entry of a row decides.

    Notes
    -----
    The paper centres with the mean of the base classes, so that its classifier is inductive. If you
    have this mean, ``l2_normalize(features, mean=mean)`` and `NearestCentroid` are exactly that
    classifier, and they classify single images.

    References
    ----------
    .. [1] Y. Wang, W.-L. Chao, K. Q. Weinberger and L. van der Maaten, "SimpleShot: Revisiting
       Nearest-Neighbor Classification for Few-Shot Learning", arXiv:1911.04623, 2019.

    Examples
    --------
    >>> support, labels = [[5.0, 1.0], [5.0, 2.0]], ["low", "high"]
    >>> SimpleShot().fit_predict(support, labels, [[4.0, 2.2], [6.0, 0.9]]).tolist()
    ['high', 'low']
    """

    _kind: ClassVar[int] = _native.CLASSIFIER_SIMPLE_SHOT
    _has_objective: ClassVar[bool] = False

    def _fields(self, owner: str) -> dict[str, Any]:
        return {}
