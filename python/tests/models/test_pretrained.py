"""Weights that come with the package."""

import numpy as np
import pytest

import skd


@pytest.mark.parametrize("name", skd.list_pretrained())
def test_weights_that_come_along_classify_images(name, rng):
    model = skd.load_pretrained(name)
    assert model.normalization is not None
    shape = (4, model.image_size, model.image_size, model.input_channels)
    images = rng.integers(0, 256, shape, dtype=np.uint8)
    classifier = skd.FewShotClassifier(model).fit(images, ["a", "a", "b", "b"])
    assert classifier.score(images, ["a", "a", "b", "b"]) == 1


def test_there_are_weights_and_unknown_names_are_refused_with_those_that_exist():
    assert skd.list_pretrained()
    legal = ", ".join(map(repr, skd.list_pretrained()))
    with pytest.raises(ValueError, match=f"'name' parameter of load_pretrained must be .*{legal}"):
        skd.load_pretrained("photos")
