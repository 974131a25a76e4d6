"""The command in several processes of MPI: they compute together, and the first one speaks."""

import csv
import json

import pytest
import recipe_data
from mpi_launch import launch

import skd
from skd.recipes import load

RECIPE = "gen1-glyphs"


def words():
    """Return the options that make the recipe and its teacher run for two steps."""
    changes = [*recipe_data.changes(load(RECIPE)), "model.architecture=convnet4"]
    changes += ["model.widths=[8, 8, 8, 8]"]
    return [word for change in changes for word in ("--set", change)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return what two ranks print, and the folder that they leave."""
    folder = tmp_path_factory.mktemp("trained")
    return launch(2, "-m", "skd.cli", "train", RECIPE, *words(), cwd=folder), folder


def test_ranks_train_student_and_teacher_and_leave_one_whole_folder_of_each(trained):
    done, folder = trained
    assert done.returncode == 0, done.stderr
    for name, epochs in ((RECIPE, 1), ("gen0-glyphs", 1)):
        run = folder / "runs" / name
        with (run / "history.csv").open() as file:
            assert len(list(csv.DictReader(file))) == epochs
        report = json.loads((run / "report.json").read_text())
        assert report["training"]["steps"] == 2
        assert (run / "evaluations" / "1-shot.json").is_file()
        assert not list((run / "checkpoints").glob("*.tmp"))
        skd.load_model(run / "model.safetensors")


def test_only_the_first_rank_prints(trained):
    done, _ = trained
    lines = done.stdout.splitlines()
    assert len([line for line in lines if line.startswith("estimate")]) == 2  # teacher, student
    assert "threads in each of 2 processes" in done.stdout
    assert len([line for line in lines if line.startswith("Model, report and history")]) == 2


def test_ranks_evaluate_to_the_bits_of_one_process(trained):
    _, folder = trained
    model = folder / "runs" / RECIPE / "model.safetensors"
    options = ["--data", "glyphs", "--episodes", "6", "--n-query", "2", "--n-support-copies", "1"]
    means = []
    for ranks in (1, 2):
        report = folder / f"{ranks}.json"
        command = ["-m", "skd.cli", "evaluate", model, *options, "--json", report]
        done = launch(ranks, *command)
        assert done.returncode == 0, done.stderr
        assert len([x for x in done.stdout.splitlines() if x.startswith("accuracy")]) == 1
        means.append(skd.EvaluationResult.load(report).accuracies.tolist())
    assert means[0] == means[1]


def test_a_run_of_ranks_is_refused_once_and_ends_with_the_status_of_bad_input(trained):
    _, folder = trained
    for arguments in (("train", RECIPE, *words()), ("train", "no-such-recipe")):
        done = launch(2, "-m", "skd.cli", *arguments, cwd=folder)
        assert done.returncode == 2, done.stderr
        assert len([x for x in done.stderr.splitlines() if x.startswith("skd train: ")]) == 1


def test_a_batch_smaller_than_the_ranks_is_named_by_its_entry(tmp_path):
    small = [*words(), "--set", "schedule.batch_size=2"]
    done = launch(3, "-m", "skd.cli", "train", RECIPE, *small, cwd=tmp_path)
    assert done.returncode == 2
    assert "'schedule.batch_size' parameter of recipe 'gen1-glyphs' must be" in done.stderr
    assert "the number of ranks, 3" in done.stderr
    assert not (tmp_path / "runs").exists()
