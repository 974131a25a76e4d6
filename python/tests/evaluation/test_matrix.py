"""Models by data sets by heads, against single evaluations."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest

import skd
from skd import plots

OPTIONS = {"n_way": 3, "n_query": 5, "n_episodes": 8, "progress": False}
HEADS = ["ridge", "nearest_centroid"]


@pytest.fixture
def models(make_model):
    return {"a": make_model(seed=0), "b": make_model(seed=1)}


@pytest.fixture
def data(make_split):
    return {"near": make_split(num_classes=4), "far": make_split(num_classes=3)}


@pytest.fixture
def matrix(models, data):
    return skd.compare(models, data, heads=HEADS, **OPTIONS)


def test_every_cell_is_a_single_evaluation(matrix, models, data):
    assert (matrix.models, matrix.data, matrix.heads) == (["a", "b"], ["near", "far"], HEADS)
    for name, split in data.items():
        for label, model in models.items():
            for head in HEADS:
                alone = skd.evaluate(model, split, classifier=head, data_name=name, **OPTIONS)
                np.testing.assert_array_equal(
                    matrix[name, label, head].accuracies, alone.accuracies
                )
    difference = matrix.difference("far", ("b", "ridge"), ("a", "nearest_centroid"))
    expected = matrix["far", "b", "ridge"].difference(matrix["far", "a", "nearest_centroid"])
    assert difference == expected
    assert matrix.baseline == ("a", "ridge")


def test_each_model_embeds_each_data_set_once(models, data, monkeypatch):
    seen = []
    original = skd.Model.embed
    monkeypatch.setattr(
        skd.Model, "embed", lambda self, images: seen.append(self) or original(self, images)
    )
    none = {"support_augmentation": "none"}
    skd.compare(models, data, heads=["ridge"], **OPTIONS, **none)
    one = len(seen)
    skd.compare(models, data, heads=HEADS, **OPTIONS, **none)
    assert len(seen) == 2 * one


def test_tables_and_json_hold_the_numbers(matrix, tmp_path):
    text, markdown = str(matrix), matrix.to_markdown()
    for shown in (text, markdown, matrix._repr_html_()):
        assert "3-way 1-shot, 5 queries of each class, 8 episodes" in shown
        assert "minus ridge on a" in shown
        assert str(matrix["far", "b", "ridge"]) in shown
    assert markdown.count("| b | ridge |") == 2
    matrix.save(tmp_path / "matrix.json")
    content = json.loads((tmp_path / "matrix.json").read_text())
    assert content == matrix.to_dict()
    assert (content["format"], content["baseline"]) == ("skd-matrix", ["a", "ridge"])
    cell = content["cells"][-1]
    assert (cell["data"], cell["model"], cell["head"]) == ("far", "b", "nearest_centroid")
    difference = matrix.difference("far", ("b", "nearest_centroid"), ("a", "ridge"))
    assert cell["minus_baseline"]["mean"] == difference.mean
    assert cell["report"]["mean"] == matrix["far", "b", "nearest_centroid"].mean


def test_models_of_different_sizes_get_their_own_images(make_model, make_split, rng):
    small, large = make_split(), make_split(side=20)
    models = {"a": make_model(), "b": make_model(image_size=20)}
    matrix = skd.compare(models, {"d": {"a": small, "b": large}}, **OPTIONS)
    assert matrix.heads == ["logistic"]
    with pytest.raises(ValueError, match="'data' parameter of compare must be of shape"):
        skd.compare(models, {"d": small}, **OPTIONS)
    other = make_split(side=20, per_class=15)
    with pytest.raises(ValueError, match="of the same images for all models"):
        skd.compare(models, {"d": {"a": small, "b": other}}, **OPTIONS)


def test_the_display_has_a_panel_for_each_data_set(matrix):
    display = plots.ComparisonDisplay.from_matrix(matrix)
    assert [axes.get_title() for axes in display.ax_] == ["near", "far"]
    labels = [text.get_text() for text in display.ax_[0].get_legend().get_texts()]
    assert labels == HEADS
    drawn = display.ax_[1].containers[0].lines[0].get_ydata().tolist()
    np.testing.assert_allclose(drawn, [matrix["far", model, "ridge"].mean for model in "ab"])
    plt.close(display.figure_)
    with pytest.raises(TypeError, match="'matrix' parameter of ComparisonDisplay must be a Comp"):
        plots.ComparisonDisplay(3)


def test_wrong_arguments_are_refused_by_name(models, data, matrix):
    for wrong in ({}, [1], {"a": 3}):
        with pytest.raises((TypeError, ValueError), match="'models' parameter of compare"):
            skd.compare(wrong, data, **OPTIONS)
        with pytest.raises((TypeError, ValueError), match="'data' parameter of compare"):
            skd.compare(models, wrong, **OPTIONS)
    with pytest.raises(ValueError, match="'n_way' parameter of compare"):
        skd.compare(models, data, **{**OPTIONS, "n_way": 99})
    with pytest.raises(ValueError, match=r"'data' parameter of ComparisonMatrix\.difference"):
        matrix.difference("nowhere", ("a", "ridge"), ("a", "ridge"))
    with pytest.raises(TypeError, match="'results' parameter of ComparisonMatrix"):
        skd.ComparisonMatrix({"a": {"b": 3}})
    uneven = {"near": matrix.results["near"], "far": {"a": matrix.results["far"]["a"]}}
    with pytest.raises(ValueError, match="of the same models and heads"):
        skd.ComparisonMatrix(uneven)
