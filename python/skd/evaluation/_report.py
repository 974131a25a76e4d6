"""Reports of evaluations, and their JSON files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._display.tables import Table
from skd._files import bounded_json
from skd._files.atomic import write_atomically
from skd._files.kinds import JSON, kind_of_file

FORMAT = "skd-evaluation"
VERSION = 1
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


@dataclass(frozen=True)
class EvaluationResult:
    """Accuracy over a number of episodes, in percent, with options and provenance.

    docs/how-to/evaluation.md lists the entries of `options` and `provenance`. They do not depend on
    the number of threads, the time or the folder: two runs of an evaluation give equal reports.

    Attributes
    ----------
    mean : float
        Mean accuracy.
    ci95 : float
        Half-width of the 95 % Student-t confidence interval of the mean; NaN for one episode.
    accuracies : ndarray of shape (n_episodes,), dtype float64
        Accuracy of each episode.
    options : dict
        Every option of the evaluation.
    provenance : dict
        Version and instruction set of the library, and the SHA-256 of data, model and episodes.
    """

    mean: float
    ci95: float
    accuracies: NDArray[np.float64] = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)
    provenance: Mapping[str, Any] = field(repr=False, default_factory=dict)

    def __str__(self) -> str:
        """Return the mean and the half-width, such as ``65.93 ± 0.81 %``.

        One episode has no interval: ``64.00 % (no interval from 1 episode)``.
        """
        if math.isnan(self.ci95):
            return f"{self.mean:.2f} % (no interval from {len(self.accuracies)} episode)"
        return f"{self.mean:.2f} ± {self.ci95:.2f} %"

    def _repr_html_(self) -> str:
        """Return the accuracy with the options that define it."""
        options = {name: v for name, v in self.options.items() if not isinstance(v, Mapping)}
        rows = [(name, str(value)) for name, value in options.items()]
        return Table(str(self), ("option", "value"), rows).html()

    def difference(self, other: EvaluationResult) -> tuple[float, float]:
        """Compare with another result on the same episodes, episode by episode.

        The difference of two models varies less than either accuracy, because both models meet
        the same episodes. Its interval can separate models whose own intervals overlap.

        Parameters
        ----------
        other : EvaluationResult
            Result on the same episodes; both reports must hold the same SHA-256 of them.

        Returns
        -------
        mean, ci95 : float
            Mean and half-width of the differences, this accuracy minus the other's, in percent.

        Raises
        ------
        ValueError
            If the results come from different episodes, or do not identify them.
        """
        owner = "EvaluationResult.difference"
        check.instance(other, "other", owner, EvaluationResult)
        own, others = (_episodes_of(result) for result in (self, other))
        if own is None or own != others:
            check.refuse("other", owner, f"a result of the same episodes, {own}", others)
        return mean_ci95(self.accuracies - other.accuracies)

    def to_json(self) -> str:
        """Return the report as JSON.

        Returns
        -------
        text : str
            Text that `save` writes.
        """
        content = {
            "format": FORMAT,
            "version": VERSION,
            "mean": self.mean,
            "ci95": bounded_json.finite_or_none(self.ci95),
            "unit": "percent",
            "options": dict(self.options),
            "provenance": dict(self.provenance),
        }
        head = json.dumps(content, indent=2, allow_nan=False, default=_plain).removesuffix("\n}")
        # On one line, because an indented list would take one line for each episode.
        accuracies = json.dumps(self.accuracies.tolist(), allow_nan=False)
        return f'{head},\n  "accuracies": {accuracies}\n}}\n'

    def save(self, path: str | PathLike[str]) -> None:
        """Write the report as a JSON file, atomically.

        Parameters
        ----------
        path : str or path
            File to write; an existing file is replaced.

        Raises
        ------
        FileNotFoundError
            If the folder does not exist.
        ValueError
            If `path` is a folder.
        WriteError
            If the file cannot be written, for example on a full disk; an existing file is kept.
        """
        target = check.output_file(path, "path", "EvaluationResult.save")
        write_atomically(target, self.to_json().encode())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> EvaluationResult:
        """Read a report that `save` wrote.

        Parameters
        ----------
        path : str or path
            A JSON file.

        Returns
        -------
        result : EvaluationResult
            Report that equals the saved one.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is not a report, or its accuracies do not give its mean and interval.
        """
        source = check.input_file(path, "path", "EvaluationResult.load", what="report")
        try:
            content = bounded_json.parse(source.read_bytes(), refuse_constant=_refuse_constant)
            return cls(*_checked(content))
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            kind = kind_of_file(source)
            reason = str(error) if isinstance(error, ValueError) else type(error).__name__
            if kind not in (None, JSON):
                reason = f"it is {kind}"
            legal = "a report that EvaluationResult.save wrote"
            got = f"{str(source)!r} ({reason})"
            check.refuse("path", "EvaluationResult.load", legal, got)


def _plain(value: Any) -> Any:
    """Convert a NumPy value to Python's type for `json`."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"a report cannot hold a {type(value).__name__}")


def _episodes_of(result: EvaluationResult) -> object:
    """Return the SHA-256 of the episodes of a result; None if it holds none."""
    episodes = result.provenance.get("episodes")
    if not isinstance(episodes, Mapping):
        return None
    names = ("sha256", "labels_sha256")
    return {name: episodes.get(name) for name in names} if "sha256" in episodes else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of a report")


def _checked(
    content: Any,
) -> tuple[float, float, NDArray[np.float64], dict[str, Any], dict[str, Any]]:
    """Return the fields of a report's JSON, or raise an error."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    if content["version"] != VERSION:
        raise ValueError(f"its version is {content['version']!r}, not {VERSION}")
    options, provenance = content["options"], content["provenance"]
    if not isinstance(options, dict) or not isinstance(provenance, dict):
        raise ValueError("its options and its provenance are not both objects")
    numbers = content["accuracies"]
    if not isinstance(numbers, list) or not all(type(value) in (int, float) for value in numbers):
        raise ValueError("its accuracies are not a list of numbers")
    accuracies = np.array(numbers, dtype=np.float64)
    if not accuracies.size or accuracies.min() < 0 or accuracies.max() > 100:
        raise ValueError("its accuracies are not in 0..100, at least one")
    if len(accuracies) != options.get("n_episodes"):
        raise ValueError(f"it has {len(accuracies)} accuracies, not one for each episode")
    mean, ci95 = content["mean"], content["ci95"]
    for stated, computed in zip((mean, ci95), mean_ci95(accuracies), strict=True):
        if not _agree(stated, bounded_json.finite_or_none(computed)):
            given = "no interval" if math.isnan(computed) else computed
            raise ValueError(f"its accuracies give {given}, not {stated!r}")
    return float(mean), math.nan if ci95 is None else float(ci95), accuracies, options, provenance


def _agree(stated: Any, computed: float | None) -> bool:
    """Whether a number of a report is the computed one, up to rounding."""
    if computed is None or type(stated) not in (int, float):
        return computed is None and stated is None
    return math.isclose(stated, computed, rel_tol=0, abs_tol=ROUNDING)
