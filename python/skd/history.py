"""Records of training steps and training runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, overload

from skd import _validation as check

if TYPE_CHECKING:
    from skd.evaluation import EvaluationResult

__all__ = ["EpochRecord", "History", "Losses"]


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


@dataclass(frozen=True)
class History(Sequence[EpochRecord]):
    """The records of a training run, in order.

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
