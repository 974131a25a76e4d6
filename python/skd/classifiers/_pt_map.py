"""PT-MAP: a power transform, and class centres that follow a balanced optimal transport."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd import _validation as check
from skd.classifiers.transductive import MOST, TransductiveHead


class PTMAP(TransductiveHead):
    """Power transform and class centres of a balanced optimal transport: PT-MAP [1]_.

    Each row x becomes ``(max(x, 0) + 1e-6)**power``; the rows are L2-normalised, the mean of the
    support rows is subtracted from them and the mean of the queries from the queries, and all are
    L2-normalised again. The centres c_k begin as the class means of the support rows. Each step
    scales the matrix ``exp(-scale * ||x_q - c_k||**2)`` by Sinkhorn's iteration, so that each query
    has the mass 1 and each class the same mass, and moves each centre by the share `learning_rate`
    towards the mean of all rows, weighted by their mass in the class; a support row has the mass 1
    in its class. A query is assigned to the class with the largest mass.

    The equal masses assume equally many queries of each class. If there are not, accuracy drops;
    see `AlphaTIM`.

    Parameters
    ----------
    power : float, default=0.5
        Exponent β of the power transform, > 0 and at most 2.
    scale : float, default=10.0
        Factor λ of the squared distances, > 0 and at most 1,000,000.
    learning_rate : float, default=0.2
        Share alpha of a step of the centres, > 0 and at most 1.
    n_steps : int, default=20
        Number of steps.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    scores_ : ndarray of shape (n_query, num_classes) or (n_tasks, n_query, num_classes), float64
        Mass of each query in each class; the largest entry of a row decides.
    objective_ : float or ndarray of shape (n_tasks,), dtype float64
        Cost of the last transport: the sum of mass times squared distance.

    Notes
    -----
    The paper's features are not negative, because its networks end in a ReLU. Averages of a
    LeakyReLU can be slightly negative; these entries count as zero.

    References
    ----------
    .. [1] Y. Hu, V. Gripon and S. Pateux, "Leveraging the Feature Distribution in Transfer-based
       Few-Shot Learning", arXiv:2006.03806, 2021.

    Examples
    --------
    >>> support, labels = [[5.0, 1.0], [5.0, 2.0]], ["low", "high"]
    >>> PTMAP().fit_predict(support, labels, [[4.0, 2.2], [6.0, 0.9]]).tolist()
    ['high', 'low']
    """

    _kind: ClassVar[int] = _native.CLASSIFIER_PT_MAP
    _has_objective: ClassVar[bool] = True
    objective_: float | NDArray[np.float64]

    def __init__(
        self,
        *,
        power: float = 0.5,
        scale: float = 10.0,
        learning_rate: float = 0.2,
        n_steps: int = 20,
    ) -> None:
        self.power = power
        self.scale = scale
        self.learning_rate = learning_rate
        self.n_steps = n_steps

    def _fields(self, owner: str) -> dict[str, Any]:
        return {
            "power": check.number(self.power, "power", owner, maximum=2.0, open_minimum=True),
            "scale": check.number(self.scale, "scale", owner, maximum=MOST, open_minimum=True),
            "learning_rate": check.number(
                self.learning_rate, "learning_rate", owner, maximum=1.0, open_minimum=True
            ),
            "steps": check.integer(self.n_steps, "n_steps", owner, maximum=MOST),
        }
