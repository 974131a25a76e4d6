"""``skd evaluate`` reports what `skd.evaluate` computes, and refuses wrong input in one line."""

import subprocess
import sys

import data_files
import numpy as np
import pytest
from typer.testing import CliRunner

import skd
from skd.cli.application import application

OPTIONS = ("--n-way", "3", "--n-query", "5", "--episodes", "12")


@pytest.fixture
def data(monkeypatch, make_split):
    """Return a few images of two splits, which take the place of the glyphs."""
    val, test = make_split(num_classes=4, per_class=8), make_split(num_classes=3)
    few = skd.datasets.FewShotData(make_split(), val, test)
    monkeypatch.setattr(skd.datasets, "load", lambda name, root=None: few)
    return few


@pytest.fixture
def checkpoint(make_model, tmp_path):
    path = tmp_path / "model.safetensors"
    make_model().save(path)
    return path


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs the command in this process, on a terminal of 120 columns."""
    monkeypatch.setenv("COLUMNS", "120")
    threads = skd.get_num_threads()

    def invoke(*arguments):
        return CliRunner().invoke(application, ["evaluate", *map(str, arguments)])

    yield invoke
    skd.set_num_threads(threads)


@pytest.fixture
def refused(run):
    """Return a function that runs the command and returns the line with which it refuses."""

    def refusal(*arguments):
        result = run(*arguments)
        assert result.exit_code == 2
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        return line

    return refusal


def test_the_report_is_that_of_the_package(run, data, checkpoint, tmp_path):
    path = tmp_path / "report.json"
    result = run(checkpoint, "--data", "glyphs", *OPTIONS, "--json", path, "--verbose")
    assert result.exit_code == 0, result.output
    names = {"data_name": "glyphs", "split_name": "val"}
    model = skd.load_model(checkpoint)
    expected = skd.evaluate(model, data.val, n_way=3, n_query=5, n_episodes=12, **names)
    assert path.read_text() == expected.to_json()
    assert str(expected) in result.stdout.splitlines()[0]
    assert "mean and ci95 of 12 episodes" in result.stdout
    for value in ("crop_flip", expected.provenance["model"]["sha256"], skd.__version__):
        assert value in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("name", ["simple_shot", "alpha_tim", "pt_map"])
def test_transductive_heads_score_images_with_augmented_copies(run, data, checkpoint, name):
    result = run(checkpoint, "--data", "glyphs", *OPTIONS, "--classifier", name)
    assert result.exit_code == 0, result.output
    model = skd.load_model(checkpoint)
    expected = skd.evaluate(model, data.val, n_way=3, n_query=5, n_episodes=12, classifier=name)
    assert expected.options["n_support_copies"] == 5
    assert str(expected) in result.stdout.splitlines()[0]


def test_the_answer_comes_first_and_takes_five_lines(run, data, checkpoint):
    result = run(checkpoint, "--data", "glyphs", *OPTIONS)
    answer, task, method, model, of_data = result.stdout.splitlines()
    assert answer.startswith("accuracy  ")
    assert "mean and ci95 of 12 episodes" in answer
    assert task == "task      3-way 1-shot, 5 queries of each class, seed 0"
    assert method == "method    logistic on embedding, 5 copies of each support image (crop_flip)"
    assert model.startswith("model     resnet12, 16 px, sha256 ")
    assert of_data == (
        f"data      glyphs val, 32 images of 4 classes, sha256 {data.val.sha256[:12]}"
    )
    quiet = run(checkpoint, "--data", "glyphs", *OPTIONS, "--quiet")
    assert quiet.stdout.splitlines() == [answer]
    plain = run(checkpoint, "--data", "glyphs", *OPTIONS, "--support-augmentation", "none")
    assert "1 copy of each support image" in plain.stdout


def test_the_folder_of_a_run_is_a_checkpoint(run, refused, data, checkpoint, tmp_path):
    answers = [run(path, "--data", "glyphs", *OPTIONS).stdout for path in (checkpoint, tmp_path)]
    assert answers[0] == answers[1] != ""
    (tmp_path / "unfinished").mkdir()
    line = refused(tmp_path / "unfinished", "--data", "glyphs")
    assert "CHECKPOINT must be a checkpoint, or the folder of a finished run" in line
    assert "unfinished' without it." in line


def test_every_option_reaches_the_report(run, data, checkpoint, tmp_path):
    path, episodes = tmp_path / "report.json", tmp_path / "episodes.safetensors"
    given = {
        "n_way": 2,
        "n_shot": 2,
        "n_query": 3,
        "classifier": "nearest_centroid",
        "features": "logits",
        "support_augmentation": "full",
        "n_support_copies": 3,
        "seed": 7,
    }
    words = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    words += ["--episodes=4", "--no-flip", "--legacy-episodes", "--split=test", "--threads=1"]
    result = run(checkpoint, "--data=glyphs", *words, "--json", path, "--episodes-file", episodes)
    assert result.exit_code == 0, result.output
    report = skd.EvaluationResult.load(path)
    assert report.options.items() >= {**given, "flip": False, "legacy_episodes": True}.items()
    assert report.options["n_episodes"] == 4
    assert report.provenance["data"]["split"] == "test"
    assert report.provenance["data"]["num_classes"] == data.test.num_classes
    assert report.provenance["episodes"]["file"] == episodes.name


def test_two_models_meet_the_episodes_of_one_file(run, data, checkpoint, make_model, tmp_path):
    other, episodes = tmp_path / "other.safetensors", tmp_path / "episodes.safetensors"
    make_model(seed=1).save(other)
    reports = []
    for model in (checkpoint, other):
        path = model.with_suffix(".json")
        words = (*OPTIONS, "--episodes-file", episodes, "--json", path)
        assert run(model, "--data", "glyphs", *words).exit_code == 0
        reports.append(skd.EvaluationResult.load(path))
    hashes = [report.provenance["model"]["sha256"] for report in reports]
    assert hashes[0] != hashes[1]
    mean, _ = reports[0].difference(reports[1])
    assert mean == pytest.approx(reports[0].mean - reports[1].mean)


def test_a_wrong_option_is_named_as_the_command_calls_it(refused, data, checkpoint):
    cases = {
        ("--n-way", "9"): "--n-way must be at most the number of classes, 4; got 9.",
        ("--n-way", "0"): "--n-way must be at least 2; got 0.",
        ("--n-shot", "-1"): "--n-shot must be at least 1; got -1.",
        ("--n-query", "8"): "class '0' has 8 (3 more have too few).",
        ("--n-query", str(2**70)): "--n-query must be at least 1; got",
        ("--episodes", "0"): "--episodes must be in 1..1000000; got 0.",
        ("--episodes", str(10**12)): "--episodes must be in 1..1000000",
        ("--classifier", "svm"): "--classifier must be one of 'logistic'",
        ("--features", ""): "--features must be one of 'embedding', 'logits'; got ''.",
        ("--support-augmentation", "blur"): "--support-augmentation must be one of",
        ("--n-support-copies", "0"): "--n-support-copies must be in 1..1000; got 0.",
        ("--seed", "-1"): "--seed must be in 0..2**64 - 1; got -1.",
    }
    for words, expected in cases.items():
        line = refused(checkpoint, "--data", "glyphs", *OPTIONS, *words)
        assert line.startswith("skd evaluate: ")
        assert expected in line


@pytest.mark.parametrize(
    "words",
    [
        ("--threads", "0"),
        ("--threads", "257"),
        ("--threads", "two"),
        ("--split", "train"),
        ("--n-way", "5.0"),
        ("--seed", "nan"),
        ("--std",),
        ("more",),
    ],
)
def test_a_word_that_is_no_value_of_its_option_has_status_2(run, data, checkpoint, words):
    result = run(checkpoint, "--data", "glyphs", *words)
    assert result.exit_code == 2
    assert words[0] in result.stderr
    assert "Traceback" not in result.output


def test_the_data_must_be_named(run, checkpoint):
    result = run(checkpoint)
    assert result.exit_code == 2
    assert "--data" in result.stderr


@pytest.mark.parametrize("name", ["", "mnist", "../glyphs", "glyphs\0", "\n", "é" * 500])
def test_unknown_data_is_refused(refused, checkpoint, name):
    assert "--data must be" in refused(checkpoint, "--data", name)


def test_images_of_another_size_or_other_channels_are_refused(refused, data, make_model, tmp_path):
    path = tmp_path / "other.safetensors"
    for option, shape in (({"image_size": 32}, "32, 32, 3"), ({"input_channels": 1}, "16, 16, 1")):
        make_model(**option).save(path)
        line = refused(path, "--data", "glyphs", *OPTIONS)
        assert f"--data must be of shape (n, {shape}); got shape (32, 16, 16, 3)." in line


@pytest.mark.parametrize("content", [b"", b"<!doctype html>", b"\x80\x04.", b"\xff" * 64])
def test_a_checkpoint_that_is_none_is_refused(refused, tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert "CHECKPOINT must be a whole safetensors file" in refused(path, "--data", "glyphs")


def test_a_damaged_checkpoint_is_refused(refused, data, checkpoint):
    content = checkpoint.read_bytes()
    for length in (7, len(content) // 2, len(content) - 1):
        checkpoint.write_bytes(content[:length])
        assert "CHECKPOINT must be" in refused(checkpoint, "--data", "glyphs")


def test_a_missing_checkpoint_and_a_folder_are_refused(refused, tmp_path):
    assert "no checkpoint" in refused(tmp_path / "none", "--data", "glyphs")
    assert "without it" in refused(tmp_path, "--data", "glyphs")


def test_an_output_that_cannot_be_written_is_refused_first(refused, tmp_path):
    missing = tmp_path / "missing"
    for path, reason in (
        (tmp_path, "--json must be the name of a file"),
        (missing / "x", "folder"),
    ):
        assert reason in refused(missing, "--data", "glyphs", "--json", path)


def test_episodes_of_other_data_are_refused_and_nothing_is_written(
    run, refused, data, checkpoint, tmp_path
):
    episodes, report = tmp_path / "episodes.safetensors", tmp_path / "report.json"
    assert run(checkpoint, "--data=glyphs", *OPTIONS, "--episodes-file", episodes).exit_code == 0
    content = episodes.read_bytes()
    words = (*OPTIONS, "--split", "test", "--episodes-file", episodes, "--json", report)
    assert "labels of SHA-256" in refused(checkpoint, "--data", "glyphs", *words)
    assert episodes.read_bytes() == content
    assert not report.exists()


def test_a_failure_is_one_line_whatever_the_error_says(run, data, monkeypatch, checkpoint):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(skd, "evaluate", fail)
    for error in (OSError("disk\nfull"), MemoryError(), skd.SKDError("of ours")):
        result = run(checkpoint, "--data", "glyphs")
        expected = " ".join(str(error).split()) or "there is not enough memory."
        assert result.stderr.splitlines() == [f"skd evaluate: {expected}"]
        assert result.exit_code == 1


def test_the_command_is_quiet_and_needs_no_traceback_in_a_process_of_its_own(tmp_path):
    path = tmp_path / "model.safetensors"
    model = skd.create_model("convnet4", num_classes=2, image_size=32, widths=(8, 8, 8, 8))
    model.save(path)
    command = [sys.executable, "-m", "skd.cli", "evaluate", str(path), "--data", "glyphs"]
    words = ["--episodes", "2", "--n-way", "2", "--n-query", "2", "--n-support-copies", "1"]
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert np.isfinite(float(done.stdout.split()[1]))
    refused = subprocess.run(
        [*command, "--n-way", "99"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1


def test_an_imported_folder_is_data(run, tmp_path):
    rng = np.random.default_rng(0)
    source = tmp_path / "source"
    source.mkdir()
    for part in ("train", "val", "test"):
        labels = np.repeat(np.arange(5), 4)
        images = rng.integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8)
        np.savez(source / f"{part}.npz", images=images, labels=labels)
    folder = tmp_path / "imported"
    skd.datasets.import_data(source, name="cifar-fs", to=folder)
    model = skd.create_model("convnet4", num_classes=5, image_size=32, widths=(8, 8, 8, 8))
    model.save(tmp_path / "model.safetensors")
    words = ("--episodes", "2", "--n-query", "3", "--support-augmentation", "none")
    result = run(tmp_path / "model.safetensors", "--data", folder, *words)
    assert result.exit_code == 0, result.output
    refused = run(tmp_path / "model.safetensors", "--data", source, *words)
    assert refused.exit_code == 2
    assert "train/meta.json" in refused.output


def test_a_folder_of_pictures_is_data_split_as_in_training(run, refused, checkpoint, tmp_path):
    rng = np.random.default_rng(0)
    photos, report = tmp_path / "photos", tmp_path / "report.json"
    photos.mkdir()
    labels = np.repeat(np.arange(10), 6)
    images = rng.integers(0, 256, (len(labels), 20, 20, 3), dtype=np.uint8)
    data_files.write_pictures(photos, images, labels)
    (photos / "class003" / "broken.png").write_bytes(b"none")
    expected = skd.datasets.from_folder(photos, image_size=16).test.sha256
    words = ("--n-way", 2, "--n-query", 3, "--episodes", 4, "--split", "test", "--json", report)
    for data in (("--data", photos), ("--data", "folder", "--root", photos)):
        result = run(checkpoint, *data, *words)
        assert result.exit_code == 0, result.output
        found = skd.EvaluationResult.load(report)
        assert found.provenance["data"]["sha256"] == expected
        assert f"1 file left out; 'skd data info {photos}'" in result.stderr
        assert "broken.png" in run(checkpoint, *data, *words, "--verbose").stdout
        assert run(checkpoint, *data, *words, "--quiet").stderr == ""
    for data, reason in (
        (("--data", "folder"), "--root must be given with --data folder; got nothing."),
        (("--data", photos, "--root", photos), "--root must be left out where --data is a folder"),
        (("--data", photos / "none"), "or a folder of pictures with a folder for each class; got"),
        (
            ("--data", photos / "class001"),
            "It is not an imported data set either: it has no train/meta.json",
        ),
    ):
        assert reason in refused(checkpoint, *data, *words)
