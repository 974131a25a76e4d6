"""Options that define the episodes of an evaluation, and their checks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd.choices import QueryDistribution, values

QUERY_DISTRIBUTIONS: tuple[QueryDistribution, ...] = values(QueryDistribution)
LEAST_CONCENTRATION, MOST_CONCENTRATION = 1e-3, 1e6
MOST_UNKNOWN = 1_000_000

Range = tuple[int, int]
NativeOptions = tuple[int, int, int, int, int, int, float, bool, int]


def number_or_range(value: Any, name: str, owner: str, *, minimum: int) -> Range:
    """Return an integer or a pair of integers as a range, both ends included."""
    if isinstance(value, (list, tuple)) and len(value) == 2:
        least, most = (check.integer(end, name, owner, minimum=minimum) for end in value)
        if least > most:
            check.refuse(name, owner, "a range from the smaller to the larger number", value)
        return least, most
    if isinstance(value, (list, tuple, str, bytes)):
        legal = "an integer, or a pair of the smallest and the largest integer"
        check.refuse(name, owner, legal, check.shown(value), TypeError)
    number = check.integer(value, name, owner, minimum=minimum)
    return number, number


def parsed_range(text: str, name: str, owner: str) -> int | tuple[int, int]:
    """Return the number, or the range, that a text such as "5" or "5-20" writes."""
    match = re.fullmatch(r"\s*(-?\d{1,18})\s*(?:-\s*(\d{1,18})\s*)?", text)
    if match is None:
        check.refuse(name, owner, "a number, or a range such as 5-20", repr(text))
    least, most = match.groups()
    return int(least) if most is None else (int(least), int(most))


def range_text(size: Any) -> str:
    """Return a number, or a range as `parsed_range` reads it."""
    return "-".join(map(str, size)) if isinstance(size, (list, tuple)) else str(size)


def one_or_both(numbers: Range) -> int | list[int]:
    """Return the single number of a range, or both of its ends, as a report states them."""
    least, most = numbers
    return least if least == most else [least, most]


@dataclass(frozen=True)
class EpisodeOptions:
    """Extent of the episodes, distribution of their queries, and the random numbers.

    `ways` and `shots` are ranges; `unknown` is the number of classes without support images.
    """

    ways: Range
    shots: Range
    n_query: int
    query_distribution: QueryDistribution
    query_concentration: float
    unknown: int
    seed: int
    legacy: bool

    @classmethod
    def checked(
        cls,
        owner: str,
        *,
        n_way: Any,
        n_shot: Any,
        n_query: Any,
        query_distribution: Any,
        query_concentration: Any,
        open_set: Any,
        seed: Any,
        legacy: Any,
        minimum_way: int,
        legacy_name: str,
    ) -> EpisodeOptions:
        """Check each option by itself; `require_enough` checks the labels."""
        options = cls(
            ways=number_or_range(n_way, "n_way", owner, minimum=minimum_way),
            shots=number_or_range(n_shot, "n_shot", owner, minimum=1),
            n_query=check.integer(n_query, "n_query", owner, minimum=1),
            query_distribution=check.choice(
                query_distribution, "query_distribution", owner, QUERY_DISTRIBUTIONS
            ),
            query_concentration=check.number(
                query_concentration,
                "query_concentration",
                owner,
                minimum=LEAST_CONCENTRATION,
                maximum=MOST_CONCENTRATION,
            ),
            unknown=(
                0
                if open_set is None
                else check.integer(open_set, "open_set", owner, minimum=1, maximum=MOST_UNKNOWN)
            ),
            seed=check.seed(seed, owner),
            legacy=check.boolean(legacy, legacy_name, owner),
        )
        if options.legacy and not options.is_balanced:
            legal = "False, because the published code draws neither ranges of n_way and n_shot, "
            legal += "nor random query distributions, nor unknown classes"
            check.refuse(legacy_name, owner, legal, True)
        return options

    @property
    def is_dirichlet(self) -> bool:
        """Whether the queries are distributed at random over the classes."""
        return self.query_distribution == "dirichlet"

    @property
    def has_one_extent(self) -> bool:
        """Whether all episodes have the same numbers of classes and support images."""
        return self.ways[0] == self.ways[1] and self.shots[0] == self.shots[1]

    @property
    def is_balanced(self) -> bool:
        """Whether all episodes have one extent, and all of their classes as many queries."""
        return self.has_one_extent and not self.is_dirichlet and not self.unknown

    @property
    def native(self) -> NativeOptions:
        """The options as the library takes them."""
        concentration = self.query_concentration if self.is_dirichlet else 0.0
        drawn = (*self.ways, *self.shots, self.n_query, self.unknown)
        return (*drawn, concentration, self.legacy, self.seed)

    def described(self) -> dict[str, Any]:
        """Return the options for a report, without seed and legacy."""
        return {
            "n_way": one_or_both(self.ways),
            "n_shot": one_or_both(self.shots),
            "n_query": self.n_query,
            "query_distribution": self.query_distribution,
            "query_concentration": self.query_concentration if self.is_dirichlet else None,
            "open_set": self.unknown or None,
        }

    def require_enough(
        self, labels: NDArray[np.int64], owner: str, class_names: Sequence[str] | None = None
    ) -> None:
        """Refuse labels with too few classes, or too few images of a class."""
        classes, counts = np.unique(labels, return_counts=True)
        most_ways, most_shots = self.ways[1], self.shots[1]
        if most_ways > len(classes):
            legal = f"at most the number of classes, {len(classes)}"
            check.refuse("n_way", owner, legal, one_or_both(self.ways))
        if most_ways + self.unknown > len(classes):
            legal = (
                f"at most {len(classes) - most_ways}, the number of classes besides n_way of them"
            )
            check.refuse("open_set", owner, legal, self.unknown)
        needed, formula, reason = most_shots + self.n_query, "n_shot + n_query", ""
        if self.is_dirichlet:
            needed, formula = most_shots + most_ways * self.n_query, "n_shot + n_way * n_query"
            reason = ", because a Dirichlet distribution may take all queries from one class"
        too_few = np.flatnonzero(counts < needed)
        if too_few.size:
            worst = too_few[counts[too_few].argmin()]
            name = str(classes[worst]) if class_names is None else repr(class_names[worst])
            source = "labels" if class_names is None else "split"
            legal = f"such that every class of '{source}' has {formula} = {needed} images{reason}"
            found = f"{self.n_query}, and class {name} has {counts[worst]}"
            others = f" ({too_few.size - 1} more have too few)" if too_few.size > 1 else ""
            check.refuse("n_query", owner, legal, found + others)
