"""Internals of few-shot classifiers: the arrays of their heads."""

import numpy as np
import pytest

from skd.classifiers.kinds import HEADS
from skd.few_shot.heads import arrays_of, restored


@pytest.mark.parametrize("name", HEADS)
def test_every_classifier_of_the_table_names_the_arrays_that_a_fit_learns(name, rng):
    features, labels = rng.standard_normal((6, 4)).astype(np.float32), np.array([0, 1, 2] * 2)
    head = HEADS[name].make().fit(features, labels)
    again = restored(name, arrays_of(head), head.classes_)
    assert again.n_features_in_ == 4
    np.testing.assert_array_equal(again.predict(features), head.predict(features))
