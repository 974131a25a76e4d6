"""``skd compare`` of several data sets and classifiers."""

import json
import sys

import pytest

import skd

OPTIONS = ("--n-way", 3, "--n-query", 5, "--episodes", 8)
DATA = ("--data", "glyphs", "--data", "cifar-fs")


@pytest.fixture
def files(monkeypatch, make_split, make_model, tmp_path):
    """Return two checkpoints; two small sets take the place of the data."""
    few = {name: make_split(num_classes=count) for name, count in (("glyphs", 4), ("cifar-fs", 3))}
    monkeypatch.setattr(
        skd.datasets,
        "load",
        lambda name, root=None: skd.datasets.FewShotData(few[name], few[name], few[name]),
    )
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for seed, path in enumerate(paths):
        make_model(seed=seed).save(path)
    return paths


def test_a_matrix_is_printed_and_written(run, files, tmp_path):
    outputs = {name: tmp_path / f"out.{name}" for name in ("json", "md", "png")}
    heads = ("--classifier", "ridge", "nearest_centroid")
    result = run(
        "compare", *files, *DATA, *heads, *OPTIONS, "--json", outputs["json"],
        "--markdown", outputs["md"], "--plot", outputs["png"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    content = json.loads(outputs["json"].read_text())
    assert content["data"] == ["glyphs", "cifar-fs"]
    assert content["models"] == list(map(str, files))
    assert content["heads"] == ["ridge", "nearest_centroid"]
    alone = skd.evaluate(
        skd.load_model(files[1]),
        skd.datasets.load("cifar-fs").val,
        n_way=3,
        n_query=5,
        n_episodes=8,
        classifier="ridge",
    )
    (cell,) = (
        cell
        for cell in content["cells"]
        if (cell["data"], cell["model"], cell["head"]) == ("cifar-fs", str(files[1]), "ridge")
    )
    assert cell["report"]["accuracies"] == alone.accuracies.tolist()
    assert str(alone) in result.stdout
    assert str(alone) in outputs["md"].read_text()
    assert outputs["png"].read_bytes().startswith(b"\x89PNG")


def test_one_model_on_several_data_sets_is_a_cross_domain_evaluation(run, files):
    result = run("compare", files[0], *DATA, *OPTIONS)
    assert result.exit_code == 0, result.output
    assert "Paired differences" not in result.stdout
    result = run("compare", files[0], files[0], *DATA, *OPTIONS)
    assert f"{files[0]} (2)" in result.stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--legacy-episodes",), "--legacy-episodes must be left out of a matrix"),
        (("--episodes-file", "e"), "--episodes-file must be left out of a matrix"),
        (("--plot", "a.txt"), "--plot must be a file that ends in .png, .svg, .pdf"),
        (("--classifier", "nothing"), "--classifier must be "),
        (("--markdown", "."), "--markdown must be the name of a file"),
    ],
)
def test_wrong_input_ends_in_one_line(run, one_line, files, words, reason):
    assert one_line(run("compare", *files, *DATA, *OPTIONS, *words), 2).startswith(
        f"skd compare: {reason}"
    )


def test_a_missing_matplotlib_is_named_first(run, one_line, files, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    line = one_line(run("compare", *files, *DATA, *OPTIONS, "--plot", "a.png"), 1)
    assert "pip install matplotlib" in line


def test_a_word_after_a_name_is_another_name_or_a_checkpoint(run, files):
    result = run("compare", *OPTIONS, "--data", "glyphs", "cifar-fs", *files)
    assert result.exit_code == 0, result.output
    repeated = run("compare", *files, *OPTIONS, "--data", "glyphs", "--data", "cifar-fs")
    assert result.output == repeated.output
