"""Reports of evaluations, and their JSON files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd._display.tables import Table
from skd._files import bounded_json
from skd._files.atomic import write_atomically
from skd._files.kinds import JSON, kind_of_file
from skd.evaluation._summaries import (
    GroupAccuracy,
    OpenSetResult,
    checked_interval,
    checked_open_set,
    checked_percents,
    checked_sizes,
    grouped,
    grouped_dict,
    interval_text,
    mean_ci95,
)

Result = TypeVar("Result")

FORMAT = "skd-evaluation"
VERSION = 1


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
    extents : dict of str to ndarray of shape (n_episodes,), dtype int64
        The ``"n_way"`` and the ``"n_shot"`` of each episode, where the options give a range.
    open_set : dict of str to OpenSetResult
        AUROC and FPR95 of each score of `skd.open_set_scores`, "centroid_cosine" and the baseline
        "max_probability", if the episodes have unknown classes. They depend on the features and
        the episodes, not on the classifier.
    """

    mean: float
    ci95: float
    accuracies: NDArray[np.float64] = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)
    provenance: Mapping[str, Any] = field(repr=False, default_factory=dict)
    extents: Mapping[str, NDArray[np.int64]] = field(repr=False, default_factory=dict)
    open_set: Mapping[str, OpenSetResult] = field(repr=False, default_factory=dict)

    def __str__(self) -> str:
        """Return the mean and the half-width, such as ``65.93 ± 0.81 %``.

        One episode has no interval: ``64.00 % (no interval from 1 episode)``.
        """
        return interval_text(self.mean, self.ci95, len(self.accuracies))

    def _repr_html_(self) -> str:
        """Return the accuracy with the options that define it, and its parts."""
        return "".join(table.html() for table in self._tables())

    def _tables(self) -> list[Table]:
        """Return the accuracy with its options, and a table of each part of the result."""
        options = {name: v for name, v in self.options.items() if not isinstance(v, Mapping)}
        rows = [(name, str(value)) for name, value in options.items()]
        tables = [Table(str(self), ("option", "value"), rows)]
        for name, groups in (("n_way", self.by_way()), ("n_shot", self.by_shot())):
            if name in self.extents:
                parts = [(str(size), str(g), str(g.n_episodes)) for size, g in groups.items()]
                tables.append(Table(f"by {name}", (name, "accuracy", "episodes"), parts))
        if self.open_set:
            count, columns = len(self.accuracies), ("score", "AUROC", "FPR95")
            scores = [
                (
                    name,
                    interval_text(score.auroc, score.auroc_ci95, count),
                    interval_text(score.fpr95, score.fpr95_ci95, count),
                )
                for name, score in self.open_set.items()
            ]
            unknown = f"{self.options.get('open_set')} unknown classes"
            tables.append(Table(unknown, columns, scores))
        return tables

    def by_way(self) -> dict[int, GroupAccuracy]:
        """Return the accuracy of the episodes of each number of classes.

        Returns
        -------
        groups : dict of int to GroupAccuracy
            Accuracies by `n_way`, in ascending order; one entry if `n_way` is not a range.
        """
        return self._by("n_way")

    def by_shot(self) -> dict[int, GroupAccuracy]:
        """Return the accuracy of the episodes of each number of support images.

        Returns
        -------
        groups : dict of int to GroupAccuracy
            Accuracies by `n_shot`, in ascending order; one entry if `n_shot` is not a range.
        """
        return self._by("n_shot")

    def _by(self, name: str) -> dict[int, GroupAccuracy]:
        if name in self.extents:
            return grouped(self.accuracies, self.extents[name])
        size = self.options.get(name)
        if not isinstance(size, int):
            return {}
        return {size: GroupAccuracy(self.mean, self.ci95, len(self.accuracies))}

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

    def to_dict(self) -> dict[str, Any]:
        """Return the report as the object that `to_json` writes.

        Returns
        -------
        content : dict
            Entries of the JSON file, with lists in place of arrays.
        """
        content: dict[str, Any] = json.loads(self.to_json())
        return content

    def to_json(self) -> str:
        """Return the report as JSON.

        Returns
        -------
        text : str
            Text that `save` writes.
        """
        content: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "mean": self.mean,
            "ci95": bounded_json.finite_or_none(self.ci95),
            "unit": "percent",
            "options": dict(self.options),
            "provenance": dict(self.provenance),
        }
        if "n_way" in self.extents:
            content["by_way"] = grouped_dict(self.by_way())
        if "n_shot" in self.extents:
            content["by_shot"] = grouped_dict(self.by_shot())
        # On one line each, because an indented list would take one line for each episode.
        long: dict[str, Any] = {}
        if self.extents:
            long["extents"] = {name: sizes.tolist() for name, sizes in self.extents.items()}
        if self.open_set:
            long["open_set"] = {name: score.to_dict() for name, score in self.open_set.items()}
        long["accuracies"] = self.accuracies.tolist()
        head = json.dumps(content, indent=2, allow_nan=False, default=_plain).removesuffix("\n}")
        lines = [f'  "{name}": {json.dumps(v, allow_nan=False)}' for name, v in long.items()]
        return ",\n".join([head, *lines]) + "\n}\n"

    def to_markdown(self) -> str:
        """Return the accuracy, its options and its parts as tables of Markdown.

        Returns
        -------
        text : str
            Tables, each below its title.
        """
        return "\n".join(table.markdown() for table in self._tables())

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
        legal = "a report that EvaluationResult.save wrote"
        return read_report(path, "EvaluationResult.load", legal, parse_report)


def read_report(
    path: str | PathLike[str], owner: str, legal: str, parse: Callable[[Any], Result]
) -> Result:
    """Return what `parse` makes of the JSON of a file; it may raise errors of wrong content."""
    source = check.input_file(path, "path", owner, what="report")
    try:
        return parse(bounded_json.parse(source.read_bytes(), refuse_constant=_refuse_constant))
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        kind = kind_of_file(source)
        reason = str(error) if isinstance(error, ValueError) else type(error).__name__
        if kind not in (None, JSON):
            reason = f"it is {kind}"
        check.refuse("path", owner, legal, f"{str(source)!r} ({reason})")


def parse_report(content: Any) -> EvaluationResult:
    """Return the result of a report's JSON, or raise an error."""
    return EvaluationResult(*_checked(content))


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


def _checked(content: Any) -> tuple[Any, ...]:
    """Return the fields of a report's JSON, or raise an error."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    if content["version"] != VERSION:
        raise ValueError(f"its version is {content['version']!r}, not {VERSION}")
    options, provenance = content["options"], content["provenance"]
    if not isinstance(options, dict) or not isinstance(provenance, dict):
        raise ValueError("its options and its provenance are not both objects")
    count = options.get("n_episodes")
    accuracies = checked_percents(content["accuracies"], "accuracies")
    if len(accuracies) != count:
        raise ValueError(f"it has {len(accuracies)} accuracies, not one for each episode")
    mean, ci95 = content["mean"], content["ci95"]
    checked_interval((mean, ci95), accuracies, "accuracies")
    extents, open_set = content.get("extents", {}), content.get("open_set", {})
    if not isinstance(extents, dict) or not isinstance(open_set, dict):
        raise ValueError("its extents and its open_set are not both objects")
    sizes = {
        name: checked_sizes(extents[name], options[name], len(accuracies), name) for name in extents
    }
    scores = {name: checked_open_set(open_set[name], len(accuracies)) for name in open_set}
    interval = math.nan if ci95 is None else float(ci95)
    return float(mean), interval, accuracies, options, provenance, sizes, scores
