"""Reliability diagrams."""

import numpy as np
import pytest
from plotted import assert_legible, assert_nothing_is_cut_off

import skd
from skd import plots

TABLE = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55]])
LABELS = [0, 1, 1, 1]


def test_dots_are_the_accuracies_of_the_bins():
    display = plots.ReliabilityDisplay.from_predictions(
        {"plain": TABLE, "other": TABLE[:, ::-1]}, LABELS, n_bins=2
    )
    assert list(display.reliabilities) == ["plain", "other"]
    first, second = display.ax_
    assert first.get_title() == "plain\nexpected calibration error 1.2 %"
    dots = first.collections[-1].get_offsets()
    np.testing.assert_allclose(dots, [[100 * TABLE.max(axis=1).mean(), 75]])
    np.testing.assert_allclose(second.collections[-1].get_offsets()[0, 1], 25)
    for axes in display.ax_:
        assert_legible(axes)
    assert_nothing_is_cut_off(display)


def test_a_classifier_is_drawn_with_its_images(make_model, make_split):
    model, split = make_model(), make_split(num_classes=3)
    model.normalization = (split.mean, split.std)
    names = np.array(split.class_names)[split.labels]
    classifier = skd.FewShotClassifier(model).fit(split.images[::10], names[::10])
    display = plots.ReliabilityDisplay.from_classifier(classifier, split.images, names, n_bins=5)
    expected = skd.reliability(
        classifier.predict_proba(split.images), names, classes=classifier.classes_, n_bins=5
    )
    np.testing.assert_array_equal(display.reliabilities["logistic"].counts, expected.counts)
    assert display.reliabilities["logistic"].error == expected.error


def test_a_rejected_image_has_a_column_of_its_own_in_a_confusion(make_model, make_split):
    model, split = make_model(), make_split(num_classes=3)
    model.normalization = (split.mean, split.std)
    few = split.labels < 2
    classifier = skd.FewShotClassifier(model, reject=9, known_rate=0.5)
    classifier.fit(split.images[few][::5], split.labels[few][::5])
    truth = np.where(few, split.labels, 9)
    display = plots.EpisodeConfusionDisplay.from_classifier(classifier, split.images, truth)
    assert list(display.class_names) == ["0", "1", "9"]
    assert display.counts.sum() == len(split)
    assert display.counts[:, 2].sum() == (classifier.predict(split.images) == 9).sum()


def test_wrong_arguments_are_refused_by_name(make_model, make_split):
    with pytest.raises(TypeError, match=r"'reliabilities' parameter of ReliabilityDisplay must be"):
        plots.ReliabilityDisplay({"a": 3})
    with pytest.raises(ValueError, match=r"'reliabilities' .* 1 to 7 names"):
        plots.ReliabilityDisplay({})
    with pytest.raises(ValueError, match=r"'probabilities' .* ReliabilityDisplay\.from_p"):
        plots.ReliabilityDisplay.from_predictions([[0.5, 0.4]], [0])
    model, split = make_model(), make_split(num_classes=2)
    model.normalization = (split.mean, split.std)
    nearest = skd.FewShotClassifier(model, head="nearest_neighbor").fit(split.images, split.labels)
    with pytest.raises(ValueError, match=r"'classifier' .* one with predict_proba"):
        plots.ReliabilityDisplay.from_classifier(nearest, split.images, split.labels)
    logistic = skd.FewShotClassifier(model).fit(split.images, split.labels)
    with pytest.raises(ValueError, match=r"'labels' parameter of ReliabilityDisplay\.from_classif"):
        plots.ReliabilityDisplay.from_classifier(logistic, split.images, split.labels + 5)
