"""Distillation without rotations, the baseline of SKD.

References
----------
.. [1] Y. Tian, Y. Wang, D. Krishnan, J. B. Tenenbaum and P. Isola, "Rethinking Few-Shot Image
   Classification: a Good Embedding Is All You Need?", arXiv:2003.11539, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skd import _native
from skd import _validation as check
from skd.models import Model
from skd.training._generations import check_teacher
from skd.training._objective import Objective
from skd.training._sgd import SGD
from skd.training._terms import Term

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm


class Distilled(Objective):
    """Labels and a teacher on images that are not rotated; known as RFS-distill [1]_.

    ``total = alpha * cross_entropy + beta * distillation``. Published runs give every student
    fresh weights and train two generations, each with the one before as its teacher (born-again
    networks).

    Parameters
    ----------
    student : Model
        Model that is trained in place; usually one with fresh weights.
    teacher : Model
        Another model with equal classes, image size and channels; it is only evaluated.
    alpha : float, default=0.5
        Weight of the cross-entropy, >= 0.
    beta : float, default=0.5
        Weight of the divergence from the teacher, >= 0.
    temperature : float, default=4.0
        Temperature of the distillation, > 0.
    optimizer : SGD, default=SGD()
        Learning rate, momentum and weight decay.
    seed : int, default=0
        Seed of dropout and DropBlock.
    terms : sequence of Term, default=()
        Further terms of the loss.
    communicator : mpi4py.MPI.Intracomm, optional
        Communicator of the ranks that train together, each with a model of equal state; see
        docs/how-to/distributed.md.
    sync_batch_norm : bool, default=True
        Compute batch-norm statistics over all ranks; if False, over this rank's images only.

    References
    ----------
    .. [1] Y. Tian et al., "Rethinking Few-Shot Image Classification: a Good Embedding Is All You
       Need?", arXiv:2003.11539, 2020.

    Examples
    --------
    Two generations after a teacher that `Supervised` trained:

    >>> def fresh(seed):
    ...     return skd.create_model("convnet4", num_classes=2, image_size=16, seed=seed)
    >>> x, labels = np.zeros((2, 16, 16, 3)), [0, 1]
    >>> teacher = fresh(seed=0)
    >>> _ = skd.Supervised(teacher, optimizer=skd.SGD(lr=0.01)).step(x, labels)
    >>> for generation in (1, 2):
    ...     student = fresh(seed=generation)
    ...     losses = Distilled(student, teacher, optimizer=skd.SGD(lr=0.01)).step(x, labels)
    ...     teacher = student
    """

    _options = ("alpha", "beta", "temperature")

    def __init__(
        self,
        student: Model,
        teacher: Model,
        *,
        alpha: float = 0.5,
        beta: float = 0.5,
        temperature: float = 4.0,
        optimizer: SGD | None = None,
        seed: int = 0,
        terms: Sequence[Term] = (),
        communicator: Intracomm | None = None,
        sync_batch_norm: bool = True,
    ) -> None:
        owner = "Distilled"
        check_teacher(student, teacher, owner)
        self.teacher = teacher
        self.alpha = check.float32(alpha, "alpha", owner)
        self.beta = check.float32(beta, "beta", owner)
        self.temperature = check.float32(temperature, "temperature", owner, open_minimum=True)
        super().__init__(
            student,
            teacher,
            _native.DISTILLED,
            optimizer,
            seed,
            cross_entropy_weight=self.alpha,
            distillation_weight=self.beta,
            temperature=self.temperature,
            terms=terms,
            communicator=communicator,
            sync_batch_norm=sync_batch_norm,
        )
