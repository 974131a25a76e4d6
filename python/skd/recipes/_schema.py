"""What a recipe may say: one class for each of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from skd import _validation as check
from skd.augmentation import MODES
from skd.classifiers.kinds import KINDS
from skd.datasets.catalogue import NAMES, OWN_PICTURES
from skd.models import ARCHITECTURES, FEATURES, PRECISIONS
from skd.recipes import _checks as checks
from skd.recipes._checks import takes
from skd.training import SCHEDULES


@dataclass(frozen=True, kw_only=True)
class Data:
    """What is trained on.

    Attributes
    ----------
    name : str
        One of the names of `skd.datasets.load`, or "folder" for pictures of your own.
    root : str or None
        Folder of the files; by default ``data/NAME``.
    image_size : int or None
        Side of the images, of "folder" only.
    split : {"train", "trainval"}
        Classes to train on; with "trainval" there is no validation.
    num_classes, images_per_class : int or None
        Only the first ones of the training classes, and of the images of each.
    augmentation, flip, padding
        As for `Gen0.fit`.
    """

    name: str = field(metadata=takes(checks.one_of(*NAMES, OWN_PICTURES)))
    root: str | None = field(default=None, metadata=takes(checks.text))
    image_size: int | None = field(default=None, metadata=takes(checks.count))
    split: str = field(default="train", metadata=takes(checks.one_of("train", "trainval")))
    num_classes: int | None = field(default=None, metadata=takes(checks.count))
    images_per_class: int | None = field(default=None, metadata=takes(checks.count))
    augmentation: str = field(default="full", metadata=takes(checks.one_of(*MODES)))
    flip: bool = field(default=True, metadata=takes(checks.flag))
    padding: int | None = field(default=None, metadata=takes(checks.natural))


@dataclass(frozen=True, kw_only=True)
class Network:
    """The arguments of `skd.create_model`, but what the data decide.

    Attributes
    ----------
    architecture, widths, use_se, drop_rate, dropblock_size, precision
        As for `skd.create_model`.
    """

    architecture: str = field(default="resnet12", metadata=takes(checks.one_of(*ARCHITECTURES)))
    widths: tuple[int, ...] | None = field(default=None, metadata=takes(checks.counts))
    use_se: bool = field(default=False, metadata=takes(checks.flag))
    drop_rate: float | None = field(default=None, metadata=takes(checks.below_one))
    dropblock_size: int | None = field(default=None, metadata=takes(checks.count))
    precision: str = field(default="float32", metadata=takes(checks.one_of(*PRECISIONS)))


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """The arguments of `skd.SGD`.

    Attributes
    ----------
    lr, momentum, weight_decay : float
        As for `skd.SGD`.
    """

    lr: float = field(default=0.05, metadata=takes(checks.number))
    momentum: float = field(default=0.9, metadata=takes(checks.below_one))
    weight_decay: float = field(default=5e-4, metadata=takes(checks.number))


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long is trained, in which batches, and how the learning rate falls.

    Attributes
    ----------
    epochs, decay_epochs, decay_factor, warmup_epochs, batch_size, image_sizes, resize_epochs, \
val_every
        As for `Gen0.fit`.
    kind : {"step", "cosine", "one_cycle"}
        Its ``schedule``.
    """

    epochs: int = field(metadata=takes(checks.count))
    decay_epochs: tuple[int, ...] = field(default=(), metadata=takes(checks.counts))
    decay_factor: float = field(default=0.1, metadata=takes(checks.number))
    kind: str = field(default="step", metadata=takes(checks.one_of(*SCHEDULES)))
    warmup_epochs: float = field(default=0.0, metadata=takes(checks.number))
    batch_size: int = field(default=64, metadata=takes(checks.count))
    image_sizes: tuple[int, ...] | None = field(default=None, metadata=takes(checks.some_counts))
    resize_epochs: tuple[int, ...] = field(default=(), metadata=takes(checks.counts))
    val_every: int = field(default=1, metadata=takes(checks.count))


@dataclass(frozen=True, kw_only=True)
class SupervisedLoss:
    """`skd.Supervised` has no weights."""


@dataclass(frozen=True, kw_only=True)
class DistilledLoss:
    """The weights of `skd.Distilled`.

    Attributes
    ----------
    alpha, beta, temperature : float
        As for `skd.Distilled`.
    """

    alpha: float = field(default=0.5, metadata=takes(checks.number))
    beta: float = field(default=0.5, metadata=takes(checks.number))
    temperature: float = field(default=4.0, metadata=takes(checks.positive))


@dataclass(frozen=True, kw_only=True)
class Gen0Loss:
    """Weight and views of `skd.Gen0`.

    Attributes
    ----------
    alpha, rotations_per_image
        As for `skd.Gen0`.
    """

    alpha: float = field(default=2.0, metadata=takes(checks.number))
    rotations_per_image: int = field(default=4, metadata=takes(checks.views))


@dataclass(frozen=True, kw_only=True)
class Gen1Loss:
    """The weights and choices of `skd.Gen1`.

    Attributes
    ----------
    beta, temperature, twin_rotations, bn_views
        As for `skd.Gen1`.
    """

    beta: float = field(default=0.1, metadata=takes(checks.number))
    temperature: float = field(default=4.0, metadata=takes(checks.positive))
    twin_rotations: tuple[int, ...] = field(default=(180,), metadata=takes(checks.twins))
    bn_views: str = field(default="twins", metadata=takes(checks.one_of("twins", "all")))


