"""Histories as tables and data frames, and how trainers represent themselves."""

import re
import sys

import numpy as np
import pandas as pd
import pytest

import skd
from skd.history import EpochRecord, History, Losses

FIT = {"batch_size": 20, "progress": False}
COMMON = ["epoch", "learning_rate", "total"]
SPEED = ["images_per_second", "seconds"]


@pytest.fixture
def trainers(make_model):
    """Return a trainer of each objective."""
    teacher = make_model()
    return {
        "Supervised": skd.Supervised(make_model()),
        "Gen0": skd.Gen0(make_model()),
        "Gen1": skd.Gen1(make_model(), teacher),
        "Distilled": skd.Distilled(make_model(), teacher),
    }


@pytest.mark.parametrize(
    ("name", "losses"),
    [
        ("Supervised", ["cross_entropy", "accuracy"]),
        ("Gen0", ["cross_entropy", "rotation", "accuracy", "rotation_accuracy"]),
        ("Gen1", ["distillation", "twin", "accuracy"]),
        ("Distilled", ["cross_entropy", "distillation", "accuracy"]),
    ],
)
def test_a_history_has_a_column_for_each_loss_of_its_objective(trainers, make_split, name, losses):
    history = trainers[name].fit(make_split(), epochs=2, **FIT)
    frame = history.to_dataframe()
    assert list(frame) == list(history.columns()) == [*COMMON, *losses, *SPEED]
    assert frame["epoch"].tolist() == [1, 2]
    for column in losses:
        expected = [getattr(record.losses, column) for record in history]
        np.testing.assert_array_equal(frame[column], expected)


def test_terms_and_validations_have_columns(make_model, make_split):
    term = skd.Term("mean", lambda rows, labels, views: (float(rows.mean()), 0 * rows))
    trainer = skd.Supervised(make_model(), terms=[term])
    history = trainer.fit(make_split(), epochs=3, val=make_split(), val_every=2, **FIT)
    frame = history.to_dataframe()
    assert frame["term.mean"].tolist() == [record.losses.terms["mean"] for record in history]
    validated = [None if r.validation is None else r.validation.mean for r in history]
    assert history.columns()["val_accuracy"] == validated
    assert frame["val_accuracy"].isna().tolist() == [True, False, False]
    assert all(frame.dtypes[name] == "float64" for name in frame if name != "epoch")


def record(epoch, **losses):
    values = {**dict.fromkeys(Losses._fields, 0.0), "total": 1.0, **losses}
    return EpochRecord(epoch, 0.05, Losses(**values), 2.0, 100.0)


def test_a_rotation_accuracy_of_zero_is_a_column():
    history = History((record(1, rotation=0.7),))
    assert history.columns()["rotation_accuracy"] == [0.0]
    assert "rotation_accuracy" not in History((record(1),)).columns()


def test_a_history_of_nothing_has_no_rows():
    assert repr(History(())) == "History of 0 epochs"
    assert History(())._repr_html_().count("<tr>") == 0
    pd.testing.assert_frame_equal(History(()).to_dataframe(), pd.DataFrame())


def test_a_history_is_a_table(make_model, make_split):
    history = skd.Gen0(make_model()).fit(make_split(), epochs=2, val=make_split(), **FIT)
    title, header, *rows = repr(history).splitlines()
    assert re.fullmatch(r"History of 2 epochs; best validation .* ± .* % in epoch [12]", title)
    assert header.split() == list(history.columns())
    assert [row.split()[0] for row in rows] == ["1", "2"]
    assert len({len(line) for line in (header, *rows)}) == 1
    html = history._repr_html_()
    assert html.count("<tr>") == 3
    assert "best validation" in html


def test_a_long_history_shows_its_ends():
    rows = repr(History(tuple(map(record, range(1, 41))))).splitlines()[2:]
    shown = [row.split()[0] for row in rows]
    assert shown == ["1", "2", "3", "4", "5", "6", "...", "35", "36", "37", "38", "39", "40"]


def test_without_pandas_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"History.to_dataframe needs pandas: pip install pandas"):
        History(()).to_dataframe()


def test_a_result_shows_its_options_in_a_notebook(make_model, make_split):
    result = skd.evaluate(make_model(), make_split(), n_query=2, n_episodes=3)
    html = result._repr_html_()
    assert str(result) in html
    for name in ("n_way", "n_shot", "n_query", "n_episodes", "classifier", "seed"):
        assert f">{name}<" in html
        assert f">{result.options[name]}<" in html


def test_trainers_show_models_options_and_steps(trainers, batch):
    trainers["Gen0"].step(*batch)
    lines = repr(trainers["Gen0"]).splitlines()
    assert lines[0] == "Gen0("
    assert lines[1].startswith("  model=Model('resnet12'")
    assert lines[2:] == [
        "  alpha=2.0,",
        "  rotations_per_image=4,",
        "  optimizer=SGD(lr=0.05, momentum=0.9, weight_decay=0.0005),",
        "  seed=0,",
        "  steps_taken=1,",
        ")",
    ]
    text = repr(trainers["Gen1"])
    assert re.search(r"student=Model\(.*\n  teacher=Model\(.*\n  beta=0.1,", text)
    term = skd.Term("mean", lambda rows, labels, views: (0.0, 0 * rows))
    own = skd.Supervised(trainers["Supervised"].model, terms=[term])
    assert "terms=(Term('mean', on='logits', weight=1.0),)," in repr(own)


def test_fit_tells_that_it_lowers_the_ways_and_queries(make_model, make_split):
    val = make_split(num_classes=3, per_class=8)
    with pytest.warns(skd.SmallSplitWarning) as caught:
        history = skd.Gen0(make_model()).fit(make_split(), epochs=1, val=val, **FIT)
    (warning,) = caught
    assert warning.filename == __file__
    message = str(warning.message)
    assert message.startswith("Gen0.fit validates with 3-way 1-shot episodes with 7 queries of")
    assert "because 'val' has 3 classes and 8 images of class '0'" in message
    options = history[0].validation.options
    assert (options["n_way"], options["n_shot"], options["n_query"]) == (3, 1, 7)


def test_fit_tells_nothing_of_a_large_split(make_model, make_split, recwarn):
    skd.Supervised(make_model()).fit(make_split(), epochs=1, val=make_split(per_class=16), **FIT)
    assert not recwarn
