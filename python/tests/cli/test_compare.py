"""``skd compare`` scores models on the same episodes and reports the paired differences."""

import json

import pytest

import skd

OPTIONS = ("--data", "glyphs", "--n-way", 3, "--n-query", 5)


@pytest.fixture
def data(monkeypatch, make_split):
    """Return a few images of three splits, which take the place of the glyphs."""
    few = skd.datasets.FewShotData(make_split(), make_split(num_classes=4), make_split())
    monkeypatch.setattr(skd.datasets, "load", lambda name, root=None: few)
    return few


@pytest.fixture
def checkpoints(make_model, tmp_path):
    """Return the files of two models and the folder of a run."""
    (tmp_path / "run").mkdir()
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for seed, path in enumerate([*paths, tmp_path / "run" / "model.safetensors"]):
        make_model(seed=seed).save(path)
    return [*paths, tmp_path / "run"]


def test_accuracies_and_differences_are_those_of_the_package(run, data, checkpoints, tmp_path):
    report = tmp_path / "report.json"
    result = run("compare", *checkpoints, *OPTIONS, "--episodes", 12, "--json", report)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    options = {"n_way": 3, "n_query": 5, "n_episodes": 12}
    expected = [
        skd.evaluate(
            skd.load_model(path), data.val, data_name="glyphs", split_name="val", **options
        )
        for path in checkpoints
    ]
    head, *lines = result.stdout.splitlines()
    assert head == "3-way 1-shot, 5 queries of each class, 12 episodes of glyphs val"
    for number, (path, found) in enumerate(zip(checkpoints, expected, strict=True), start=1):
        assert lines[number - 1] == f"{number}  {found}  {path}"
    assert lines[3] == "Paired differences, mean and ci95:"
    content = json.loads(report.read_text())
    assert [model["name"] for model in content["models"]] == list(map(str, checkpoints))
    for line, entry, (earlier, later) in zip(
        lines[4:], content["differences"], ((0, 1), (0, 2), (1, 2)), strict=True
    ):
        mean, ci95 = expected[later].difference(expected[earlier])
        assert line.startswith(f"{later + 1} - {earlier + 1}  {mean:+.2f} ± {ci95:.2f} %  ")
        separated = abs(mean) > ci95
        assert ("is better" in line) == separated
        assert entry == {
            "model": str(checkpoints[later]),
            "minus": str(checkpoints[earlier]),
            "mean": mean,
            "ci95": ci95,
        }
    assert content["models"][0]["accuracies"] == expected[0].accuracies.tolist()


def test_a_model_does_not_differ_from_itself(run, data, checkpoints):
    result = run("compare", checkpoints[0], checkpoints[0], *OPTIONS, "--episodes", 12, "-q")
    assert "2 - 1  +0.00 ± 0.00 %  these episodes do not separate them" in result.stdout


def test_one_episode_has_no_interval(run, data, checkpoints):
    result = run("compare", *checkpoints[:2], *OPTIONS, "--episodes", 1)
    assert "% (no interval from 1 episode)  these episodes do not separate them" in result.stdout


@pytest.mark.parametrize(
    ("count", "words", "reason"),
    [
        (1, (), "CHECKPOINT must be at least two models; got 1."),
        (2, ("--split", "train"), "--split must be one of 'val', 'test'; got 'train'."),
        (2, ("--n-way", "9"), "--n-way must be at most the number of classes, 4; got 9."),
        (1, ("--pretrained", "none"), "--pretrained must be one of "),
    ],
)
def test_wrong_input_ends_in_one_line(run, one_line, data, checkpoints, count, words, reason):
    line = one_line(run("compare", *checkpoints[:count], *OPTIONS, *words), 2)
    assert line.startswith(f"skd compare: {reason}")
