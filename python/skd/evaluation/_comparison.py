"""Results of several heads on the same episodes, with paired differences."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, NamedTuple

from skd import _validation as check
from skd._display.tables import Table
from skd._files import bounded_json
from skd._files.atomic import write_atomically
from skd.evaluation._report import EvaluationResult, parse_report, read_report
from skd.evaluation._summaries import checked_interval, interval_text
from skd.evaluation.episode_options import range_text

FORMAT = "skd-heads"
VERSION = 1


class PairedDifference(NamedTuple):
    """Difference of two accuracies on the same episodes, in percent.

    Attributes
    ----------
    mean : float
        Mean of the differences of the episodes.
    ci95 : float
        Half-width of the 95 % Student-t confidence interval of the mean; NaN for one episode.
    """

    mean: float
    ci95: float

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes 0."""
        return abs(self.mean) > self.ci95

    def __str__(self) -> str:
        """Return the mean with its sign and the half-width, such as ``+1.20 ± 0.31 %``."""
        if math.isnan(self.ci95):
            return f"{self.mean:+.2f} % (no interval from 1 episode)"
        return f"{self.mean:+.2f} ± {self.ci95:.2f} %"


@dataclass(frozen=True)
class HeadComparison:
    """Results of several heads on the same episodes.

    Attributes
    ----------
    results : dict of str to EvaluationResult
        Result of each head by its label, in the order in which the heads were given.
    baseline : str
        Label of the head that the others are compared with.
    """

    results: Mapping[str, EvaluationResult] = field(repr=False)
    baseline: str

    def __post_init__(self) -> None:
        """Check that the baseline is one of the heads."""
        owner = "HeadComparison"
        if not isinstance(self.results, Mapping):
            got = type(self.results).__name__
            check.refuse("results", owner, "a mapping of labels to results", got, TypeError)
        for label, result in self.results.items():
            check.instance(label, "results", owner, str)
            check.instance(result, "results", owner, EvaluationResult)
        check.choice(self.baseline, "baseline", owner, list(self.results))

    def __getitem__(self, label: str) -> EvaluationResult:
        """Return the result of a head."""
        return self.results[label]

    @property
    def differences(self) -> dict[str, PairedDifference]:
        """Accuracy of each other head minus that of the baseline, episode by episode."""
        base = self.results[self.baseline]
        return {
            label: PairedDifference(*result.difference(base))
            for label, result in self.results.items()
            if label != self.baseline
        }

    def __str__(self) -> str:
        """Return the accuracies and the differences as a table."""
        return "\n".join(table.text() for table in self._tables())

    def _repr_html_(self) -> str:
        """Return the accuracies and the differences as a table of a notebook."""
        return "".join(table.html() for table in self._tables())

    def _tables(self) -> list[Table]:
        """Return the table of the heads, and a table of the scores of unknown classes."""
        first, differences = self.results[self.baseline], self.differences
        options, rows = first.options, []
        for label, result in self.results.items():
            difference = differences.get(label)
            minus = "baseline" if difference is None else str(difference)
            mark = "" if difference is None or not difference.is_significant else "*"
            rows.append((label, str(result), f"{minus}{mark}"))
        queries = f"{options.get('n_query')} queries ({options.get('query_distribution')})"
        way, shot = (range_text(options.get(name)) for name in ("n_way", "n_shot"))
        title = f"{way}-way {shot}-shot, {queries}, {len(first.accuracies)} episodes"
        columns = ("head", "accuracy", f"minus {self.baseline}")
        tables = [Table(title, columns, rows)]
        if first.open_set:
            count = len(first.accuracies)
            scores = [
                (
                    name,
                    interval_text(score.auroc, score.auroc_ci95, count),
                    interval_text(score.fpr95, score.fpr95_ci95, count),
                )
                for name, score in first.open_set.items()
            ]
            unknown = f"{options.get('open_set')} unknown classes"
            tables.append(Table(unknown, ("score", "AUROC", "FPR95"), scores))
        return tables

    def to_markdown(self) -> str:
        """Return the accuracies and the differences as a table of Markdown.

        Returns
        -------
        text : str
            Table; a star marks a difference whose interval excludes 0.
        """
        return "\n".join(table.markdown() for table in self._tables())

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as the object that `to_json` writes.

        Returns
        -------
        content : dict
            Differences, and the report of each head.
        """
        return {
            "format": FORMAT,
            "version": VERSION,
            "unit": "percent",
            "baseline": self.baseline,
            "differences": [
                {
                    "head": label,
                    "minus": self.baseline,
                    "mean": difference.mean,
                    "ci95": bounded_json.finite_or_none(difference.ci95),
                }
                for label, difference in self.differences.items()
            ],
            "heads": [
                {"name": label, **result.to_dict()} for label, result in self.results.items()
            ],
        }

    def to_json(self) -> str:
        """Return the comparison as JSON.

        Returns
        -------
        text : str
            Text that `save` writes.
        """
        content = self.to_dict()
        # On one line each, because an indented list would take one line for each episode.
        reports = (json.dumps(report, allow_nan=False) for report in content.pop("heads"))
        head = json.dumps(content, indent=2, allow_nan=False).removesuffix("\n}")
        lines = ",\n".join(f"    {report}" for report in reports)
        return f'{head},\n  "heads": [\n{lines}\n  ]\n}}\n'

    def save(self, path: str | PathLike[str]) -> None:
        """Write the comparison as a JSON file, atomically.

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
        target = check.output_file(path, "path", "HeadComparison.save")
        write_atomically(target, self.to_json().encode())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> HeadComparison:
        """Read a comparison that `save` wrote.

        Parameters
        ----------
        path : str or path
            A JSON file.

        Returns
        -------
        comparison : HeadComparison
            Comparison that equals the saved one.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is not a comparison, or its accuracies do not give its means.
        """
        legal = "a comparison that HeadComparison.save wrote"
        return read_report(path, "HeadComparison.load", legal, _parsed)


def _parsed(content: Any) -> HeadComparison:
    """Return the comparison of a parsed file, or raise an error."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    if content["version"] != VERSION:
        raise ValueError(f"its version is {content['version']!r}, not {VERSION}")
    heads = content["heads"]
    if not isinstance(heads, list) or not heads:
        raise ValueError("its heads are not a list")
    results = {head["name"]: parse_report(head) for head in heads}
    if len(results) < len(heads) or content["baseline"] not in results:
        raise ValueError("its names of heads do not fit")
    comparison = HeadComparison(results, content["baseline"])
    base = results[comparison.baseline].accuracies
    stated = {entry["head"]: (entry["mean"], entry["ci95"]) for entry in content["differences"]}
    if stated.keys() != comparison.differences.keys():
        raise ValueError("its differences are not those of its heads")
    for label, interval in stated.items():
        checked_interval(interval, results[label].accuracies - base, "differences")
    return comparison
