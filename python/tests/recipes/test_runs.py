"""Recipes run: on files in the published formats, with their teachers, resumed to the same bits."""

import dataclasses
import json
import signal
import sys
import tomllib

import numpy as np
import pytest
import recipe_data

import skd
import skd.recipes as recipes
from skd.callbacks import Callback
from skd.recipes import costs
from skd.recipes.estimate import estimate


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the folder in which the recipes of this module find each other's runs."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def data_of(tmp_path_factory):
    """Return a function that writes a data set once, and returns its folder."""
    root = tmp_path_factory.mktemp("data")

    def folder(name):
        if name == "glyphs":
            return None
        if not (root / name).exists():
            recipe_data.write(name, root / name)
        return root / name

    return folder


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_runs_two_steps_on_data_in_the_published_format(runs, data_of, name):
    plain = recipes.load(name)
    words = recipe_data.changes(plain, data_of(plain.data.name))
    results = recipes.run(name, runs / name, changes=words, resume=True)
    assert 0 <= results[1].mean <= 100
    report = json.loads((runs / name / "report.json").read_text())
    assert report["training"] == {**report["training"], "steps": 2, "n_images": 8, "epochs": 1}
    assert (report["recipe"], report["stage"]) == (name, plain.stage)
    assert report["model"]["chosen"] == "the last epoch"
    assert (report["teacher"] is None) == (plain.teacher is None)
    config = tomllib.loads((runs / name / "config.toml").read_text())
    assert config["model"]["widths"] == [8, 16, 24, 32]
    model = skd.load_model(runs / name / "model.safetensors")
    assert (
        report["evaluations"]["1-shot"]["provenance"]["model"]["sha256"]
        == (report["model"]["sha256"])
    )
    assert model.num_classes == 2


def small(name, *words):
    """Return a recipe on few glyphs with the quickest of the networks."""
    quick = ("model.architecture=convnet4", "model.widths=[8, 8, 8, 8]")
    recipe = recipes.load(name)
    return recipes.load(name, changes=[*recipe_data.changes(recipe), *quick, *words])


def test_a_run_leaves_everything_in_its_folder(tmp_path):
    folder = tmp_path / "gen0"
    results = recipes.run(small("gen0-glyphs"), folder)
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left == {
        "config.toml",
        "history.csv",
        "report.json",
        "model.safetensors",
        "checkpoints/step-000000000002.safetensors",
        "checkpoints/best.safetensors",
        "evaluations/1-shot.json",
        "plots/training.png",
    }
    assert (folder / "plots/training.png").read_bytes().startswith(b"\x89PNG")
    kept = skd.EvaluationResult.load(folder / "evaluations/1-shot.json")
    assert kept.to_json() == results[1].to_json()
    report = json.loads((folder / "report.json").read_text())
    assert report["evaluations"]["1-shot"]["mean"] == kept.mean
    assert report["evaluations"]["1-shot"]["expected"]["mean"] == 86.56
    assert (folder / "history.csv").read_text().count("\n") == 2


def test_without_matplotlib_the_plots_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    recipes.run(small("gen0-glyphs"), tmp_path / "run")
    assert list((tmp_path / "run" / "plots").iterdir()) == []


def test_the_config_of_a_run_is_its_recipe(tmp_path):
    recipe = small("gen0-glyphs")
    recipes.run(recipe, tmp_path / "run")
    assert recipes.load(tmp_path / "run" / "config.toml") == recipe


class Interrupting(Callback):
    """Lets Ctrl-C come after a step."""

    def on_step(self, record):
        if record.steps_done == 3:
            signal.raise_signal(signal.SIGINT)


