"""Results of models by data sets by heads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

from skd import _validation as check
from skd._display.tables import Table
from skd._files.atomic import write_atomically
from skd._files.bounded_json import finite_or_none
from skd.evaluation._comparison import HeadComparison, PairedDifference
from skd.evaluation._report import EvaluationResult

FORMAT = "skd-matrix"
VERSION = 1


@dataclass(frozen=True)
class ComparisonMatrix:
    """Results of models by data sets by heads, on the same episodes of each data set.

    The baseline is the first model with the first head.

    Attributes
    ----------
    results : dict of str to dict of str to HeadComparison
        Results of the heads by the names of the data and of the model.
    """

    results: Mapping[str, Mapping[str, HeadComparison]] = field(repr=False)

    def __post_init__(self) -> None:
        """Check that every data set has the same models and heads."""
        owner = "ComparisonMatrix"
        legal = "a mapping of names of data to mappings of names of models to HeadComparison"
        if not isinstance(self.results, Mapping) or not self.results:
            check.refuse("results", owner, legal, check.shown(self.results), TypeError)
        found = []
        for of_data in self.results.values():
            if not isinstance(of_data, Mapping) or not all(
                isinstance(entry, HeadComparison) for entry in of_data.values()
            ):
                check.refuse("results", owner, legal, check.shown(of_data), TypeError)
            found.append({model: list(entry.results) for model, entry in of_data.items()})
        heads = [names for entry in found for names in entry.values()]
        if (
            not heads
            or any(entry != found[0] for entry in found)
            or heads.count(heads[0]) < len(heads)
        ):
            check.refuse("results", owner, "of the same models and heads", check.shown(found))

    @property
    def data(self) -> list[str]:
        """Names of the data sets."""
        return list(self.results)

    @property
    def models(self) -> list[str]:
        """Names of the models."""
        return list(self.results[self.data[0]])

    @property
    def heads(self) -> list[str]:
        """Labels of the heads."""
        return list(self.results[self.data[0]][self.models[0]].results)

    def __getitem__(self, key: tuple[str, str, str]) -> EvaluationResult:
        """Return the result of ``matrix[data, model, head]``."""
        data, model, head = key
        return self.results[data][model][head]

    def difference(
        self, data: str, first: tuple[str, str], second: tuple[str, str]
    ) -> PairedDifference:
        """Compare two pairs of a model and a head on a data set, episode by episode.

        Parameters
        ----------
        data : str
            Name of the data set.
        first, second : tuple of two str
            Names of a model and of a head.

        Returns
        -------
        difference : PairedDifference
            Accuracy of `first` minus that of `second`, in percent.

        Raises
        ------
        ValueError
            If a name is not one of the matrix.
        """
        owner = "ComparisonMatrix.difference"
        check.choice(data, "data", owner, self.data)
        pairs = [(model, head) for model in self.models for head in self.heads]
        one = check.choice(first, "first", owner, pairs)
        other = check.choice(second, "second", owner, pairs)
        return PairedDifference(*self[data, *one].difference(self[data, *other]))

    @property
    def baseline(self) -> tuple[str, str]:
        """The model and the head that the others are compared with."""
        return self.models[0], self.heads[0]

    def __str__(self) -> str:
        """Return the accuracies, and below them the differences from the baseline."""
        return "\n".join(table.text() for table in self._tables())

    def _repr_html_(self) -> str:
        """Return both tables for a notebook."""
        return "".join(table.html() for table in self._tables())

    def to_markdown(self) -> str:
        """Return the accuracies, and the differences from the baseline, as tables of Markdown.

        Returns
        -------
        text : str
            Two tables; a star marks a difference whose interval excludes 0.
        """
        return "\n".join(table.markdown() for table in self._tables())

    def to_dict(self) -> dict[str, Any]:
        """Return the matrix as the object that `to_json` writes.

        Returns
        -------
        content : dict
            Names, and the report of each cell with its difference from the baseline.
        """
        cells = []
        for data, model, head in self._keys():
            difference = self.difference(data, (model, head), self.baseline)
            cells.append(
                {
                    "data": data,
                    "model": model,
                    "head": head,
                    "minus_baseline": {
                        "mean": difference.mean,
                        "ci95": finite_or_none(difference.ci95),
                    },
                    "report": self[data, model, head].to_dict(),
                }
            )
        return {
            "format": FORMAT,
            "version": VERSION,
            "unit": "percent",
            "data": self.data,
            "models": self.models,
            "heads": self.heads,
            "baseline": list(self.baseline),
            "cells": cells,
        }

    def to_json(self) -> str:
        """Return the matrix as JSON.

        Returns
        -------
        text : str
            Text that `save` writes.
        """
        content = self.to_dict()
        # On one line each, because an indented list would take one line for each episode.
        cells = (json.dumps(cell, allow_nan=False) for cell in content.pop("cells"))
        head = json.dumps(content, indent=2, allow_nan=False).removesuffix("\n}")
        lines = ",\n".join(f"    {cell}" for cell in cells)
        return f'{head},\n  "cells": [\n{lines}\n  ]\n}}\n'

    def save(self, path: str | PathLike[str]) -> None:
        """Write the matrix as a JSON file, atomically.

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
        target = check.output_file(path, "path", "ComparisonMatrix.save")
        write_atomically(target, self.to_json().encode())

    def _keys(self) -> list[tuple[str, str, str]]:
        return [
            (data, model, head)
            for data in self.data
            for model in self.models
            for head in self.heads
        ]

    def _tables(self) -> list[Table]:
        """Return the accuracies, and the differences from the baseline unless it is alone."""
        options = self[self.data[0], *self.baseline].options
        title = (
            f"{_size(options['n_way'])}-way {_size(options['n_shot'])}-shot, "
            f"{options['n_query']} queries of each class, {options['n_episodes']} episodes"
        )
        columns = ("model", "head", *self.data)
        accuracies, differences = [], []
        for model in self.models:
            for head in self.heads:
                results = (self[data, model, head] for data in self.data)
                accuracies.append((model, head, *map(str, results)))
                if (model, head) != self.baseline:
                    pairs = (
                        self.difference(data, (model, head), self.baseline) for data in self.data
                    )
                    marked = (f"{pair}{'*' if pair.is_significant else ''}" for pair in pairs)
                    differences.append((model, head, *marked))
        tables = [Table(title, columns, accuracies)]
        if differences:
            minus = f"Paired differences: minus {self.baseline[1]} on {self.baseline[0]}"
            tables.append(Table(minus, columns, differences))
        return tables


def _size(size: Any) -> str:
    """Return a number, or a range of numbers."""
    return "-".join(map(str, size)) if isinstance(size, (list, tuple)) else str(size)
