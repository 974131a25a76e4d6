import io
import os
import signal
import sys

# Or scikit-learn skips one of its checks; SciPy reads it when it is imported.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pytest

import skd

# What a script starts in the background ignores Ctrl-C, which tests send to themselves.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def rng():
    return np.random.default_rng(20200617)


@pytest.fixture
def make_model():
    """Return a function that creates a small model of 16-pixel images and five classes."""

    def make(architecture="resnet12", **options):
        options = {"num_classes": 5, "image_size": 16, "widths": (8, 8, 16, 16), **options}
        return skd.create_model(architecture, **options)

    return make


@pytest.fixture
def batch(rng):
    """Return eight normalised images with labels."""
    images = rng.standard_normal((8, 16, 16, 3)).astype(np.float32)
    return images, np.arange(8) % 5


@pytest.fixture
def make_split(rng):
    """Return a function that makes a split of easy classes: one colour each, plus noise."""

    def make(num_classes=5, per_class=20, side=16):
        colours = np.array(
            [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40), (40, 200, 200)]
        )
        labels = np.repeat(np.arange(num_classes), per_class)
        noise = rng.integers(-30, 31, (len(labels), side, side, 3))
        images = colours[labels][:, None, None] + noise
        return skd.datasets.from_arrays(images.astype(np.uint8), labels)

    return make


@pytest.fixture
def error_stream(monkeypatch):
    """Return a function that makes the standard error a terminal, a file or nothing."""

    def replace(kind):
        stream = None if kind is None else io.StringIO()
        if stream is not None:
            stream.isatty = lambda: kind == "terminal"
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return replace
