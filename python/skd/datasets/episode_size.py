"""The extent of the standard episodes, and splits that are too small for them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from skd.datasets._split import Split
from skd.errors import SmallSplitWarning


class EpisodeSize(NamedTuple):
    """Classes of a 1-shot episode, and query images of each."""

    n_way: int
    n_query: int

    @property
    def words(self) -> str:
        """The size for a message."""
        queries = "query" if self.n_query == 1 else "queries"
        return f"{self.n_way}-way 1-shot episodes with {self.n_query} {queries} of each class"


STANDARD = EpisodeSize(5, 15)
SMALLEST = EpisodeSize(2, 1)


def largest_episode(split: Split) -> EpisodeSize:
    """Return the largest episodes that a split allows, up to the standard ones."""
    return EpisodeSize(
        min(STANDARD.n_way, split.num_classes), min(STANDARD.n_query, split.smallest_class - 1)
    )


def shortage(split: Split) -> str:
    """Say what a split lacks for the standard episodes; nothing if it is large enough."""
    size = largest_episode(split)
    few = []
    if size.n_way < STANDARD.n_way:
        few.append(f"{split.num_classes} class{'es' if split.num_classes > 1 else ''}")
    if size.n_query < STANDARD.n_query:
        smallest = int(np.bincount(split.labels).argmin())
        few.append(f"{split.smallest_class} images of class {split.class_names[smallest]!r}")
    return " and ".join(few)


def warn_of_smaller_episodes(val: Split, owner: str) -> None:
    """Warn the caller of `owner` if a validation has smaller episodes than the standard ones."""
    if not shortage(val):
        return
    warnings.warn(
        f"{owner} validates with {largest_episode(val).words} instead of {STANDARD.words}, because "
        f"'val' has {shortage(val)}. Do not compare these accuracies with those of standard "
        "episodes.",
        SmallSplitWarning,
        stacklevel=3,
    )


def warn_of_small_splits(splits: Mapping[str, Split], owner: str) -> None:
    """Warn the caller of `owner` of splits that are too small, and say what to do."""
    small = {name: split for name, split in splits.items() if shortage(split)}
    if not small:
        return
    found = "; ".join(f"{name!r} has {shortage(split)}" for name, split in small.items())
    sizes = [largest_episode(split) for split in small.values()]
    fitting = EpisodeSize(*map(min, zip(*sizes, strict=True)))
    advice = "add classes or images, or change the shares of 'split'"
    if fitting.n_way >= SMALLEST.n_way and fitting.n_query >= SMALLEST.n_query:
        advice += f"; or evaluate with n_way={fitting.n_way}, n_query={fitting.n_query}"
    warnings.warn(
        f"{owner} gives splits that are too small for {STANDARD.words}, which need at least "
        f"{STANDARD.n_way} classes of {STANDARD.n_query + 1} images: {found}. What to do: "
        f"{advice}.",
        SmallSplitWarning,
        stacklevel=3,
    )
