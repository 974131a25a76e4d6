"""Progress of a run, in a form that a checkpoint can hold."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd.evaluation import EvaluationResult
from skd.history import EpochRecord, Losses
from skd.models import Normalization

DTYPE = re.compile(r"[<>|=]?[biuf][1248]")  # dtypes of arrays in a record
CLASSES = {kind.__name__: kind for kind in (EpochRecord, EvaluationResult, Losses, Normalization)}


@dataclass
class Progress:
    """Progress of a run.

    Attributes
    ----------
    epoch : int
        Number of the current epoch, from 1; one more than the number of epochs at the end.
    step : int
        Steps of the current epoch so far.
    sums : ndarray of shape (n_terms,), dtype float64
        Sums of the losses over those steps.
    terms : dict of str to float
        Sums of the trainer's further terms over those steps.
    seconds : float
        Duration of those steps.
    records : list of EpochRecord
        Records of the earlier epochs.
    """

    epoch: int = 1
    step: int = 0
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(Losses._fields)))
    terms: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    records: list[EpochRecord] = field(default_factory=list)

    def add(self, losses: Losses) -> None:
        """Count one more step."""
        self.sums += losses
        for name, value in losses.terms.items():
            self.terms[name] = self.terms.get(name, 0.0) + value
        self.step += 1

    @property
    def mean(self) -> Losses:
        """Means over the steps of the epoch in training."""
        means = {name: value / self.step for name, value in self.terms.items()}
        mean = Losses(*(self.sums / self.step).tolist())
        mean.terms = means
        return mean

    def complete(self, record: EpochRecord) -> None:
        """Go on to the next epoch."""
        self.records.append(record)
        self.epoch, self.step, self.seconds = self.epoch + 1, 0, 0.0
        self.sums, self.terms = np.zeros_like(self.sums), {}

    def encoded(self) -> dict[str, Any]:
        """Return the progress in the types of JSON; `decode` restores it bit for bit."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "sums": self.sums.tolist(),
            "terms": self.terms,
            "seconds": self.seconds,
            "records": [_encoded(record) for record in self.records],
        }

    @classmethod
    def decode(cls, value: dict[str, Any]) -> Progress:
        """Return the progress that `encoded` described, or raise an error."""
        result = cls(
            epoch=value["epoch"],
            step=value["step"],
            sums=np.array(value["sums"], dtype=np.float64),
            terms=value["terms"],
            seconds=float(value["seconds"]),
            records=[_decoded(record) for record in value["records"]],
        )
        counts = (result.epoch - 1, result.step)
        if not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError(f"epoch {result.epoch}, step {result.step}")
        if result.sums.shape != (len(Losses._fields),) or not isinstance(result.terms, dict):
            raise ValueError("sums of other losses")
        if not all(isinstance(record, EpochRecord) for record in result.records):
            raise ValueError("records of something else")
        return result


def _encoded(value: Any) -> Any:
    """Return a value in the types of JSON; other types become ``{kind: content}``."""
    kind = type(value).__name__
    if kind in CLASSES:
        if isinstance(value, Losses) and value.terms:
            return {kind: [*value, _encoded(value.terms)]}
        if isinstance(value, tuple):
            return {kind: [_encoded(entry) for entry in value]}
        fields = dataclasses.fields(value)
        return {kind: {entry.name: _encoded(getattr(value, entry.name)) for entry in fields}}
    if isinstance(value, np.ndarray):
        return {"ndarray": [value.dtype.str, list(value.shape), value.ravel().tolist()]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"tuple": [_encoded(entry) for entry in value]}
    if isinstance(value, list):
        return [_encoded(entry) for entry in value]
    if isinstance(value, dict):
        return {"dict": {name: _encoded(entry) for name, entry in value.items()}}
    return value


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "ndarray":
        dtype, shape, values = content
        if not DTYPE.fullmatch(dtype):
            raise ValueError(f"an array of dtype {dtype!r:.40}")
        return np.array(values, dtype=dtype).reshape(shape)
    if kind == "tuple":
        return tuple(_decoded(entry) for entry in content)
    if kind == "dict":
        return {name: _decoded(entry) for name, entry in content.items()}
    if isinstance(content, list):
        return CLASSES[kind](*(_decoded(entry) for entry in content))
    return CLASSES[kind](**{name: _decoded(entry) for name, entry in content.items()})
