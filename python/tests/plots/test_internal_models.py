"""Internals of plots: colours, projections, distances, entropies and names."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from plotted import assert_legible

from skd import plots
from skd.plots import _figures, _names
from skd.plots._class_distances import pairwise_distances
from skd.plots._logit_entropy import softmax_entropy
from skd.plots._projection import principal_components

OKABE_ITO = set(_figures.COLOURS)


def test_an_embedding_shows_every_image_once_with_its_class(models, make_split):
    split = make_split()
    display = plots.EmbeddingDisplay.from_models(models, split, num_classes=3, n_images=7)
    assert [axes.get_title() for axes in display.ax_] == ["Gen-0", "Gen-1"]
    for axes, points in zip(display.ax_, display.points.values(), strict=True):
        assert_legible(axes)
        assert "% of the variance" in axes.get_xlabel()
        groups = axes.collections
        assert [len(group.get_offsets()) for group in groups] == [7, 7, 7]
        np.testing.assert_allclose(
            np.concatenate([group.get_offsets() for group in groups]), points, rtol=1e-6
        )
        assert {to_hex(group.get_facecolor()[0]) for group in groups} <= OKABE_ITO
        shapes = {group.get_paths()[0].vertices.tobytes() for group in groups}
        assert len(shapes) == 3
    legend = [text.get_text() for text in display.ax_[-1].get_legend().get_texts()]
    assert legend == list(display.class_names)


def test_principal_components_are_scikit_learns(rng):
    from sklearn.decomposition import PCA

    points = rng.standard_normal((40, 6)) * [5, 3, 1, 1, 0.5, 0.1]
    plane, shares = principal_components(points)
    peer = PCA(2)
    expected = peer.fit_transform(points)
    np.testing.assert_allclose(np.abs(plane), np.abs(expected), atol=1e-9)
    np.testing.assert_allclose(shares, peer.explained_variance_ratio_)


@pytest.mark.parametrize("points", [np.ones((3, 4)), np.arange(3.0)[:, None], np.ones((1, 2))])
def test_principal_components_of_few_dimensions_are_zeros(points):
    plane, shares = principal_components(points)
    assert plane.shape == (len(points), 2)
    assert np.isfinite(plane).all()
    assert shares[1] == 0


def test_pairwise_distances_are_euclidean():
    np.testing.assert_allclose(pairwise_distances(np.array([[0, 0], [3.0, 4.0]])), [[0, 5], [5, 0]])


def test_entropy_of_known_distributions():
    logits = [[0, 0, 0, 0], [1000, 0, 0, 0]]
    np.testing.assert_allclose(softmax_entropy(logits), [np.log(4), 0], atol=1e-12)
    three_to_one = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    np.testing.assert_allclose(softmax_entropy([[np.log(3), 0]]), [three_to_one])


def test_entropies_of_the_logits_are_drawn_up_to_the_uniform_ones(models, make_split):
    split = make_split()
    display = plots.LogitEntropyDisplay.from_models(models, split, n_images=6)
    axes = display.ax_
    assert_legible(axes)
    assert "nats" in axes.get_xlabel()
    assert [len(values) for values in display.entropies.values()] == [30, 30]
    (limit,) = axes.lines
    np.testing.assert_allclose(limit.get_xdata(), np.log(5))
    labels = axes.get_legend_handles_labels()[1]
    assert labels[0] == f"Gen-0, mean {display.entropies['Gen-0'].mean():.2f} nats"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == labels
    every = plots.LogitEntropyDisplay.from_models(models["Gen-0"], split)
    logits = models["Gen-0"].features(split.images, "logits", normalization=(split.mean, split.std))
    np.testing.assert_allclose(every.entropies["convnet4"], softmax_entropy(logits))


def test_long_names_go_on_in_a_second_line_and_lose_their_end_alone():
    names = ["house finch", "golden_retriever_dog", "short", "a name of very many words indeed"]
    assert _names.distinct(names, 12) == [
        "house finch", "golden\nretriever d…", "short", "a name of\nvery many w…",
    ]  # fmt: skip
    assert _names.distinct(["a_b", "a/b"], 12) == ["a_b", "a/b"]


def test_names_that_would_coincide_are_numbered():
    alike = ["abcdefghij1xyzxyzxyz", "abcdefghij2xyzxyzxyz"]
    assert _names.distinct(alike, 10, lines=1) == ["0 abcdefg…", "1 abcdefg…"]
    assert _names.distinct(alike, 10) == ["abcdefghij\n1xyzxyzxyz", "abcdefghij\n2xyzxyzxyz"]


def test_a_glyph_shows_its_character_if_a_font_has_it():
    names = ["greek/GREEK CAPITAL LETTER DELTA", "thai/THAI CHARACTER NO NU"]
    assert _names.distinct(names, 12) == ["Greek Δ", "Thai no nu"]
    assert _names.longest_line(["ab\nabc", "a"]) == 3
