"""Tables and entries of a recipe: one class for each table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from skd import _validation as check
from skd.choices import (
    Architecture,
    Augmentation,
    BatchNormViews,
    ClassifierName,
    EvaluationPart,
    Features,
    Precision,
    QueryDistribution,
    RecipeDataName,
    ScheduleKind,
    Stage,
    TrainedModel,
    TrainingPart,
    TwinRotation,
)
from skd.recipes import _checks as checks
from skd.recipes._checks import takes


@dataclass(frozen=True, kw_only=True)
class Data:
    """Training data.

    Attributes
    ----------
    name : str
        Name of a data set for `skd.datasets.load`, or "folder" for your own pictures.
    root : str or None
        Folder of the files; by default ``data/NAME``.
    image_size : int or None
        Side of the images, for "folder" only.
    split : {"train", "trainval"}
        Classes to train on; "trainval" excludes validation.
    num_classes, images_per_class : int or None
        Number of training classes, and of images of each; the first ones are used.
    augmentation, flip, padding
        As for `Gen0.fit`.
    """

    name: RecipeDataName = field(metadata=takes(checks.one_of(RecipeDataName)))
    root: str | None = field(default=None, metadata=takes(checks.text))
    image_size: int | None = field(default=None, metadata=takes(checks.count))
    split: TrainingPart = field(default="train", metadata=takes(checks.one_of(TrainingPart)))
    num_classes: int | None = field(default=None, metadata=takes(checks.count))
    images_per_class: int | None = field(default=None, metadata=takes(checks.count))
    augmentation: Augmentation = field(default="full", metadata=takes(checks.one_of(Augmentation)))
    flip: bool = field(default=True, metadata=takes(checks.flag))
    padding: int | None = field(default=None, metadata=takes(checks.natural))


@dataclass(frozen=True, kw_only=True)
class Network:
    """Arguments of `skd.create_model`, except those that the data decide.

    Attributes
    ----------
    architecture, widths, use_se, drop_rate, dropblock_size, precision
        As for `skd.create_model`.
    """

    architecture: Architecture = field(
        default="resnet12", metadata=takes(checks.one_of(Architecture))
    )
    widths: tuple[int, ...] | None = field(default=None, metadata=takes(checks.counts))
    use_se: bool = field(default=False, metadata=takes(checks.flag))
    drop_rate: float | None = field(default=None, metadata=takes(checks.below_one))
    dropblock_size: int | None = field(default=None, metadata=takes(checks.count))
    precision: Precision = field(default="float32", metadata=takes(checks.one_of(Precision)))


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """Arguments of `skd.SGD`.

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
    """Length of the training, batches, and schedule of the learning rate.

    Attributes
    ----------
    epochs, decay_epochs, decay_factor, warmup_epochs, batch_size, image_sizes, resize_epochs, \
val_every
        As for `Gen0.fit`.
    kind : {"step", "cosine", "one_cycle"}
        Argument ``schedule`` of `Gen0.fit`.
    """

    epochs: int = field(metadata=takes(checks.count))
    decay_epochs: tuple[int, ...] = field(default=(), metadata=takes(checks.counts))
    decay_factor: float = field(default=0.1, metadata=takes(checks.number))
    kind: ScheduleKind = field(default="step", metadata=takes(checks.one_of(ScheduleKind)))
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
    """Arguments of `skd.Distilled`.

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
    """Arguments of `skd.Gen0`.

    Attributes
    ----------
    alpha, rotations_per_image
        As for `skd.Gen0`.
    """

    alpha: float = field(default=2.0, metadata=takes(checks.number))
    rotations_per_image: int = field(default=4, metadata=takes(checks.views))


@dataclass(frozen=True, kw_only=True)
class Gen1Loss:
    """Arguments of `skd.Gen1`.

    Attributes
    ----------
    beta, temperature, twin_rotations, bn_views
        As for `skd.Gen1`.
    """

    beta: float = field(default=0.1, metadata=takes(checks.number))
    temperature: float = field(default=4.0, metadata=takes(checks.positive))
    twin_rotations: tuple[TwinRotation, ...] = field(default=(180,), metadata=takes(checks.twins))
    bn_views: BatchNormViews = field(default="twins", metadata=takes(checks.one_of(BatchNormViews)))


Loss = SupervisedLoss | DistilledLoss | Gen0Loss | Gen1Loss
LOSSES: dict[Stage, type[Loss]] = {
    "supervised": SupervisedLoss,
    "distilled": DistilledLoss,
    "gen0": Gen0Loss,
    "gen1": Gen1Loss,
}
TAUGHT = ("distilled", "gen1")


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """Teacher of a student: either `recipe` or `checkpoint`.

    Attributes
    ----------
    recipe : str or None
        Name or file of the recipe that trains the teacher, with the student's data and model.
    checkpoint : str or None
        File that `Model.save` wrote.
    generations : int
        Number of consecutive students, each with the one before as teacher; for stage "distilled"
        only.
    changes : mapping
        Tables ``optimizer``, ``schedule`` and ``loss`` with changes to the teacher's recipe.
    """

    recipe: str | None = field(default=None, metadata=takes(checks.text))
    checkpoint: str | None = field(default=None, metadata=takes(checks.text))
    generations: int = field(default=1, metadata=takes(checks.count))
    changes: Mapping[str, Any] = field(default_factory=dict, hash=False)


#: Tables of the teacher's recipe that `Teacher.changes` may hold.
CHANGEABLE = ("optimizer", "schedule", "loss")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Evaluation of the trained model.

    Attributes
    ----------
    model : {"last", "best"}
        Model of the last epoch, or of the epoch with the best validation accuracy.
    n_shots : tuple of int
        Numbers of shots; each gets an evaluation.
    seed : int
        Seed of the episodes, independent of the training's seed, so that all models meet the same
        episodes.
    n_way : int or pair of int
        As for `skd.evaluate`; a list of two numbers is a range.
    split, n_query, query_distribution, query_concentration, open_set, n_episodes, classifier, \
features, n_support_copies, support_augmentation, flip, legacy_episodes
        As for `skd.evaluate`.
    """

    model: TrainedModel = field(default="last", metadata=takes(checks.one_of(TrainedModel)))
    split: EvaluationPart = field(default="test", metadata=takes(checks.one_of(EvaluationPart)))
    n_way: int | tuple[int, int] = field(default=5, metadata=takes(checks.ways))
    n_shots: tuple[int, ...] = field(default=(1, 5), metadata=takes(checks.some_counts))
    n_query: int = field(default=15, metadata=takes(checks.count))
    query_distribution: QueryDistribution = field(
        default="uniform", metadata=takes(checks.one_of(QueryDistribution))
    )
    query_concentration: float = field(default=2.0, metadata=takes(checks.positive))
    open_set: int | None = field(default=None, metadata=takes(checks.count))
    n_episodes: int = field(default=600, metadata=takes(checks.count))
    classifier: ClassifierName = field(
        default="logistic", metadata=takes(checks.one_of(ClassifierName))
    )
    features: Features = field(default="embedding", metadata=takes(checks.one_of(Features)))
    n_support_copies: int = field(default=5, metadata=takes(checks.count))
    support_augmentation: Augmentation = field(
        default="crop_flip", metadata=takes(checks.one_of(Augmentation))
    )
    flip: bool = field(default=True, metadata=takes(checks.flag))
    legacy_episodes: bool = field(default=False, metadata=takes(checks.flag))
    seed: int = field(default=0, metadata=takes(checks.natural))


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Expected 5-way accuracies: mean and half-width of the interval, in percent.

    Attributes
    ----------
    one_shot, five_shot : tuple of two floats, or None
        Published or measured accuracies.
    source : str
        Source of the accuracies.
    """

    one_shot: tuple[float, float] | None = field(default=None, metadata=takes(checks.accuracy))
    five_shot: tuple[float, float] | None = field(default=None, metadata=takes(checks.accuracy))
    source: str = field(metadata=takes(checks.text))

    def of(self, n_shot: int) -> tuple[float, float] | None:
        """Return the accuracy for a number of shots.

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
class Measured:
    """Result of our own run of the recipe, which `benchmarks/results/paper.json` describes in full.

    Attributes
    ----------
    one_shot, five_shot : tuple of two floats
        5-way accuracies on the test classes: mean and half-width of the interval, in percent.
    processor_hours : float
        Hours of all processors together; divide by the number of cores for hours on an idle
        machine.
    machine : str
        Processor of the run.
    """

    one_shot: tuple[float, float] = field(metadata=takes(checks.accuracy))
    five_shot: tuple[float, float] = field(metadata=takes(checks.accuracy))
    processor_hours: float = field(metadata=takes(checks.positive))
    machine: str = field(metadata=takes(checks.text))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Complete description of a training and its evaluation.

    Read one with `skd.recipes.load`; docs/how-to/recipes.md lists the entries.

    Attributes
    ----------
    name : str
        Name of its run folder.
    title : str
        Description of the reproduced result.
    stage : {"supervised", "distilled", "gen0", "gen1"}
        Objective of the training.
    seed : int
        Seed of weights, order, augmentation and dropout.
    data, model, optimizer, schedule, loss, teacher, evaluation, expected, measured
        Tables of the recipe.
    """

    name: str
    title: str
    stage: Stage
    seed: int
    data: Data
    model: Network
    optimizer: Optimizer
    schedule: Schedule
    loss: Loss
    teacher: Teacher | None
    evaluation: Evaluation
    expected: Expected | None
    measured: Measured | None

    def to_table(self) -> dict[str, Any]:
        """Return the recipe as the tables of TOML, with every default written out.

        Returns
        -------
        table : dict
            Tables as `skd.recipes.load` reads them from a file; entries that are None are left out.
        """
        return _table(self)

    def to_toml(self) -> str:
        """Return the recipe as a TOML document.

        Returns
        -------
        text : str
            Recipe in TOML that does not depend on any default.
        """
        import tomli_w

        return tomli_w.dumps(self.to_table())


def _table(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that are not None, with lists in place of tuples."""
    table: dict[str, Any] = {}
    for name in value.__dataclass_fields__:
        entry = getattr(value, name)
        if hasattr(entry, "__dataclass_fields__"):
            if inner := _table(entry):
                table[name] = inner
        elif name == "changes":
            table.update(entry)  # they belong to the table of the teacher
        elif entry is not None:
            table[name] = list(entry) if isinstance(entry, tuple) else entry
    return table