def test_a_resumed_run_ends_with_the_same_bits(tmp_path):
    recipe = small("gen0-glyphs", "schedule.epochs=3", "evaluation.model=best")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    recipes.run(recipe, whole)
    with pytest.raises(KeyboardInterrupt):
        recipes.run(recipe, parts, callbacks=[Interrupting()])
    assert not (parts / "report.json").exists()
    with pytest.raises(ValueError, match="a new folder, unless resume=True"):
        recipes.run(recipe, parts)
    recipes.run(recipe, parts, resume=True)
    for name in ("model.safetensors", "report.json", "config.toml", "evaluations/1-shot.json"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_run_may_be_made_longer_and_not_be_another(tmp_path):
    recipes.run(small("gen0-glyphs"), tmp_path)
    with pytest.raises(ValueError, match=r"loss\.alpha 1\.0 instead of 2\.0"):
        recipes.run(small("gen0-glyphs", "loss.alpha=1.0"), tmp_path, resume=True)
    recipes.run(small("gen0-glyphs", "schedule.epochs=2"), tmp_path, resume=True)
    assert json.loads((tmp_path / "report.json").read_text())["training"]["steps"] == 4


def test_a_teacher_is_trained_once_and_found_again(tmp_path):
    student = small("gen1-glyphs")
    teacher = tmp_path / "gen0-glyphs"
    assert [run.recipe.name for run in recipes.plan(student, tmp_path / "a")] == [
        "gen0-glyphs",
        "gen1-glyphs",
    ]
    recipes.run(student, tmp_path / "a")
    before = (teacher / "report.json").stat().st_mtime_ns
    (alone,) = recipes.plan(student, tmp_path / "b")
    assert alone.recipe == student
    recipes.run(student, tmp_path / "b")
    assert (teacher / "report.json").stat().st_mtime_ns == before
    for name in ("model.safetensors", "report.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_teacher_that_was_not_finished_is_gone_on_with(tmp_path):
    student = small("gen1-glyphs", "teacher.schedule.epochs=3")
    with pytest.raises(KeyboardInterrupt):
        recipes.run(student, tmp_path / "a", callbacks=[Interrupting()])
    runs = recipes.plan(student, tmp_path / "a")
    assert [run.is_teacher for run in runs] == [True, False]
    assert runs[0].folder.steps_done == 3
    recipes.run(student, tmp_path / "a")


def test_a_teacher_of_another_training_is_refused(tmp_path):
    recipes.run(small("gen0-glyphs", "schedule.epochs=2"), tmp_path / "gen0-glyphs")
    with pytest.raises(ValueError, match=r"schedule\.epochs 1 instead of 2"):
        recipes.plan(small("gen1-glyphs"), tmp_path / "a")


def with_checkpoint(path):
    words = (*recipe_data.SMALL, *recipe_data.TWO_STEPS, *recipe_data.FEW_GLYPHS)
    table = recipes.load("gen1-glyphs", changes=words).to_table()
    table["teacher"] = {"checkpoint": str(path)}
    return recipes._reading.from_table(table, name="gen1-glyphs")


def test_a_teacher_may_be_a_checkpoint_of_the_network_that_the_recipe_says(tmp_path):
    path = tmp_path / "teacher.safetensors"
    options = {"num_classes": 2, "image_size": 32, "drop_rate": 0.0}
    skd.create_model("resnet12", widths=(8, 16, 24, 32), **options).save(path)
    (run,) = recipes.plan(with_checkpoint(path), tmp_path / "a")
    run.prepare()
    (tmp_path / "teacher").mkdir()
    path.rename(tmp_path / "teacher" / "model.safetensors")
    (run,) = recipes.plan(with_checkpoint(tmp_path / "teacher"), tmp_path / "a")  # of its run
    run.prepare()
    skd.create_model("resnet12", widths=(8, 8, 8, 8), **options).save(path)
    (run,) = recipes.plan(with_checkpoint(path), tmp_path / "a")
    with pytest.raises(ValueError, match=r"one whose widths is .*8, 16, 24, 32"):
        run.prepare()
    with pytest.raises(FileNotFoundError, match="There is no teacher"):
        recipes.plan(with_checkpoint(tmp_path / "none"), tmp_path / "a")


def test_what_does_not_fit_the_data_is_refused_before_anything_is_written(tmp_path):
    for word, message in (
        ("data.num_classes=142", "at most the number of classes, 141"),
        ("schedule.batch_size=9", "at most the number of images, 8"),
    ):
        with pytest.raises(ValueError, match=message):
            recipes.run(small("gen0-glyphs", word), tmp_path / "run")
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("evaluation.n_way=99", "evaluation.n_way' parameter of recipe 'gen1-glyphs'"),
        ("evaluation.n_query=1000", "evaluation.n_query' parameter of recipe 'gen1-glyphs'"),
        ("evaluation.n_shots=[1, 60]", "evaluation.n_query' .* n_shot . n_query = 62 images"),
        ("evaluation.n_episodes=2000000", "evaluation.n_episodes' parameter"),
        ("evaluation.n_support_copies=1001", "evaluation.n_support_copies' parameter"),
        ("schedule.batch_size=64", "schedule.batch_size' parameter of recipe 'gen1-glyphs'"),
        ("loss.beta=1e39", "loss.beta' parameter of recipe 'gen1-glyphs'"),
        ("optimizer.lr=1e39", "optimizer.lr' parameter of recipe 'gen1-glyphs'"),
    ],
)
def test_what_a_student_will_need_is_checked_before_its_teacher_trains(tmp_path, change, named):
    with pytest.raises(ValueError, match=named):
        recipes.run(small("gen1-glyphs", change), tmp_path / "gen1")
    assert not list(tmp_path.iterdir())


