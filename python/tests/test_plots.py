"""Plots of trainings and embeddings draw the numbers that they are made of."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import run_fit
from bad_input import NAN, assert_refused
from matplotlib.colors import to_hex

import skd
from skd import plots
from skd.callbacks import HistoryFile
from skd.plots import _figures
from skd.plots._class_distances import pairwise_distances
from skd.plots._logit_entropy import softmax_entropy
from skd.plots._projection import principal_components

matplotlib.use("Agg")

import matplotlib.pyplot as plt

OKABE_ITO = set(_figures.COLOURS)
ONE = {"learning_rate": [0.1], "losses": {"total": [1.0]}, "accuracy": [50.0]}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the history of a short training and its file."""
    file = tmp_path_factory.mktemp("run") / "history.csv"
    history = run_fit.fit(run_fit.make_trainer(), None, callbacks=[HistoryFile(file)])
    return history, file


@pytest.fixture
def models(make_model):
    """Return a model and another one by name."""
    return {"Gen-0": make_model("convnet4"), "Gen-1": make_model("convnet4", seed=1)}


def lines(axes):
    """Return the points of the labelled lines of axes, by their labels in the legend."""
    handles, labels = axes.get_legend_handles_labels()
    curves = (getattr(handle, "lines", [handle])[0] for handle in handles)
    return {
        label: np.array(curve.get_xydata()) for label, curve in zip(labels, curves, strict=True)
    }


def assert_legible(axes):
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    assert axes.get_title()


def test_importing_the_plots_does_not_import_matplotlib():
    script = "import sys, skd, skd.plots; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize("name", plots.__all__)
def test_without_matplotlib_the_extra_is_named(name, make_model, monkeypatch):
    model = make_model("convnet4")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    display = getattr(plots, name)
    makers = [getattr(display, maker) for maker in dir(display) if maker.startswith("from_")]
    assert makers
    for maker in makers:
        with pytest.raises(ImportError, match=r"pip install 'skd\[plots\]'"):
            maker(None) if display is plots.TrainingCurvesDisplay else maker(model, None)


def test_every_display_and_method_is_documented():
    for name in plots.__all__:
        display = getattr(plots, name)
        assert "Examples" in display.__doc__
        for method in ("plot", *(entry for entry in dir(display) if entry.startswith("from_"))):
            assert "Returns" in getattr(display, method).__doc__


def test_training_curves_are_those_of_the_history(trained):
    history, _ = trained
    display = plots.TrainingCurvesDisplay.from_history(history)
    assert display.figure_ is display.ax_[0].figure
    losses, accuracies, rates = display.ax_
    for axes in display.ax_:
        assert_legible(axes)
    curves = lines(losses)
    assert list(curves) == ["total", "cross-entropy", "rotation"]
    np.testing.assert_array_equal(curves["total"], [(r.epoch, r.losses.total) for r in history])
    np.testing.assert_array_equal(
        curves["rotation"], [(r.epoch, r.losses.rotation) for r in history]
    )
    training, rotation, validation = lines(accuracies).values()
    np.testing.assert_array_equal(training, [(r.epoch, 100 * r.losses.accuracy) for r in history])
    np.testing.assert_array_equal(
        rotation, [(r.epoch, 100 * r.losses.rotation_accuracy) for r in history]
    )
    validated = [r for r in history if r.validation is not None]
    assert 0 < len(validated) < len(history)
    np.testing.assert_array_equal(validation, [(r.epoch, r.validation.mean) for r in validated])
    assert "3-way 1-shot" in list(lines(accuracies))[2]
    (rate,) = rates.lines
    assert rate.get_ydata().tolist() == [r.learning_rate for r in history]
    assert rates.get_yscale() == "log"


def test_the_interval_of_a_validation_is_drawn(trained):
    history, _ = trained
    _, accuracies, _ = plots.TrainingCurvesDisplay.from_history(history).ax_
    (container,) = accuracies.containers
    bars = container.lines[2][0].get_segments()
    for record, bar in zip((r for r in history if r.validation is not None), bars, strict=True):
        low, high = bar[:, 1]
        assert high - low == pytest.approx(2 * record.validation.ci95)


def test_a_history_file_and_its_folder_draw_what_the_history_draws(trained):
    history, file = trained
    expected = plots.TrainingCurvesDisplay.from_history(history)
    for path in (file, str(file.parent)):
        display = plots.TrainingCurvesDisplay.from_run(path)
        for axes, others in zip(display.ax_, expected.ax_, strict=True):
            for line, other in zip(axes.lines, others.lines, strict=True):
                np.testing.assert_array_equal(line.get_xydata(), other.get_xydata())


def test_a_loss_of_one_term_is_drawn_once():
    one = np.array([2.0, 1.0])
    display = plots.TrainingCurvesDisplay(
        [1, 2],
        learning_rate=[0.1, 0.1],
        losses={"total": one, "cross_entropy": one},
        accuracy=[1, 2],
    )
    assert list(lines(display.plot()[0])) == ["cross-entropy"]