Loss = SupervisedLoss | DistilledLoss | Gen0Loss | Gen1Loss
LOSSES: dict[str, type[Loss]] = {
    "supervised": SupervisedLoss,
    "distilled": DistilledLoss,
    "gen0": Gen0Loss,
    "gen1": Gen1Loss,
}
TAUGHT = ("distilled", "gen1")


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """Where the teacher of a student comes from: one of `recipe` and `checkpoint`.

    Attributes
    ----------
    recipe : str or None
        Name or file of the recipe that trains it. Its data and model are the student's.
    checkpoint : str or None
        A file that `Model.save` wrote.
    generations : int
        Students in a row, each taught by the one before; of stage "distilled" only.
    changes : mapping
        Tables ``optimizer``, ``schedule`` and ``loss`` with entries of the teacher's recipe to
        change.
    """

    recipe: str | None = field(default=None, metadata=takes(checks.text))
    checkpoint: str | None = field(default=None, metadata=takes(checks.text))
    generations: int = field(default=1, metadata=takes(checks.count))
    changes: Mapping[str, Any] = field(default_factory=dict, hash=False)


#: Tables of the teacher's recipe that `Teacher.changes` may hold.
CHANGEABLE = ("optimizer", "schedule", "loss")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How the model is scored when it is trained.

    Attributes
    ----------
    model : {"last", "best"}
        The model of the last epoch, or of the epoch with the best validation accuracy.
    n_shots : tuple of int
        An evaluation of each.
    seed : int
        Of the episodes, whatever the seed of the training: all models meet the same.
    split, n_way, n_query, n_episodes, classifier, features, n_support_copies, \
support_augmentation, flip, legacy_episodes
        As for `skd.evaluate`.
    """

    model: str = field(default="last", metadata=takes(checks.one_of("last", "best")))
    split: str = field(default="test", metadata=takes(checks.one_of("test", "val")))
    n_way: int = field(default=5, metadata=takes(checks.ways))
    n_shots: tuple[int, ...] = field(default=(1, 5), metadata=takes(checks.some_counts))
    n_query: int = field(default=15, metadata=takes(checks.count))
    n_episodes: int = field(default=600, metadata=takes(checks.count))
    classifier: str = field(default="logistic", metadata=takes(checks.one_of(*KINDS)))
    features: str = field(default="embedding", metadata=takes(checks.one_of(*FEATURES)))
    n_support_copies: int = field(default=5, metadata=takes(checks.count))
    support_augmentation: str = field(default="crop_flip", metadata=takes(checks.one_of(*MODES)))
    flip: bool = field(default=True, metadata=takes(checks.flag))
    legacy_episodes: bool = field(default=False, metadata=takes(checks.flag))
    seed: int = field(default=0, metadata=takes(checks.natural))


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Accuracies, 5-way, to compare with: mean and half-width of the interval, in percent.

    Attributes
    ----------
    one_shot, five_shot : tuple of two floats, or None
        Where they were published or measured.
    source : str
        Where they stand.
    """

    one_shot: tuple[float, float] | None = field(default=None, metadata=takes(checks.accuracy))
    five_shot: tuple[float, float] | None = field(default=None, metadata=takes(checks.accuracy))
    source: str = field(metadata=takes(checks.text))

    def of(self, n_shot: int) -> tuple[float, float] | None:
        """Look up the accuracy of episodes of so many shots.

        Parameters
        ----------
        n_shot : int
            Support images of each class.

        Returns
        -------
        accuracy : tuple of two floats, or None
            Mean and half-width of the interval, in percent, if they are known.
        """
        number = check.integer(n_shot, "n_shot", "Expected.of")
        return {1: self.one_shot, 5: self.five_shot}.get(number)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides a training and its evaluation.

    Read one with `skd.recipes.load`; docs/recipes.md lists the entries.

    Attributes
    ----------
    name : str
        Of its run folder.
    title : str
        What it reproduces.
    stage : {"supervised", "distilled", "gen0", "gen1"}
        The objective.
    seed : int
        Of weights, order, augmentation and dropout.
    data, model, optimizer, schedule, loss, teacher, evaluation, expected
        The tables.
    """

    name: str
    title: str
    stage: str
    seed: int
    data: Data
    model: Network
    optimizer: Optimizer
    schedule: Schedule
    loss: Loss
    teacher: Teacher | None
    evaluation: Evaluation
    expected: Expected | None

    def to_table(self) -> dict[str, Any]:
        """Return the recipe as the tables of TOML, with every default written out.

        Returns
        -------
        table : dict
            What `skd.recipes.load` reads from a file; entries that are None are left out.
        """
        return _table(self)

    def to_toml(self) -> str:
        """Return the recipe as a TOML document; needs tomli-w, which the extra ``cli`` brings.

        Returns
        -------
        text : str
            A recipe that says the same without depending on any default.
        """
        import tomli_w

        return tomli_w.dumps(self.to_table())


def _table(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that are not None, lists for tuples."""
    table: dict[str, Any] = {}
    for name in value.__dataclass_fields__:
        entry = getattr(value, name)
        if hasattr(entry, "__dataclass_fields__"):
            if inner := _table(entry):
                table[name] = inner
        elif name == "changes":
            table.update(entry)  # they stand in the table of the teacher
        elif entry is not None:
            table[name] = list(entry) if isinstance(entry, tuple) else entry
    return table
