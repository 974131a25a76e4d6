"""``skd train``, ``quickstart``, ``recipes`` and ``info``: what they print, leave, and end with."""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import data_files
import event_files
import internals
import numpy as np
import pytest
import recipe_data
from typer.testing import CliRunner

import skd
from skd.cli.application import application
from skd.errors import NonFiniteLossError
from skd.recipes import Run, costs, load, names

QUICK = ("model.architecture=convnet4", "model.widths=[8, 8, 8, 8]")


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that runs a command in this process and in a folder of its own."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    threads = skd.get_num_threads()
    yield lambda *arguments: CliRunner().invoke(application, list(map(str, arguments)))
    skd.set_num_threads(threads)


def setting(name, *words):
    """Return the options that make a recipe of glyphs run for two steps."""
    changes = [*recipe_data.changes(load(name)), *QUICK, *words]
    return [word for change in changes for word in ("--set", change)]


def test_train_tells_which_pictures_it_left_out(run):
    data_files.write_pictures(Path.cwd(), *pictures_of(10))
    for name in ("class000/0001.png", "class004/0017.png"):
        Path(name).write_bytes(Path(name).read_bytes()[:60])
    Path("own.toml").write_text(
        'stage = "supervised"\n[data]\nname = "folder"\nroot = "."\nimage_size = 16\n'
        '[model]\narchitecture = "convnet4"\nwidths = [8, 8, 8, 8]\n'
        "[schedule]\nepochs = 1\nbatch_size = 4\n"
        "[evaluation]\nn_way = 2\nn_shots = [1]\nn_query = 2\nn_episodes = 2\n"
    )
    result = run("train", "own.toml", "--output", ".run")
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("left out")]
    assert "2 files" in line
    assert ".run/unreadable.txt" in line
    listed = Path(".run/unreadable.txt").read_text().splitlines()
    assert sorted(entry.split(":")[0] for entry in listed) == [
        "class000/0001.png",
        "class004/0017.png",
    ]
    report = json.loads(Path(".run/report.json").read_text())
    assert report["training"]["n_unreadable"] == 2


def pictures_of(num_classes):
    labels = np.repeat(np.arange(num_classes), 4)
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 20, 20, 3), dtype=np.uint8)
    return images, labels


def test_train_prints_the_recipe_the_estimate_and_the_result_and_leaves_a_folder(run):
    result = run("train", "gen0-glyphs", *setting("gen0-glyphs"))
    assert result.exit_code == 0, result.output
    assert result.stderr == ""  # no bar where there is no terminal
    lines = result.stdout.splitlines()
    assert lines[0] == "SKD Gen-0 on glyphs, in minutes: runs/gen0-glyphs"
    for entry in ("schedule.epochs", "loss.alpha", "model.widths", "evaluation.n_query"):
        assert any(line.split()[0] == entry for line in lines if line), entry
    (estimate,) = [line for line in lines if line.startswith("estimate")]
    assert "training" in estimate
    assert "2 steps of" in estimate
    assert any(line.startswith("memory") and "MB" in line for line in lines)
    report = skd.EvaluationResult.load("runs/gen0-glyphs/evaluations/1-shot.json")
    expected = "(expected 86.56 ± 0.70, benchmarks/results/method.md, seed 0)"
    assert f"gen0-glyphs, 5-way 1-shot, test: {report}  {expected}" in lines
    assert event_files.scalars(Path("runs/gen0-glyphs/tensorboard"))["epoch/total"].keys() == {2}
    config = tomllib.loads(Path("runs/gen0-glyphs/config.toml").read_text())
    assert config["schedule"]["batch_size"] == 4


def test_train_trains_the_teacher_first_and_says_so(run):
    result = run("train", "gen1-glyphs", *setting("gen1-glyphs"), "--output", "here/student")
    assert result.exit_code == 0, result.output
    teacher = result.stdout.index("SKD Gen-0 on glyphs, in minutes (the teacher): here/gen0-glyphs")
    assert teacher < result.stdout.index("SKD Gen-1 on glyphs, in minutes: here/student")
    again = run("train", "gen1-glyphs", *setting("gen1-glyphs"), "--output", "here/other")
    assert "the teacher" not in again.stdout
    first, second = (Path("here", name, "model.safetensors") for name in ("student", "other"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("gen0-cifarfs",), "did you mean 'gen0-cifar-fs'?"),
        (("gen0-glyphs", "--set", "schedule.epoch=1"), "did you mean 'schedule.epochs'?"),
        (("gen0-glyphs", "--set", "schedule.epochs=0"), "at least 1; got 0"),
        (("gen0-glyphs", "--set", "schedule.epochs"), "'TABLE.KEY=VALUE'"),
        (("gen0-cifar-fs",), "There is no 'data/cifar-fs'"),
        (("gen0-glyphs", "--set", "data.num_classes=200"), "at most the number of classes"),
        (("none.toml",), "There is no recipe 'none.toml'"),
    ],
)
def test_bad_input_ends_with_status_2_and_one_line(run, words, message):
    result = run("train", *words)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("skd train: ")
    assert message in line
    assert not Path("runs").exists()


