"""LaplacianShot: assignments that are alike for neighbouring queries."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd import _validation as check
from skd.classifiers.transductive import MOST, TransductiveHead


class LaplacianShot(TransductiveHead):
    """Assignments near to their prototypes and alike for neighbouring queries: LaplacianShot [1]_.

    The mean of the support and query rows of the task is subtracted from all rows, and they are
    L2-normalised. With the squared distance a_qk of query q from the prototype of class k,
    and w_qp = 1 for the `n_neighbors` nearest queries p of q, the assignments y_qk minimise ::

        sum(y_qk * log(y_qk) + y_qk * a_qk) - laplacian_weight * sum(w_qp * y_qk * y_pk)

    Each iteration sets ``y_q = softmax(-a_q + laplacian_weight * sum(w_qp * y_p))``, the minimum of
    a bound, until the objective changes by less than a millionth.

    Parameters
    ----------
    laplacian_weight : float, default=0.5
        Weight λ of the agreement of neighbours, in 0..1,000,000. The paper selects it from 0.1 to
        1.5 on the validation classes; so was this default, with the weights that come along.
    n_neighbors : int, default=3
        Number k of neighbours of a query, >= 1; at most all other queries count.
    center : bool, default=True
        Subtract the mean. Switch it off if the mean of the features of the base classes was
        subtracted, as in the paper: ``l2_normalize(features, mean=mean)``.
    rectify : bool, default=True
        Rectify the prototypes by the queries, as `BDCSPN` does, but with all queries. If False,
        prototypes are class means.
    scale : float, default=10.0
        Factor of the cosines in the rectification, > 0 and at most 1,000,000.
    max_iter : int, default=20
        Largest number of iterations.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    scores_ : ndarray of shape (n_query, num_classes) or (n_tasks, n_query, num_classes), float64
        Assignments y; each row sums to 1, and its largest entry decides.
    objective_ : float or ndarray of shape (n_tasks,), dtype float64
        Value of the objective.

    References
    ----------
    .. [1] I. M. Ziko, J. Dolz, E. Granger and I. Ben Ayed, "Laplacian Regularized Few-Shot
       Learning", arXiv:2006.15486, 2020.

    Examples
    --------
    >>> support, labels = [[5.0, 1.0], [5.0, 2.0]], ["low", "high"]
    >>> LaplacianShot().fit_predict(support, labels, [[4.0, 2.2], [6.0, 0.9]]).tolist()
    ['high', 'low']
    """

    _kind: ClassVar[int] = _native.CLASSIFIER_LAPLACIAN_SHOT
    _has_objective: ClassVar[bool] = True
    objective_: float | NDArray[np.float64]

    def __init__(
        self,
        *,
        laplacian_weight: float = 0.5,
        n_neighbors: int = 3,
        center: bool = True,
        rectify: bool = True,
        scale: float = 10.0,
        max_iter: int = 20,
    ) -> None:
        self.laplacian_weight = laplacian_weight
        self.n_neighbors = n_neighbors
        self.center = center
        self.rectify = rectify
        self.scale = scale
        self.max_iter = max_iter

    def _fields(self, owner: str) -> dict[str, Any]:
        counts = {"minimum": 1, "maximum": MOST}
        return {
            "neighbor_weight": check.number(
                self.laplacian_weight, "laplacian_weight", owner, maximum=MOST
            ),
            "neighbors": check.integer(self.n_neighbors, "n_neighbors", owner, **counts),
            "centers": check.boolean(self.center, "center", owner),
            "rectifies": check.boolean(self.rectify, "rectify", owner),
            "scale": check.number(self.scale, "scale", owner, maximum=MOST, open_minimum=True),
            "steps": check.integer(self.max_iter, "max_iter", owner, **counts),
        }
