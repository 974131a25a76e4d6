"""The answer "none of these": images that are too far from all classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd.classifiers import NearestCentroid, open_set_scores
from skd.classifiers.rejection import threshold_of
from skd.exporting import Outlier

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Rejection:
    """The answer for unknown classes, the class means, and the least cosine of a known class."""

    answer: str | int
    centroids: NDArray[np.float64]
    threshold: float

    @classmethod
    def fitted(
        cls,
        answer: str | int,
        features: FloatArray,
        positions: NDArray[np.int64],
        examples: NDArray[np.int64],
        plain: FloatArray,
        known_rate: float,
        owner: str,
    ) -> Rejection:
        """Find the threshold by leaving examples out; arguments as for `temperature_of`."""
        centroids = NearestCentroid(metric="cosine").fit(features, positions).centroids_
        threshold = threshold_of(features, positions, examples, plain, known_rate, owner)
        return cls(answer, centroids, threshold)

    def scores(self, features: FloatArray) -> NDArray[np.float64]:
        """Return the cosine of each row with the nearest class mean."""
        return open_set_scores(features, self.centroids)

    def outlier(self) -> Outlier:
        """Return it as a part of an ONNX file."""
        return Outlier(self.answer, self.centroids, self.threshold)

    def applied(self, labels: NDArray[Any], features: FloatArray) -> NDArray[Any]:
        """Return labels in which rows below the threshold have the answer for unknown classes."""
        is_object = labels.dtype.kind == "O"
        # With the answer among them, so that text is wide enough for it.
        mixed = np.array([*labels.tolist(), self.answer], dtype=object if is_object else None)[:-1]
        mixed[self.scores(features) < self.threshold] = self.answer
        return mixed


def checked_answer(value: Any, classes: NDArray[Any] | None, owner: str) -> Any:
    """Return the label of "none of these", which must be of the kind of the classes."""
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (str, int, np.integer)):
        legal = "None, or a label for images of unknown classes: text or an integer"
        check.refuse("reject", owner, legal, check.shown(value), TypeError)
    answer = value if isinstance(value, str) else int(value)
    if isinstance(answer, int):
        check.integer(answer, "reject", owner, minimum=-check.MAX_INT64)
    if classes is None:
        return answer
    kind = classes.dtype.kind
    if kind in "UTO":
        legal, fits = "text, as the labels are", isinstance(answer, str)
    elif kind in "iu":
        legal, fits = "an integer, as the labels are", isinstance(answer, int)
    else:
        legal, fits = "left out, unless the labels are text or integers", False
    if not fits:
        got = f"{answer!r} for 'labels' of dtype {classes.dtype}"
        check.refuse("reject", owner, legal, got)
    if answer in classes.tolist():
        check.refuse("reject", owner, "a label that no class has", repr(answer))
    return answer
