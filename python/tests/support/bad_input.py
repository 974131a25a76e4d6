"""What the tests of wrong arguments share."""

import re

import numpy as np
import pytest

NAN, INF = float("nan"), float("inf")


def assert_refused(error, named, call):
    """Assert that a call raises an error whose message holds a name."""
    with pytest.raises(error, match=re.escape(named)):
        call()


def snapshot(model):
    return {name: view.copy() for name, view in model.state_dict().items()}


def assert_unchanged(model, before):
    for name, view in model.state_dict().items():
        np.testing.assert_array_equal(view, before[name], name)


WRONG_BATCHES = {
    "uint8 without normalization": lambda x, y: (x.astype(np.uint8), y),
    "integers": lambda x, y: (x.astype(np.int64), y),
    "text": lambda x, y: ("images", y),
    "NCHW": lambda x, y: (np.moveaxis(x, -1, 1), y),
    "one image": lambda x, y: (x[0], y[0]),
    "another size": lambda x, y: (x[:, :8, :8], y),
    "NaN": lambda x, y: (np.where(x == x[0, 0, 0, 0], NAN, x), y),
    "infinite": lambda x, y: (np.where(x == x[0, 0, 0, 0], INF, x), y),
    "beyond float32": lambda x, y: (x.astype(np.float64) * 1e300, y),
    "no images": lambda x, y: (x[:0], y[:0]),
    "few labels": lambda x, y: (x, y[:-1]),
    "labels out of range": lambda x, y: (x, y + 1),
    "negative labels": lambda x, y: (x, y - 1),
    "fractional labels": lambda x, y: (x, y + 0.5),
    "one-hot labels": lambda x, y: (x, np.eye(5)[y]),
    "no labels": lambda x, y: (x, None),
}
