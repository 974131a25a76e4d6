"""Plots of trainings draw the numbers of the history; what all displays do is tested here too."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
import run_fit
from bad_input import NAN, assert_refused
from plotted import assert_legible, assert_nothing_is_cut_off

import skd
from skd import plots
from skd.callbacks import HistoryFile

ONE = {"learning_rate": [0.1], "losses": {"total": [1.0]}, "accuracy": [50.0]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the history of a short training and its file."""
    file = tmp_path_factory.mktemp("run") / "history.csv"
    history = run_fit.fit(run_fit.make_trainer(), None, callbacks=[HistoryFile(file)])
    return history, file


def lines(axes):
    """Return the points of the labelled lines of axes, by their labels in the legend."""
    handles, labels = axes.get_legend_handles_labels()
    curves = (getattr(handle, "lines", [handle])[0] for handle in handles)
    return {
        label: np.array(curve.get_xydata()) for label, curve in zip(labels, curves, strict=True)
    }


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
    one = ("TrainingCurvesDisplay", "ComparisonDisplay", "HeadComparisonDisplay")
    arguments = [None] if name in one else [model, None]
    for maker in makers:
        with pytest.raises(ImportError, match=r"pip install matplotlib"):
            maker(*arguments)


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


@pytest.mark.parametrize("epochs", [[1], [7], [1, 2], range(1, 66)])
def test_epochs_are_whole_numbers(epochs):
    numbers = np.ones(len(epochs))
    display = plots.TrainingCurvesDisplay(
        epochs, learning_rate=numbers, losses={"total": numbers}, accuracy=numbers
    )
    for axes in display.plot():
        low, high = axes.get_xlim()
        shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert shown
        assert all(tick == round(tick) for tick in shown)
    assert_nothing_is_cut_off(display)


def test_nothing_of_the_curves_is_cut_off(trained):
    assert_nothing_is_cut_off(plots.TrainingCurvesDisplay.from_history(trained[0]))


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
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_argument_is_named(case):
    error, named, call = WRONG[case]
    assert_refused(error, named, call)
