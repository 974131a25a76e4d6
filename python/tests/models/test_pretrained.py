"""Weights that come with the package."""

import numpy as np
import pytest

import skd


@pytest.mark.parametrize("name", skd.list_pretrained())
def test_weights_that_come_along_classify_images(name, make_split):
    model = skd.load_pretrained(name)
    assert model.normalization is not None
    split = make_split(num_classes=3, per_class=4, side=model.image_size)
    support = np.arange(len(split)) % 4 < 2
    classifier = skd.FewShotClassifier(model).fit(split.images[support], split.labels[support])
    assert classifier.score(split.images[~support], split.labels[~support]) == 1


def test_there_are_weights_and_unknown_names_are_refused_with_those_that_exist():
    assert skd.list_pretrained()
    legal = ", ".join(map(repr, skd.list_pretrained()))
    with pytest.raises(ValueError, match=f"'name' parameter of load_pretrained must be .*{legal}"):
        skd.load_pretrained("photos")
