"""BD-CSPN: prototypes rectified by pseudo-labelled queries."""

from __future__ import annotations

from typing import Any, ClassVar

from skd import _native
from skd import _validation as check
from skd.classifiers.transductive import MOST, TransductiveHead


class BDCSPN(TransductiveHead):
    """Prototypes rectified by pseudo-labelled queries: BD-CSPN [1]_.

    Rows are L2-normalised, and the mean of the support rows minus the mean of the queries is added
    to each query. With the class means P_k of the support rows, ``softmax(scale * cos(x, P_k))``
    are the probabilities of a row x, and the largest one is the pseudo-label of a query. The
    `n_pseudo_labels` most probable queries of each class join its support rows, and the rectified
    prototype is the mean of these rows, weighted by their probabilities of the class. A query is
    assigned to the prototype with the largest cosine.

    Parameters
    ----------
    scale : float, default=10.0
        Factor ε of the cosines, > 0 and at most 1,000,000.
    n_pseudo_labels : int, default=8
        Largest number Z of queries that join the support rows of a class.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    scores_ : ndarray of shape (n_query, num_classes) or (n_tasks, n_query, num_classes), float64
        Cosines with the rectified prototypes; the largest entry of a row decides.

    References
    ----------
    .. [1] J. Liu, L. Song and Y. Qin, "Prototype Rectification for Few-Shot Learning",
       arXiv:1911.10713, 2020.

    Examples
    --------
    >>> support, labels = [[5.0, 1.0], [5.0, 2.0]], ["low", "high"]
    >>> BDCSPN().fit_predict(support, labels, [[4.0, 2.2], [6.0, 0.9]]).tolist()
    ['high', 'low']
    """

    _kind: ClassVar[int] = _native.CLASSIFIER_BD_CSPN
    _has_objective: ClassVar[bool] = False

    def __init__(self, *, scale: float = 10.0, n_pseudo_labels: int = 8) -> None:
        self.scale = scale
        self.n_pseudo_labels = n_pseudo_labels

    def _fields(self, owner: str) -> dict[str, Any]:
        return {
            "scale": check.number(self.scale, "scale", owner, maximum=MOST, open_minimum=True),
            "pseudo_labels": check.integer(
                self.n_pseudo_labels, "n_pseudo_labels", owner, maximum=MOST
            ),
        }
