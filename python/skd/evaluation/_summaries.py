"""Means over episodes with their intervals, and the parts of a report that hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._files import bounded_json

ROUNDING = 1e-6  # in percent: tolerance for means and intervals of other builds


def mean_ci95(values: ArrayLike) -> tuple[float, float]:
    """Return a mean and the half-width of its 95 % Student-t confidence interval.

    Parameters
    ----------
    values : array-like of shape (n_values,), dtype float64
        Values, at least one.

    Returns
    -------
    mean, ci95 : float
        Mean and half-width; the half-width is NaN for a single value.

    Examples
    --------
    >>> mean, ci95 = mean_ci95([1.0, 2.0, 3.0])
    >>> mean, round(ci95, 4)
    (2.0, 2.4841)
    """
    return _native.mean_ci95(check.double_vector(values, "values", "mean_ci95"))


class GroupAccuracy(NamedTuple):
    """Accuracy over the episodes of one extent, in percent.

    Attributes
    ----------
    mean : float
        Mean accuracy.
    ci95 : float
        Half-width of the 95 % Student-t confidence interval of the mean; NaN for one episode.
    n_episodes : int
        Number of episodes.
    """

    mean: float
    ci95: float
    n_episodes: int

    def __str__(self) -> str:
        """Return the mean and the half-width, such as ``65.93 ± 0.81 %``."""
        return interval_text(self.mean, self.ci95, self.n_episodes)


@dataclass(frozen=True)
class OpenSetResult:
    """Quality of a score of unknown classes over a number of episodes, in percent.

    Attributes
    ----------
    auroc, auroc_ci95 : float
        Mean area under the receiver operating characteristic, and half-width of its 95 %
        confidence interval.
    fpr95, fpr95_ci95 : float
        Mean false positive rate at 95 % true positive rate, and half-width of its interval.
    aurocs, fpr95s : ndarray of shape (n_episodes,), dtype float64
        Both numbers of each episode.
    """

    auroc: float
    auroc_ci95: float
    fpr95: float
    fpr95_ci95: float
    aurocs: NDArray[np.float64] = field(repr=False)
    fpr95s: NDArray[np.float64] = field(repr=False)

    def __str__(self) -> str:
        """Return both means with their half-widths."""
        count = len(self.aurocs)
        auroc = interval_text(self.auroc, self.auroc_ci95, count)
        return f"AUROC {auroc}, FPR95 {interval_text(self.fpr95, self.fpr95_ci95, count)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON object.

        Returns
        -------
        content : dict
            Means, intervals and the numbers of each episode.
        """
        return {
            "auroc": self.auroc,
            "auroc_ci95": bounded_json.finite_or_none(self.auroc_ci95),
            "fpr95": self.fpr95,
            "fpr95_ci95": bounded_json.finite_or_none(self.fpr95_ci95),
            "aurocs": self.aurocs.tolist(),
            "fpr95s": self.fpr95s.tolist(),
        }


def open_set_result(aurocs: NDArray[np.float64], fpr95s: NDArray[np.float64]) -> OpenSetResult:
    """Return the means and intervals of both numbers of episodes, in percent."""
    return OpenSetResult(*mean_ci95(aurocs), *mean_ci95(fpr95s), aurocs, fpr95s)


def interval_text(mean: float, ci95: float, count: int) -> str:
    """Return a mean and its half-width in percent, or the mean and why there is none."""
    if math.isnan(ci95):
        return f"{mean:.2f} % (no interval from {count} episode)"
    return f"{mean:.2f} ± {ci95:.2f} %"


def grouped(accuracies: NDArray[np.float64], sizes: NDArray[np.int64]) -> dict[int, GroupAccuracy]:
    """Return the accuracy of the episodes of each size, in ascending order."""
    return {
        size: GroupAccuracy(*mean_ci95(accuracies[sizes == size]), int((sizes == size).sum()))
        for size in np.unique(sizes).tolist()
    }


def grouped_dict(groups: Mapping[int, GroupAccuracy]) -> dict[str, Any]:
    """Return grouped accuracies as a JSON object."""
    return {
        str(size): {
            "mean": group.mean,
            "ci95": bounded_json.finite_or_none(group.ci95),
            "n_episodes": group.n_episodes,
        }
        for size, group in groups.items()
    }


def checked_percents(numbers: Any, name: str) -> NDArray[np.float64]:
    """Return percentages of a file, or raise a ValueError."""
    if not isinstance(numbers, list) or not all(type(value) in (int, float) for value in numbers):
        raise ValueError(f"its {name} are not a list of numbers")
    values = np.array(numbers, dtype=np.float64)
    if not values.size or values.min() < 0 or values.max() > 100:
        raise ValueError(f"its {name} are not in 0..100, at least one")
    return values


def checked_interval(stated: tuple[Any, Any], values: NDArray[np.float64], name: str) -> None:
    """Raise a ValueError unless a stated mean and interval are those of the values."""
    for number, computed in zip(stated, mean_ci95(values), strict=True):
        if not _agree(number, bounded_json.finite_or_none(computed)):
            given = "no interval" if math.isnan(computed) else computed
            raise ValueError(f"its {name} give {given}, not {number!r}")


def checked_sizes(numbers: Any, bounds: Any, count: int, name: str) -> NDArray[np.int64]:
    """Return the sizes of episodes of a file, or raise a ValueError."""
    if not isinstance(numbers, list) or not all(type(size) is int for size in numbers):
        raise ValueError(f"its {name} of episodes is not a list of integers")
    least, most = bounds
    if len(numbers) != count or not all(least <= size <= most for size in numbers):
        raise ValueError(f"its {name} of episodes is not in its range, one for each episode")
    return np.array(numbers, dtype=np.int64)


def checked_open_set(content: Any, count: int) -> OpenSetResult:
    """Return a result of unknown classes from a file, or raise a ValueError."""
    aurocs, fpr95s = (checked_percents(content[name], name) for name in ("aurocs", "fpr95s"))
    if {len(aurocs), len(fpr95s)} != {count}:
        raise ValueError("its open_set does not have numbers for each episode")
    checked_interval((content["auroc"], content["auroc_ci95"]), aurocs, "aurocs")
    checked_interval((content["fpr95"], content["fpr95_ci95"]), fpr95s, "fpr95s")
    return open_set_result(aurocs, fpr95s)


def _agree(stated: Any, computed: float | None) -> bool:
    """Whether a number of a report is the computed one, up to rounding."""
    if computed is None or type(stated) not in (int, float):
        return computed is None and stated is None
    return math.isclose(stated, computed, rel_tol=0, abs_tol=ROUNDING)