def test_a_recipe_changed_by_hand_is_checked_and_holds_plain_numbers(tmp_path):
    recipe = small("gen0-glyphs")
    numbers = dataclasses.replace(
        recipe,
        seed=np.int64(3),
        optimizer=dataclasses.replace(recipe.optimizer, lr=np.float32(0.25)),
        evaluation=dataclasses.replace(recipe.evaluation, n_shots=tuple(np.array([1]))),
    )
    recipes.run(numbers, tmp_path / "run")
    config = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert (config["seed"], config["optimizer"]["lr"]) == (3, 0.25)
    schedule = dataclasses.replace(recipe.schedule, epochs=np.int64(0))
    with pytest.raises(ValueError, match=r"'schedule\.epochs' parameter of recipe"):
        recipes.plan(dataclasses.replace(recipe, schedule=schedule), tmp_path / "other")


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_read(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(NotADirectoryError, match="'folder' parameter of plan"):
            recipes.run(small("gen0-glyphs"), folder)
    with monkeypatch.context() as patch:
        patch.setattr("os.access", lambda path, mode: False)
        with pytest.raises(PermissionError, match="read-only"):
            recipes.run(small("gen0-glyphs"), tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_own_pictures_and_trainval_are_trained_on(tmp_path):
    import data_files

    rng = np.random.default_rng(0)
    photos = tmp_path / "photos"
    photos.mkdir()
    labels = np.repeat(np.arange(10), 4)
    images = rng.integers(0, 256, (len(labels), 20, 20, 3), dtype=np.uint8)
    data_files.write_pictures(photos, images, labels)
    own = tmp_path / "own.toml"
    own.write_text(
        f"""stage = "supervised"
[data]
name = "folder"
root = "{photos}"
image_size = 16
split = "trainval"
[model]
architecture = "convnet4"
widths = [8, 8, 8, 8]
[schedule]
epochs = 1
batch_size = 4
[evaluation]
n_way = 2
n_shots = [1]
n_query = 2
n_episodes = 2
"""
    )
    results = recipes.run(own, tmp_path / "run")
    assert 0 <= results[1].mean <= 100
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["training"]["num_classes"] == 8


def test_the_estimate_counts_what_is_left_and_changes_nothing(tmp_path):
    recipe = small("gen0-glyphs", "schedule.epochs=3")
    with pytest.raises(KeyboardInterrupt):
        recipes.run(recipe, tmp_path / "run", callbacks=[Interrupting()])
    (run,) = recipes.plan(recipe, tmp_path / "run", resume=True)
    run.prepare()
    before = {name: array.copy() for name, array in run.trainer.model.state_dict().items()}
    expected = estimate(run)
    assert (expected.training.steps, expected.training.steps_done) == (6, 3)
    assert expected.seconds > expected.training.seconds > 0
    assert run.trainer.steps_taken == 0
    for name, array in run.trainer.model.state_dict().items():
        assert (array == before[name]).all(), name


def test_the_cost_is_operations_over_the_rate():
    recipe, counts = recipes.load("gen0-cifar-fs"), costs.COUNTS["cifar-fs"]
    # SPEC: 0.8 TFLOP a step of 64 x 4 images; 600 steps of 65 epochs.
    only_training = costs.Rates(training=1e12, forward=float("inf"))
    assert costs.hours(recipe, counts, only_training) == pytest.approx(
        0.8 * 600 * 65 / 3600, rel=0.02
    )
    quick = recipes.load("gen0-cifar-fs-mini")
    assert costs.training_images(quick, counts) == 6_400


def test_the_cost_counts_the_images_of_each_size_and_the_rotations_that_are_drawn():
    counts = costs.COUNTS["cifar-fs"]
    rates = costs.Rates(training=1e12, forward=float("inf"))
    plain = ["schedule.image_sizes=[32]", "schedule.resize_epochs=[]"]
    whole = recipes.load("gen0-cifar-fs-fast", changes=[*plain, "loss.rotations_per_image=4"])
    half = recipes.load("gen0-cifar-fs-fast", changes=plain)
    assert costs.hours(half, counts, rates) == pytest.approx(
        costs.hours(whole, counts, rates) / 2, rel=1e-6
    )
    small = recipes.load("gen0-cifar-fs-fast", changes=["schedule.resize_epochs=[45]"])
    grown = recipes.load("gen0-cifar-fs-fast")
    epochs = [18 / 45, 27 / 45]
    assert costs.hours(grown, counts, rates) == pytest.approx(
        epochs[0] * costs.hours(small, counts, rates) + epochs[1] * costs.hours(half, counts, rates)
    )


def test_the_cost_with_teachers_adds_all_of_them(monkeypatch):
    monkeypatch.setattr(costs, "measured_rates", lambda *given: costs.Rates(1e12, 1e12))
    own, whole = costs.cost(recipes.load("rfs-distill-fc100"))
    first, _ = costs.cost(recipes.load("rfs-distill-fc100", changes=["teacher.generations=1"]))
    simple, alone = costs.cost(recipes.load("rfs-simple-fc100"))
    assert simple == alone
    assert whole == pytest.approx(own + first + simple)
    assert costs.cost(recipes.load("gen0-fc100", changes=["model.use_se=true"])) is None
