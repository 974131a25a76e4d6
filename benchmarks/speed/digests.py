"""Digests of results: two processes compare what they computed without sending it all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SAMPLES = 1000  # entries of an array that its digest holds at most


@dataclass(frozen=True)
class Digest:
    """Shape and norm of an array, and a sample of its entries."""

    shape: tuple[int, ...]
    norm: float
    sample: tuple[float, ...]

    @classmethod
    def of(cls, values: ArrayLike) -> Digest:
        """Return the digest of an array; arrays of one size are sampled at the same places."""
        array = np.asarray(values)
        flat = array.ravel()
        if flat.size > SAMPLES:
            places = np.random.default_rng(flat.size).integers(flat.size, size=SAMPLES)
        else:
            places = np.arange(flat.size)
        sample = flat[places].astype(np.float64)
        return cls(array.shape, float(np.linalg.norm(flat)), tuple(sample.tolist()))

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Digest:
        """Return the digest whose fields came as JSON."""
        return cls(tuple(fields["shape"]), fields["norm"], tuple(fields["sample"]))

    @property
    def magnitude(self) -> float:
        """Root mean square of the sample."""
        return _root_mean_square(np.array(self.sample))


def difference(ours: Sequence[Digest], theirs: Sequence[Digest], *, floor: float = 0.0) -> float:
    """Return the largest difference of an array, in samples and norms.

    The difference of two samples is the root mean square of theirs, relative to that of the second.

    Parameters
    ----------
    ours, theirs : sequence of Digest
        Digests of the arrays that two programs computed, in the same order.
    floor : float, default=0.0
        Least magnitude of an array, as a share of the largest one. Gradients that are 0 in exact
        arithmetic are rounding errors alone and need it.

    Raises
    ------
    ValueError
        If the arrays have different shapes.
    """
    if [each.shape for each in ours] != [each.shape for each in theirs]:
        shapes = [[each.shape for each in digests] for digests in (ours, theirs)]
        raise ValueError(f"the results have the shapes {shapes[0]} and {shapes[1]}")
    largest = max((each.magnitude for each in theirs), default=0.0)
    least = max(floor * largest, float(np.finfo(np.float32).tiny))
    # NumPy's max, since that of Python may pass over a NaN.
    return float(np.max([_difference(*pair, least) for pair in zip(ours, theirs, strict=True)]))


def _difference(first: Digest, second: Digest, least: float) -> float:
    entries = _root_mean_square(np.subtract(first.sample, second.sample))
    least_norm = least * math.sqrt(max(1, math.prod(second.shape)))
    norms = abs(first.norm - second.norm) / max(second.norm, least_norm)
    return float(np.max([entries / max(second.magnitude, least), norms]))


def _root_mean_square(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
