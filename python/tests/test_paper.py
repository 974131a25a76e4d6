"""The table of the paper's numbers: what `benchmarks/paper.py` computes from finished runs."""

import json

import numpy as np
import pytest

import paper
import skd
import skd.recipes
from skd.history import EpochRecord, History, Losses

SMALL = (
    "data.num_classes=4",
    "model.widths=[4, 4, 8, 8]",
    "schedule.epochs=2",
    "schedule.decay_epochs=[]",
    "schedule.val_every=1",
    "evaluation.n_episodes=5",
)


def row(**changes):
    fields = {
        "recipe": "gen0-cifar-fs",
        "changes": [],
        "data": "cifar-fs",
        "data_sha256": "abc",
        "seed": 0,
        "published": {"one_shot": [74.5, 0.9], "five_shot": []},
        "epochs": 65,
        "hours": 12.34,
        "interruptions": 2,
        "one_shot": [74.1, 0.8],
        "five_shot": [87.9, 0.5],
        "nearest_centroid": {"one_shot": [75.0, 0.8], "five_shot": [87.0, 0.5]},
        "paired_with": None,
        "machine": "a processor",
        "threads": 2,
    }
    return {**fields, **changes}


def test_a_run_has_one_row_however_often_it_is_measured():
    rows = paper.updated([row(), row(seed=1)], row(hours=1.0))
    assert [(each["seed"], each["hours"]) for each in rows] == [(0, 1.0), (1, 12.34)]
    assert len(paper.updated(rows, row(changes=["loss.alpha=1"]))) == 3


@pytest.mark.parametrize("name", skd.recipes.names())
def test_a_recipe_tells_what_was_measured_with_it(name):
    runs = json.loads((paper.RESULTS / "paper.json").read_text())["runs"]
    own = [run for run in runs if (run["recipe"], run["changes"], run["seed"]) == (name, [], 0)]
    measured = skd.recipes.load(name).measured
    assert (measured is not None) == bool(own)
    for run in own:
        assert measured.one_shot == pytest.approx(run["one_shot"], abs=0.005)
        assert measured.five_shot == pytest.approx(run["five_shot"], abs=0.005)
        assert measured.processor_hours == pytest.approx(run["processor_hours"], abs=0.05)
        assert measured.machine == run["machine"]


def test_the_table_shows_accuracies_hours_and_the_paired_difference(tmp_path):
    pair = {"recipe": "rfs-simple", "seed": 0, "one_shot": [2.04, 0.4], "five_shot": [-1.0, 0.3]}
    paper.write([row(), row(recipe="gen1", published=None, paired_with=pair)], tmp_path)
    lines = (tmp_path / "paper.md").read_text().splitlines()
    assert lines[-2] == (
        "| gen0-cifar-fs | 0 | 74.1 ± 0.8 | 87.9 ± 0.5 | 75.0 / 87.0 | 74.5 ± 0.9 / - | - | - | - "
        "| 65 | 12.3 | 2 |"
    )
    assert "| rfs-simple | +2.0 ± 0.4 | -1.0 ± 0.3 |" in lines[-1]
    assert json.loads((tmp_path / "paper.json").read_text())["runs"][0] == row()


def test_the_curve_is_validation_over_hours_of_training():
    class Validation:
        mean = 50.0

    losses = Losses(*[0.0] * 7)
    records = tuple(
        EpochRecord(epoch, 0.1, losses, 1800.0, 1.0, Validation() if epoch % 2 == 0 else None)
        for epoch in range(1, 5)
    )
    assert paper.curve(History(records)) == [[1.0, 50.0], [2.0, 50.0]]


def test_a_run_is_trained_scored_by_both_heads_and_counted(tmp_path):
    recipe = skd.recipes.load("rfs-simple-glyphs", changes=SMALL)
    folder = tmp_path / "run"
    run, history, sessions = paper.train(recipe, folder)
    scores = paper.scores(run, history)
    assert set(scores) == {"one_shot", "five_shot", "nearest_centroid"}
    content = paper.entry(run, history, sessions, ["data.root=x", "schedule.epochs=2"], "command")
    assert content["interruptions"] == 0
    assert content["changes"] == ["schedule.epochs=2"]
    assert content["processor_hours"] > 0
    assert len(content["curve"]) == 2
    paired = paper.paired(folder, folder)
    assert paired["one_shot"] == pytest.approx([0, 0])
    state = skd.load_model(folder / "model.safetensors").state_dict()
    assert all(np.isfinite(array).all() for array in state.values())


def test_an_interruption_is_a_process_that_goes_on(tmp_path):
    recipe = skd.recipes.load("rfs-simple-glyphs", changes=SMALL)

    class Stop(skd.callbacks.Callback):
        def on_epoch(self, record):
            raise KeyboardInterrupt

    (run,) = skd.recipes.plan(recipe, tmp_path / "run")
    run.prepare()
    (tmp_path / "run").mkdir()
    sessions = paper.Sessions(tmp_path / "run" / "sessions.jsonl")
    with pytest.raises(KeyboardInterrupt):
        run.train([sessions, Stop()])
    _, _, sessions = paper.train(recipe, tmp_path / "run")
    assert sessions.totals()[0] == 1
