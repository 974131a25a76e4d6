"""Heads of an evaluation: names of the table of classifiers, or configured objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd import _validation as check
from skd.choices import ClassifierName
from skd.classifiers.kinds import (
    KINDS,
    TRANSDUCTIVE,
    options_of,
    options_of_estimator,
)

MOST_HEADS = 100


@dataclass(frozen=True)
class EpisodeHead:
    """A head that predicts the queries of episodes.

    `options` is what the library needs to score a block of episodes. It is None if `estimator` has
    to do it episode by episode, by `fit_predict`, or by `fit` and `predict`. `is_named` tells
    whether the head is one of the table, with the parameters of the table. `parameters` are those
    of a transductive head or of an object of this package, which a report names.
    """

    label: str
    options: _native.ClassifierOptions | None
    estimator: Any = None
    is_named: bool = True
    parameters: Mapping[str, Any] | None = None

    @classmethod
    def named(cls, name: ClassifierName, owner: str) -> EpisodeHead:
        """Return the head of a name of the table."""
        made = TRANSDUCTIVE[name]().get_params() if name in TRANSDUCTIVE else None
        return cls(name, options_of(name, owner), parameters=made)

    def predict(
        self,
        support: NDArray[np.float32],
        labels: NDArray[np.int64],
        query: NDArray[np.float32],
        owner: str,
    ) -> NDArray[Any]:
        """Return what the estimator predicts for the queries of one episode."""
        if hasattr(self.estimator, "fit_predict"):
            answer = self.estimator.fit_predict(support, labels, query)
        else:
            answer = self.estimator.fit(support, labels).predict(query)
        predicted = np.asarray(answer)
        if predicted.shape != (len(query),):
            legal = f"heads that predict one label for each of {len(query)} queries"
            check.refuse("heads", owner, legal, f"{self.label}: shape {predicted.shape}")
        return predicted


def episode_heads(heads: Any, owner: str) -> tuple[EpisodeHead, ...]:
    """Return the checked heads of a sequence of names and objects, or of a mapping with labels."""
    legal = "a sequence, or a mapping of labels, of names of classifiers and of head objects"
    if isinstance(heads, Mapping):
        labels = list(check.names(list(heads), "heads", owner))
        values = list(heads.values())
    else:
        values = list(check.sequence(heads, "heads", owner, legal))
        labels = [value if isinstance(value, str) else check.shown(value) for value in values]
    if not 1 <= len(values) <= MOST_HEADS:
        check.refuse("heads", owner, f"of 1 to {MOST_HEADS} heads", len(values))
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        legal = "different heads; a mapping gives equal ones different labels"
        check.refuse("heads", owner, legal, f"{repeated[0]} twice")
    pairs = zip(labels, values, strict=True)
    return tuple(_episode_head(label, value, owner) for label, value in pairs)


def _episode_head(label: str, value: Any, owner: str) -> EpisodeHead:
    if isinstance(value, str):
        name = check.choice(value, "heads", owner, KINDS)
        return replace(EpisodeHead.named(name, owner), label=label)
    options = options_of_estimator(value, owner)
    if options is not None:
        parameters = {name: _plain(entry) for name, entry in value.get_params().items()}
        return EpisodeHead(label, options, is_named=False, parameters=parameters)
    is_object = not isinstance(value, type)
    methods = [callable(getattr(value, name, None)) for name in ("fit_predict", "fit", "predict")]
    if not (is_object and (methods[0] or (methods[1] and methods[2]))):
        legal = "names of classifiers, or objects with fit_predict(support, labels, query) "
        legal += "or with fit(X, y) and predict(X)"
        check.refuse("heads", owner, legal, check.shown(value), TypeError)
    return EpisodeHead(label, None, value, is_named=False)


def _plain(value: Any) -> Any:
    """Return a checked parameter as a report can hold it, such as a `Fraction` as a float."""
    return value if isinstance(value, (bool, int, float, str)) else float(value)
