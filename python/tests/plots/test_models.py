"""Plots of models draw what is computed of their embeddings and logits."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from bad_input import assert_refused
from plotted import assert_legible, assert_nothing_is_cut_off

import skd
from skd import plots


def test_models_see_the_same_images_and_the_seed_decides_which(models, make_split):
    split = make_split()
    same = {"a": models["Gen-0"], "b": models["Gen-0"]}

    def points(**options):
        display = plots.EmbeddingDisplay.from_models(same, split, n_images=5, **options)
        np.testing.assert_array_equal(display.points["a"], display.points["b"])
        return display.points["a"]

    np.testing.assert_array_equal(points(), points(seed=0))
    assert not np.array_equal(points(), points(seed=1))


def test_neighbours_are_embedded_by_scikit_learn(models, make_split):
    split = make_split()
    first, second = (
        plots.EmbeddingDisplay.from_models(
            models["Gen-0"], split, method="tsne", num_classes=2, n_images=6, seed=2**63
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.points["convnet4"], second.points["convnet4"])
    assert first.ax_[0].get_xlabel() == "t-SNE 1 (no unit)"


def test_without_scikit_learn_there_is_no_tsne(models, make_split, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        plots.EmbeddingDisplay.from_models(models, make_split(), method="tsne")
    plots.EmbeddingDisplay.from_models(models, make_split(), n_images=3)


def test_distances_of_all_pairs_are_divided_by_class(models, make_split):
    split = make_split(num_classes=3, per_class=4)
    model = models["Gen-0"]
    display = plots.ClassDistanceDisplay.from_models(models, split)
    within, between = display.within["Gen-0"], display.between["Gen-0"]
    assert (len(within), len(between)) == (3 * 6, 66 - 3 * 6)
    embeddings = skd.l2_normalize(
        model.features(split.images, "embedding", normalization=(split.mean, split.std))
    )
    expected = [
        np.linalg.norm(embeddings[i].astype(np.float64) - embeddings[j])
        for i in range(12)
        for j in range(i + 1, 12)
        if split.labels[i] == split.labels[j]
    ]
    np.testing.assert_allclose(np.sort(within), np.sort(expected), atol=1e-4)


def test_histograms_of_distances_hold_every_pair(models, make_split):
    display = plots.ClassDistanceDisplay.from_models(models, make_split(num_classes=3, per_class=5))
    limits = {axes.get_ylim() for axes in display.ax_}
    assert len(limits) == 1
    for axes in display.ax_:
        assert_legible(axes)
        outlines = [patch for patch in axes.patches if not patch.get_fill()]
        assert len({patch.get_linestyle() for patch in outlines}) == len(outlines) == 2
        for patch in outlines:
            shares, edges, _ = patch.get_data()
            assert shares.sum() == pytest.approx(100)
            assert shares.max() <= axes.get_ylim()[1]
            assert (edges[0], edges[-1]) == axes.get_xlim()


@pytest.mark.parametrize(
    "display", [plots.EmbeddingDisplay, plots.ClassDistanceDisplay, plots.LogitEntropyDisplay]
)
def test_nothing_is_cut_off_and_no_legend_covers_the_axes(display, models, make_split):
    assert_nothing_is_cut_off(display.from_models(models, make_split(), n_images=5))


WRONG = {
    "labels without a name": (
        ValueError,
        "'labels'",
        lambda: plots.EmbeddingDisplay({"a": [[0, 0]]}, [1], ["cat"]),
    ),
    "points of a line": (
        ValueError,
        "'points'",
        lambda: plots.EmbeddingDisplay({"a": [[0]]}, [0], ["cat"]),
    ),
    "distances of other models": (
        ValueError,
        "'between'",
        lambda: plots.ClassDistanceDisplay({"a": [1.0]}, {"b": [1.0]}),
    ),
    "entropies beyond the uniform": (
        ValueError,
        "'entropies'",
        lambda: plots.LogitEntropyDisplay({"a": [1.0]}, num_classes=2),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_argument_is_named(case):
    error, named, call = WRONG[case]
    assert_refused(error, named, call)


WRONG_MODELS = {
    "no model": (TypeError, "'models'", {"models": 3}),
    "no models": (ValueError, "'models'", {"models": {}}),
    "models by number": (TypeError, "'models'", {"models": {1: 2}}),
    "no split": (TypeError, "'split'", {"split": None}),
    "many classes": (ValueError, "'num_classes'", {"num_classes": 9}),
    "no images": (ValueError, "'n_images'", {"n_images": 0}),
    "a negative seed": (ValueError, "'seed'", {"seed": -1}),
    "no axes": (TypeError, "'ax'", {"ax": "left"}),
}


@pytest.mark.parametrize("case", WRONG_MODELS)
@pytest.mark.parametrize(
    "display", [plots.EmbeddingDisplay, plots.ClassDistanceDisplay, plots.LogitEntropyDisplay]
)
def test_wrong_models_and_images_are_named(display, case, models, make_split):
    error, named, changed = WRONG_MODELS[case]
    options = {"models": models["Gen-0"], "split": make_split(), **changed}
    assert_refused(error, named, lambda: display.from_models(**options))
    assert not plt.get_fignums()


def test_images_of_another_size_and_models_of_other_classes_are_refused(
    models, make_model, make_split
):
    small = make_split(side=8)
    unlike = {**models, "other": make_model("convnet4", num_classes=4)}
    for call in (
        lambda: plots.EmbeddingDisplay.from_models(models, small),
        lambda: plots.EmbeddingDisplay.from_models(models, make_split(), method="umap"),
        lambda: plots.LogitEntropyDisplay.from_models(unlike, make_split()),
        lambda: plots.ClassDistanceDisplay.from_models(models, make_split(), num_classes=1),
        lambda: plots.ClassDistanceDisplay.from_models(models, make_split(), n_images=1),
    ):
        with pytest.raises(ValueError, match=r"The '(split|method|models)' parameter of"):
            call()
