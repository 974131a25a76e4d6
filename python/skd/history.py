"""Records of training steps and training runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from skd import _validation as check
from skd._display.tables import Table
from skd._files.bounded_json import finite_or_none

if TYPE_CHECKING:
    from skd.evaluation import EvaluationResult

__all__ = ["EpochRecord", "History", "Losses", "epoch_columns", "loss_columns"]

#: Losses that every objective has; others are exactly 0 in objectives that do not have them.
COMMON = {"total", "accuracy"}
SHOWN_EPOCHS = 12  # of a longer history the first and the last are shown


class _LossFields(NamedTuple):
    total: float
    cross_entropy: float
    rotation: float
    distillation: float
    twin: float
    accuracy: float
    rotation_accuracy: float


class Losses(_LossFields):
    """Loss terms of one step; terms that the objective does not have are 0.

    Attributes
    ----------
    total : float
        Loss that is minimised.
    cross_entropy, rotation : float
        Terms of `Supervised` and `Gen0`.
    distillation, twin : float
        Terms of `Gen1`; `Distilled` has the first.
    accuracy, rotation_accuracy : float
        Fractions, in 0..1, of the images that are classified correctly.
    terms : mapping of str to float
        Values of the trainer's further terms, before their weights; not an entry of the tuple.
    """

    terms: Mapping[str, float] = MappingProxyType({})

    def __new__(
        cls,
        total: float,
        cross_entropy: float,
        rotation: float,
        distillation: float,
        twin: float,
        accuracy: float,
        rotation_accuracy: float,
        terms: Mapping[str, float] | None = None,
    ) -> Losses:
        """Create the tuple of seven numbers."""
        self = super().__new__(
            cls, total, cross_entropy, rotation, distillation, twin, accuracy, rotation_accuracy
        )
        if terms is not None and not isinstance(terms, Mapping):
            legal = "a mapping of names to values"
            check.refuse("terms", "Losses", legal, check.shown(terms), TypeError)
        if terms:
            self.terms = dict(terms)
        return self


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of training.

    Attributes
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    learning_rate : float
        Learning rate of the epoch's last step.
    losses : Losses
        Means over the steps.
    seconds : float
        Duration of the training, without the validation.
    images_per_second : float
        Throughput in images of the split; each counts once, however many rotations it passes in.
    validation : EvaluationResult or None
        Few-shot accuracy on the validation split, if this epoch was validated.
    """

    epoch: int
    learning_rate: float
    losses: Losses
    seconds: float
    images_per_second: float
    validation: EvaluationResult | None = None


@dataclass(frozen=True, repr=False)
class History(Sequence[EpochRecord]):
    """The records of a training run, in order; it represents itself as a table.

    Parameters
    ----------
    records : tuple of EpochRecord
        One per epoch.
    """

    records: tuple[EpochRecord, ...]

    @property
    def best(self) -> EpochRecord | None:
        """First epoch with the highest validation accuracy; None without validation."""
        validated = [record for record in self.records if record.validation is not None]
        return max(validated, key=_accuracy) if validated else None

    def columns(self) -> dict[str, list[float | None]]:
        """Return the numbers of all epochs by name, without the losses of other objectives.

        Returns
        -------
        columns : dict of str to list
            ``"epoch"``, ``"learning_rate"``, the losses of the objective, further terms as
            ``"term.NAME"``, accuracies in 0..1, ``"images_per_second"`` and ``"seconds"``. A
            validated run also has ``"val_accuracy"`` and ``"val_ci95"`` in percent, which are None
            for epochs without validation.
        """
        rows = [epoch_columns(record) for record in self.records]
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = {name: [row.get(name) for row in rows] for name in names}
        losses = {*Losses._fields} - COMMON
        absent = {name for name in losses if not any(table.get(name, ()))}
        if "rotation" not in absent:
            absent.discard("rotation_accuracy")  # it may be 0 in every epoch of a short run
        if self.best is None:
            absent |= {"val_accuracy", "val_ci95"}
        return {name: values for name, values in table.items() if name not in absent}

    def to_dataframe(self) -> Any:
        """Return a data frame with a row for each epoch, and the columns of `columns`.

        Returns
        -------
        frame : pandas.DataFrame
            Numbers of all epochs; NaN where an epoch was not validated.

        Raises
        ------
        ImportError
            If pandas is missing.
        """
        try:
            import pandas as pd
        except ImportError as error:
            reason = "History.to_dataframe needs pandas: pip install pandas"
            raise ImportError(reason) from error
        frame = pd.DataFrame(self.columns())
        return frame.astype({name: "float64" for name in frame if name != "epoch"})

    def __repr__(self) -> str:
        """Return a table of the epochs."""
        return self._table().text()

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        return self._table().html()

    def _table(self) -> Table:
        columns = self.columns()
        best = self.best
        title = f"History of {len(self)} epoch{'' if len(self) == 1 else 's'}"
        if best is not None:
            title += f"; best validation {best.validation} in epoch {best.epoch}"
        cells = [[_cell(name, value) for value in column] for name, column in columns.items()]
        rows = list(zip(*cells, strict=True))
        if len(rows) > SHOWN_EPOCHS:
            half = SHOWN_EPOCHS // 2
            rows = [*rows[:half], ("...",) * len(columns), *rows[-half:]]
        return Table(title, tuple(columns), rows)

    @overload
    def __getitem__(self, index: int) -> EpochRecord: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[EpochRecord, ...]: ...

    def __getitem__(self, index: int | slice) -> EpochRecord | tuple[EpochRecord, ...]:
        """Return the record at a position."""
        return self.records[index]

    def __iter__(self) -> Iterator[EpochRecord]:
        """Iterate over the records."""
        return iter(self.records)

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self.records)


def _accuracy(record: EpochRecord) -> float:
    assert record.validation is not None
    return record.validation.mean


def _cell(name: str, value: float | None) -> str:
    """Return a number of an epoch for a table."""
    if value is None:
        return "-"
    if name.startswith("val_"):
        return f"{value:.2f}"
    if name in ("images_per_second", "seconds"):
        return f"{value:.1f}"
    return f"{value:.4g}"


def loss_columns(losses: Losses) -> dict[str, float]:
    """Return the losses by name; further terms are named ``term.NAME``."""
    return {**losses._asdict(), **{f"term.{name}": v for name, v in losses.terms.items()}}


def epoch_columns(record: EpochRecord) -> dict[str, float | None]:
    """Return all numbers of an epoch; numbers of the validation are None without one."""
    validation = record.validation
    return {
        "epoch": record.epoch,
        "learning_rate": record.learning_rate,
        **loss_columns(record.losses),
        "val_accuracy": None if validation is None else validation.mean,
        "val_ci95": None if validation is None else finite_or_none(validation.ci95),
        "images_per_second": record.images_per_second,
        "seconds": record.seconds,
    }
