"""Training objectives: plain supervision, Generation 0 and Generation 1.

References
----------
.. [1] J. Rajasegaran et al., "Self-supervised Knowledge Distillation for Few-shot Learning",
   arXiv:2006.09785, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skd import _native
from skd import _validation as check
from skd.choices import BatchNormViews, TwinRotation, values
from skd.models import Model
from skd.training._objective import Objective
from skd.training._sgd import SGD
from skd.training._terms import Term, checked_terms

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm


ROTATIONS: tuple[TwinRotation, ...] = values(TwinRotation)
VIEWS: tuple[BatchNormViews, ...] = values(BatchNormViews)


class Supervised(Objective):
    """Cross-entropy on images that are not rotated; known as RFS-simple.

    Parameters
    ----------
    model : Model
        Model that is trained in place.
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

    Examples
    --------
    >>> model = skd.create_model("convnet4", num_classes=2, image_size=16)
    >>> supervised = Supervised(model, optimizer=skd.SGD(lr=0.01))
    >>> losses = supervised.step(np.zeros((2, 16, 16, 3)), [0, 1])
    >>> losses.total == losses.cross_entropy
    True
    """

    def __init__(
        self,
        model: Model,
        *,
        optimizer: SGD | None = None,
        seed: int = 0,
        terms: Sequence[Term] = (),
        communicator: Intracomm | None = None,
        sync_batch_norm: bool = True,
    ) -> None:
        check.instance(model, "model", "Supervised", Model)
        super().__init__(
            model,
            None,
            _native.SUPERVISED,
            optimizer,
            seed,
            terms=terms,
            communicator=communicator,
            sync_batch_norm=sync_batch_norm,
        )


class Gen0(Objective):
    """Generation 0 [1]_: classes and rotations of images in all four rotations.

    ``total = cross_entropy + alpha * rotation``; the rotation is predicted from the logits.

    Parameters
    ----------
    model : Model
        Model with a rotation head; it is trained in place.
    alpha : float, default=2.0
        Weight of the rotation loss, >= 0.
    rotations_per_image : {4, 3, 2, 1}, default=4
        Number of rotations of each image in a step. Fewer than the paper's four are drawn at
        random for each image and step, which costs proportionally less time; such a trainer
        takes no `terms`.
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
    .. [1] J. Rajasegaran et al., "Self-supervised Knowledge Distillation for Few-shot Learning",
       arXiv:2006.09785, 2020.
    """

    _options = ("alpha", "rotations_per_image")

    def __init__(
        self,
        model: Model,
        *,
        alpha: float = 2.0,
        rotations_per_image: int = 4,
        optimizer: SGD | None = None,
        seed: int = 0,
        terms: Sequence[Term] = (),
        communicator: Intracomm | None = None,
        sync_batch_norm: bool = True,
    ) -> None:
        check.instance(model, "model", "Gen0", Model)
        if not model.has_rotation_head:
            check.refuse("model", "Gen0", "a model with a rotation head", repr(model))
        self.alpha = check.float32(alpha, "alpha", "Gen0")
        self.rotations_per_image = check.integer(
            rotations_per_image, "rotations_per_image", "Gen0", minimum=1, maximum=4
        )
        if checked_terms(terms, "Gen0") and self.rotations_per_image < 4:
            check.refuse("terms", "Gen0", "empty unless rotations_per_image is 4", repr(terms))
        super().__init__(
            model,
            None,
            _native.GEN0,
            optimizer,
            seed,
            rotation_weight=self.alpha,
            rotations_per_image=self.rotations_per_image,
            terms=terms,
            communicator=communicator,
            sync_batch_norm=sync_batch_norm,
        )


class Gen1(Objective):
    """Generation 1 [1]_: a student follows its teacher and pulls rotated twins together.

    ``total = distillation + beta * twin``. Labels are used for the accuracy only and may be None.

    Parameters
    ----------
    student : Model
        Model that is trained in place; usually ``teacher.clone()``.
    teacher : Model
        Another model with equal classes, image size and channels; it is only evaluated.
    beta : float, default=0.1
        Weight of the mean twin term, >= 0. Published code divides its one twin term by 3: its
        "0.1" is ``beta=0.1 / 3`` here.
    temperature : float, default=4.0
        Temperature of the distillation, > 0.
    twin_rotations : sequence of {90, 180, 270}, default=(180,)
        Rotations whose twins are pulled to the upright images.
    bn_views : {"twins", "all"}, default="twins"
        Views that enter the student's batch statistics: the upright images and the twins, or
        all four rotations as in the published code.
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
    .. [1] J. Rajasegaran et al., "Self-supervised Knowledge Distillation for Few-shot Learning",
       arXiv:2006.09785, 2020.
    """

    _labels_required = False
    _options = ("beta", "temperature", "twin_rotations", "bn_views")

    def __init__(
        self,
        student: Model,
        teacher: Model,
        *,
        beta: float = 0.1,
        temperature: float = 4.0,
        twin_rotations: Sequence[TwinRotation] = (180,),
        bn_views: BatchNormViews = "twins",
        optimizer: SGD | None = None,
        seed: int = 0,
        terms: Sequence[Term] = (),
        communicator: Intracomm | None = None,
        sync_batch_norm: bool = True,
    ) -> None:
        owner = "Gen1"
        check_teacher(student, teacher, owner)
        self.teacher = teacher
        self.beta = check.float32(beta, "beta", owner)
        self.temperature = check.float32(temperature, "temperature", owner, open_minimum=True)
        self.twin_rotations = check.subset(twin_rotations, "twin_rotations", owner, ROTATIONS)
        self.bn_views = check.choice(bn_views, "bn_views", owner, VIEWS)
        super().__init__(
            student,
            teacher,
            _native.GEN1,
            optimizer,
            seed,
            twin_weight=self.beta,
            temperature=self.temperature,
            twins=self.twin_rotations,
            all_views=self.bn_views == "all",
            terms=terms,
            communicator=communicator,
            sync_batch_norm=sync_batch_norm,
        )


def check_teacher(student: Model, teacher: Model, owner: str) -> None:
    """Refuse a teacher that does not fit the student."""
    check.instance(student, "student", owner, Model)
    check.instance(teacher, "teacher", owner, Model)
    if student is teacher:
        check.refuse("teacher", owner, "another model than the student", "the student")
    for name in ("num_classes", "image_size", "input_channels"):
        own, taught = getattr(student, name), getattr(teacher, name)
        if own != taught:
            check.refuse("teacher", owner, f"a model with {name} {own}", taught)