@pytest.mark.parametrize(
    "text",
    ["", "epoch,total\n1,2\n", "epoch,learning_rate,total,accuracy\n1,x,1,1\n", "\0", "a\n1,2"],
)
def test_a_file_that_is_no_history_is_refused(tmp_path, text):
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(ValueError, match=r"'path' parameter of TrainingCurvesDisplay\.from_run"):
        plots.TrainingCurvesDisplay.from_run(tmp_path)
    with pytest.raises(FileNotFoundError, match="missing"):
        plots.TrainingCurvesDisplay.from_run(tmp_path / "missing")


def test_plot_draws_in_given_axes_and_returns_them(trained):
    figure, axes = plt.subplots(3)
    display = plots.TrainingCurvesDisplay.from_history(trained[0], ax=axes)
    assert display.figure_ is figure
    again = display.plot()
    assert again is display.ax_
    assert again[0].figure is not figure


def test_an_embedding_shows_every_image_once_with_its_class(models, make_split):
    split = make_split()
    display = plots.EmbeddingDisplay.from_models(models, split, n_classes=3, n_images=7)
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


def test_models_see_the_same_images_and_the_seed_decides_which(models, make_split):
    split = make_split()
    same = {"a": models["Gen-0"], "b": models["Gen-0"]}

    def points(**options):
        display = plots.EmbeddingDisplay.from_models(same, split, n_images=5, **options)
        np.testing.assert_array_equal(display.points["a"], display.points["b"])
        return display.points["a"]

    np.testing.assert_array_equal(points(), points(seed=0))
    assert not np.array_equal(points(), points(seed=1))


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


def test_neighbours_are_embedded_by_scikit_learn(models, make_split):
    split = make_split()
    first, second = (
        plots.EmbeddingDisplay.from_models(
            models["Gen-0"], split, method="tsne", n_classes=2, n_images=6, seed=2**63
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
    split = make_split(n_classes=3, per_class=4)
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
    display = plots.ClassDistanceDisplay.from_models(models, make_split(n_classes=3, per_class=5))
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


@pytest.mark.parametrize("make", ["curves", "embedding", "distances", "entropy"])
def test_no_text_is_cut_off_and_no_legend_covers_the_axes(make, models, make_split, trained):
    split = make_split()
    display = {
        "curves": lambda: plots.TrainingCurvesDisplay.from_history(trained[0]),
        "embedding": lambda: plots.EmbeddingDisplay.from_models(models, split, n_images=5),
        "distances": lambda: plots.ClassDistanceDisplay.from_models(models, split, n_images=5),
        "entropy": lambda: plots.LogitEntropyDisplay.from_models(models, split, n_images=5),
    }[make]()
    figure = display.figure_
    figure.canvas.draw()
    page = figure.bbox.padded(1)
    boxes = []
    for axes in np.ravel(display.ax_):
        tight = axes.get_tightbbox()
        assert page.contains(*tight.min), (tight, page)
        assert page.contains(*tight.max), (tight, page)
        boxes.append(axes.get_window_extent().padded(-1))
        if axes.get_legend() is not None:
            legend = axes.get_legend().get_window_extent()
            assert not any(legend.overlaps(box) for box in boxes)


CURVES, WRONG_OWN = plots.TrainingCurvesDisplay, {**ONE, "losses": {}}
WRONG = {
    "no epochs": (ValueError, "'epochs'", lambda: CURVES([], **ONE)),
    "other epochs": (ValueError, "'learning_rate'", lambda: CURVES([1, 2], **ONE)),
    "NaN": (ValueError, "'epochs'", lambda: CURVES([NAN], **ONE)),
    "no losses": (TypeError, "'losses'", lambda: CURVES([1], **WRONG_OWN)),
    "half a validation": (
        ValueError,
        "'val_accuracy'",
        lambda: CURVES([1], **ONE, val_accuracy=[50.0]),
    ),
    "no history": (TypeError, "'history'", lambda: CURVES.from_history([1])),
    "an empty history": (
        ValueError,
        "'history'",
        lambda: CURVES.from_history(skd.History(())),
    ),
    "one axes of three": (ValueError, "3 matplotlib Axes", lambda: CURVES([1], **ONE).plot([1, 2])),
    "no axes": (TypeError, "'ax'", lambda: CURVES([1], **ONE).plot("left")),
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
        lambda: plots.LogitEntropyDisplay({"a": [1.0]}, n_classes=2),
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
    "many classes": (ValueError, "'n_classes'", {"n_classes": 9}),
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
        lambda: plots.ClassDistanceDisplay.from_models(models, make_split(), n_classes=1),
        lambda: plots.ClassDistanceDisplay.from_models(models, make_split(), n_images=1),
    ):
        with pytest.raises(ValueError, match=r"The '(split|method|models)' parameter of"):
            call()


def test_long_names_are_shortened_and_stay_different():
    names = ["thai/THAI CHARACTER KO KAI", "thai/THAI CHARACTER NO NU", "short"]
    short = _figures.distinct(names, 12)
    assert short[2] == "short"
    assert all(len(name) <= 12 for name in short)
    assert len(set(short)) == 3
    alike = ["abcdefghij1xyzxyzxyz", "abcdefghij2xyzxyzxyz"]
    assert len(set(_figures.distinct(alike, 10))) == 2
