"""TIM and alpha-TIM: class weights that maximise the mutual information of queries and labels."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd import _validation as check
from skd.classifiers.transductive import MOST, TransductiveHead


class _InformationMaximization(TransductiveHead):
    """The parameters that TIM and alpha-TIM share."""

    _has_objective: ClassVar[bool] = True
    temperature: float
    cross_entropy_weight: float
    marginal_entropy_weight: float
    conditional_entropy_weight: float
    learning_rate: float
    n_steps: int
    objective_: float | NDArray[np.float64]

    def _fields(self, owner: str) -> dict[str, Any]:
        weights = ("cross_entropy", "marginal_entropy", "conditional_entropy")
        return {
            "scale": check.number(
                self.temperature, "temperature", owner, maximum=MOST, open_minimum=True
            ),
            **{
                f"{name}_weight": check.number(
                    getattr(self, f"{name}_weight"), f"{name}_weight", owner, maximum=MOST
                )
                for name in weights
            },
            "learning_rate": check.number(
                self.learning_rate, "learning_rate", owner, maximum=1.0, open_minimum=True
            ),
            "steps": check.integer(self.n_steps, "n_steps", owner, maximum=MOST),
        }


class TIM(_InformationMaximization):
    """Class weights that maximise the mutual information of queries and labels: TIM-GD [1]_.

    Rows are L2-normalised. The weight vectors w_k begin as the class means of the support rows, and
    ``p_n = softmax(-temperature / 2 * ||x_n - w_k||**2)`` are the probabilities of row n. Steps of
    Adam on the weights minimise ::

        cross_entropy_weight * mean over the support of -log(p_n[label])
        + conditional_entropy_weight * mean over the queries of H(p_n)
        - marginal_entropy_weight * H(mean over the queries of p_n)

    where ``H(p) = -sum(p * log(p))``. The last term prefers equally many queries of each class.

    Parameters
    ----------
    temperature : float, default=15.0
        Factor τ of the squared distances, > 0 and at most 1,000,000.
    cross_entropy_weight : float, default=0.1
        Weight λ of the cross-entropy, in 0..1,000,000.
    marginal_entropy_weight : float, default=1.0
        Weight of the marginal entropy, in 0..1,000,000.
    conditional_entropy_weight : float, default=0.1
        Weight alpha of the conditional entropy, in 0..1,000,000.
    learning_rate : float, default=1e-4
        Learning rate of Adam, > 0 and at most 1.
    n_steps : int, default=1000
        Number of steps.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    scores_ : ndarray of shape (n_query, num_classes) or (n_tasks, n_query, num_classes), float64
        Probabilities of the queries; the largest entry of a row decides.
    objective_ : float or ndarray of shape (n_tasks,), dtype float64
        Loss after the last step.

    References
    ----------
    .. [1] M. Boudiaf, I. M. Ziko, J. Rony, J. Dolz, P. Piantanida and I. Ben Ayed, "Transductive
       Information Maximization For Few-Shot Learning", arXiv:2008.11297, 2020.

    Examples
    --------
    >>> support, labels = [[5.0, 1.0], [5.0, 2.0]], ["low", "high"]
    >>> TIM(n_steps=100).fit_predict(support, labels, [[4.0, 2.2], [6.0, 0.9]]).tolist()
    ['high', 'low']
    """

    _kind: ClassVar[int] = _native.CLASSIFIER_TIM

    def __init__(
        self,
        *,
        temperature: float = 15.0,
        cross_entropy_weight: float = 0.1,
        marginal_entropy_weight: float = 1.0,
        conditional_entropy_weight: float = 0.1,
        learning_rate: float = 1e-4,
        n_steps: int = 1000,
    ) -> None:
        self.temperature = temperature
        self.cross_entropy_weight = cross_entropy_weight
        self.marginal_entropy_weight = marginal_entropy_weight
        self.conditional_entropy_weight = conditional_entropy_weight
        self.learning_rate = learning_rate
        self.n_steps = n_steps


class AlphaTIM(_InformationMaximization):
    """TIM for unbalanced queries: alpha-TIM [1]_.

    It differs from `TIM` in its entropies, ``H(p) = (1 - sum(p**alpha)) / (alpha - 1)``, and in its
    weights. The marginal entropy is flatter around the uniform distribution, so that it tolerates
    queries that are not equally many of each class.

    Parameters
    ----------
    alpha : float, default=2.0
        Exponent of the entropies, in 1.05..100. The authors use 2 with one support image of each
        class, and 7 with five or more. With 1 the entropies would be those of `TIM`.
    temperature : float, default=15.0
        Factor τ of the squared distances, > 0 and at most 1,000,000.
    cross_entropy_weight, marginal_entropy_weight, conditional_entropy_weight : float, default=1.0
        Weights of the three terms, in 0..1,000,000.
    learning_rate : float, default=1e-4
        Learning rate of Adam, > 0 and at most 1.
    n_steps : int, default=1000
        Number of steps.

    Attributes
    ----------
    classes_ : ndarray of shape (num_classes,)
        Labels in ascending order.
    scores_ : ndarray of shape (n_query, num_classes) or (n_tasks, n_query, num_classes), float64
        Probabilities of the queries; the largest entry of a row decides.
    objective_ : float or ndarray of shape (n_tasks,), dtype float64
        Loss after the last step.

    References
    ----------
    .. [1] O. Veilleux, M. Boudiaf, P. Piantanida and I. Ben Ayed, "Realistic Evaluation of
       Transductive Few-Shot Learning", arXiv:2204.11181, 2021.

    Examples
    --------
    >>> support, labels = [[5.0, 1.0], [5.0, 2.0]], ["low", "high"]
    >>> AlphaTIM(n_steps=100).fit_predict(support, labels, [[4.0, 2.2], [6.0, 0.9]]).tolist()
    ['high', 'low']
    """

    _kind: ClassVar[int] = _native.CLASSIFIER_ALPHA_TIM

    def __init__(
        self,
        *,
        alpha: float = 2.0,
        temperature: float = 15.0,
        cross_entropy_weight: float = 1.0,
        marginal_entropy_weight: float = 1.0,
        conditional_entropy_weight: float = 1.0,
        learning_rate: float = 1e-4,
        n_steps: int = 1000,
    ) -> None:
        self.alpha = alpha
        self.temperature = temperature
        self.cross_entropy_weight = cross_entropy_weight
        self.marginal_entropy_weight = marginal_entropy_weight
        self.conditional_entropy_weight = conditional_entropy_weight
        self.learning_rate = learning_rate
        self.n_steps = n_steps

    def _fields(self, owner: str) -> dict[str, Any]:
        alpha = check.number(self.alpha, "alpha", owner, minimum=1.05, maximum=100.0)
        return super()._fields(owner) | {"alpha": alpha}