def test_a_folder_with_a_run_is_not_overwritten(run):
    assert run("train", "gen0-glyphs", *setting("gen0-glyphs")).exit_code == 0
    before = Path("runs/gen0-glyphs/report.json").stat().st_mtime_ns
    result = run("train", "gen0-glyphs", *setting("gen0-glyphs"))
    assert result.exit_code == 2
    assert (
        "--output must be a new folder, unless --resume is given; got 'runs/gen0-" in result.stderr
    )
    assert Path("runs/gen0-glyphs/report.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "error", [NonFiniteLossError("the loss is nan"), OSError(28, "full"), MemoryError()]
)
def test_a_failure_of_the_run_ends_with_status_1_and_one_line(run, monkeypatch, error):
    def fail(self, callbacks, **options):
        raise error

    monkeypatch.setattr(Run, "train", fail)
    result = run("train", "gen0-glyphs", *setting("gen0-glyphs"))
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("skd train: ")


def test_ctrl_c_ends_with_status_130_and_the_command_that_goes_on_to_the_same_bits(
    run, monkeypatch
):
    words = setting("gen0-glyphs", "schedule.epochs=3")
    assert run("train", "gen0-glyphs", *words, "--output", "whole").exit_code == 0
    original = skd.Gen0.step

    def step(self, x, labels, **options):
        if self.steps_taken == 2 and self.model.normalization and not stopped:
            stopped.append(True)
            signal.raise_signal(signal.SIGINT)
        return original(self, x, labels, **options)

    stopped = []
    # The estimate takes steps too, which are not those to interrupt.
    internals.skip_estimate(monkeypatch)
    monkeypatch.setattr(skd.Gen0, "step", step)
    result = run("train", "gen0-glyphs", *words, "--output", "parts")
    assert result.exit_code == 130
    (line,) = result.stderr.splitlines()
    assert line.startswith(
        "skd train: interrupted. To resume: skd train gen0-glyphs --resume --set"
    )
    assert line.endswith("--output parts")
    again = run("train", "gen0-glyphs", *words, "--output", "parts", "--resume")
    assert again.exit_code == 0, again.output
    for name in ("model.safetensors", "report.json"):
        assert Path("parts", name).read_bytes() == Path("whole", name).read_bytes()


