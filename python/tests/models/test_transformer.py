"""A model as a transformer of scikit-learn."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import SVC

import skd


@pytest.fixture
def model(make_model, make_split):
    model, split = make_model(), make_split()
    model.normalization = (split.mean, split.std)
    return model


def test_a_model_is_a_step_of_a_pipeline(model, make_split):
    split = make_split()
    pipeline = make_pipeline(model, Normalizer(), SVC()).fit(split.images, split.labels)
    features = Normalizer().transform(model.embed(split.images))
    expected = SVC().fit(features, split.labels).predict(features)
    np.testing.assert_array_equal(pipeline.predict(split.images), expected)
    assert pipeline.score(split.images, split.labels) > 0.9
    own = make_pipeline(model, skd.NearestCentroid()).fit(split.images, split.labels)
    assert own.score(split.images, split.labels) > 0.9


def test_a_pipeline_can_be_cloned_searched_and_shown(model, make_split):
    split = make_split()
    pipeline = make_pipeline(model, SVC())
    assert clone(pipeline).steps[0][1] is model
    assert cross_val_score(pipeline, split.images, split.labels, cv=3).mean() > 0.8
    assert pipeline.get_params()["model"] is model
    pipeline.set_params(svc__C=2.0)
    assert "Model('resnet12'" in repr(pipeline)
    assert "Model" in pipeline._repr_html_()
    union = FeatureUnion([("features", model)])
    assert union.fit_transform(split.images).shape == (len(split), model.embedding_dim)


def test_fit_changes_nothing_and_transform_is_embed(model, make_split):
    split, before = make_split(), model.snapshot()
    assert model.fit(split.images, split.labels) is model
    expected = model.embed(split.images)
    np.testing.assert_array_equal(model.transform(split.images), expected)
    np.testing.assert_array_equal(model.fit_transform(split.images, split.labels), expected)
    for name, view in model.state_dict().items():
        np.testing.assert_array_equal(view, before[name], name)


def test_a_model_has_no_parameters(model):
    assert model.get_params() == model.get_params(deep=False) == {}
    assert model.set_params() is model
    message = "'params' parameter of Model.set_params must be empty; got precision, widths"
    with pytest.raises(ValueError, match=message):
        model.set_params(widths=(1, 2), precision="bfloat16")


@pytest.mark.parametrize("method", ["transform", "fit_transform"])
def test_wrong_images_are_named_as_scikit_learn_names_them(model, method):
    with pytest.raises(ValueError, match=rf"'X' parameter of Model\.{method} must be of shape"):
        getattr(model, method)(np.zeros((2, 8, 8, 3)))