def test_a_process_of_its_own_is_quiet_ends_with_130_and_resumes(tmp_path):
    words = setting("gen0-glyphs", "schedule.epochs=400", "schedule.val_every=400")
    command = [sys.executable, "-m", "skd.cli", "train", "gen0-glyphs", *words]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while not process.stdout.readline().startswith("memory"):
            assert process.poll() is None
        history = tmp_path / "runs" / "gen0-glyphs" / "history.csv"
        while not history.exists():
            assert process.poll() is None
        os.kill(process.pid, signal.SIGINT)
        _, stderr = process.communicate()
    assert process.returncode == 130, stderr
    *epochs, _ = stderr.splitlines()
    assert all(line.startswith("Gen0") for line in epochs)
    done = history.read_text().count("\n") - 1
    assert 1 <= done < 400
    words = setting("gen0-glyphs", f"schedule.epochs={done + 1}", "schedule.val_every=400")
    command[-len(words) :] = words
    resumed = subprocess.run(
        [*command, "--resume"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert "of them done" in resumed.stdout
    assert history.read_text().count("\n") - 1 == done + 1


def test_quickstart_compares_the_methods_and_says_what_to_do_next(run):
    result = run("quickstart", *setting("gen0-glyphs"), "--threads", "1")
    assert result.exit_code == 0, result.output
    for name in ("rfs-simple", "gen0", "gen1"):
        folder = Path("runs/quickstart", f"{name}-glyphs-quick")
        assert {"model.safetensors", "report.json", "history.csv"} <= set(os.listdir(folder))
        assert (folder / "plots" / "training.png").exists()
    assert {"embedding.png", "episode.png"} <= set(os.listdir("runs/quickstart"))
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines if "±" in line] == ["RFS-simple", "Gen-0", "Gen-1"]
    (command,) = [line for line in lines if line.startswith("Score a model")]
    words = command.split("skd evaluate ")[1].split()
    options = ("--episodes", "2", "--n-query", "2", "--n-support-copies", "1")
    assert run("evaluate", *words, *options).exit_code == 0
    assert run("quickstart", *setting("gen0-glyphs")).exit_code == 0  # it goes on


def test_trackers_are_told_where_the_user_asks_for_it(run, monkeypatch):
    told = []

    def remember(name):
        class Tracker(skd.callbacks.Callback):
            def __init__(self, project, **options):
                told.append((name, project, options["config"]["stage"]))

        return Tracker

    internals.replace_trackers(
        monkeypatch, WeightsAndBiases=remember("wandb"), MLflow=remember("mlflow")
    )
    words = (*setting("gen0-glyphs"), "--wandb", "p", "--mlflow", "e")
    assert run("train", "gen0-glyphs", *words).exit_code == 0
    assert told == [("wandb", "p", "gen0"), ("mlflow", "e", "gen0")]


def test_without_tensorboardx_a_line_says_what_is_missing(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    result = run("train", "gen0-glyphs", *setting("gen0-glyphs"))
    assert result.exit_code == 0, result.output
    assert "pip install tensorboardX" in result.stderr
    assert not Path("runs/gen0-glyphs/tensorboard").exists()


def test_recipes_list_prints_the_papers_table_with_times(run, monkeypatch):
    rates = costs.Rates(training=1e12, forward=1e12)
    monkeypatch.setattr(costs, "measured_rates", lambda side, widths: rates)
    monkeypatch.setenv("COLUMNS", "80")
    result = run("recipes", "list", "--time")
    assert result.exit_code == 0, result.output
    assert "…" not in result.stdout  # nothing is cut off
    for name in names():
        assert f"{name} " in result.stdout
    (row,) = [line for line in result.stdout.splitlines() if line.startswith("gen1-mini-imagenet ")]
    assert "67.04 ± 0.85" in row
    assert "83.54 ± 0.54" in row
    assert row.split().count("h") == 2
    assert "the operations of the convolutions" in " ".join(result.stdout.split())


def test_recipes_list_measures_nothing_unless_asked(run, monkeypatch):
    monkeypatch.setattr(costs, "measured_rates", lambda *arguments: pytest.fail("measured"))
    monkeypatch.setenv("COLUMNS", "80")
    result = run("recipes", "list")
    assert result.exit_code == 0, result.output
    assert "…" not in result.stdout  # nothing is cut off
    assert all(f"{name} " in result.stdout for name in names())
    assert "in all" not in result.stdout
    assert "'skd recipes list --time' estimates" in " ".join(result.stdout.split())
    assert "Accuracy:" not in run("recipes", "list", "--quiet").stdout


def test_recipes_list_answers_within_two_seconds():
    command = [sys.executable, "-m", "skd", "recipes", "list"]
    before = os.times().children_user
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert os.times().children_user - before < 2


def test_the_rates_are_measured_on_this_machine():
    rates = costs.measured_rates.__wrapped__(32, (8, 8, 8, 8))
    assert rates.training > 0
    assert rates.forward > 0


def test_a_quiet_training_prints_the_result_alone(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    result = run("train", "gen0-glyphs", *setting("gen0-glyphs"), "--quiet")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    (line,) = result.stdout.splitlines()
    assert re.match(r"gen0-glyphs, \d-way 1-shot, \w+: \d", line)


def test_recipes_show_prints_a_file_that_can_be_changed(run, tmp_path):
    result = run("recipes", "show", "gen1-fc100-mini", "--set", "seed=3")
    assert result.exit_code == 0
    path = tmp_path / "mine.toml"
    path.write_text(result.stdout)
    assert load(path) == load("gen1-fc100-mini", changes=["seed=3"])
    assert run("recipes", "show", "none").exit_code == 2


def test_info_prints_versions_threads_and_the_instruction_set(run):
    result = run("info")
    assert result.exit_code == 0
    rows = dict(re.split("  +", line, maxsplit=1) for line in result.stdout.splitlines())
    assert rows["skd"] == skd.__version__
    assert skd.instruction_set() in result.stdout
    assert rows["threads"].startswith(str(skd.get_num_threads()))
    assert {"numpy", "safetensors", "tensorboardX", "memory", "commit"} <= rows.keys()
    assert Path(rows["library"]).name == "libSKD.so"
    assert Path(rows["library"]).is_file()
    assert rows["processor"] in Path("/proc/cpuinfo").read_text()
    assert rows["weights"] == (", ".join(skd.list_pretrained()) or "none")
