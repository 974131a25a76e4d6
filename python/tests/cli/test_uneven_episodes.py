"""Ranges, Dirichlet queries and unknown classes on the command line and in recipes."""

import json

import numpy as np
import pytest

import skd
from skd import recipes


@pytest.fixture
def features(rng, tmp_path):
    labels = np.repeat(np.arange(8), 60)
    path = tmp_path / "features.npz"
    np.savez(path, features=np.eye(8)[labels] + rng.normal(0, 0.5, (480, 8)), labels=labels)
    return path


OPTIONS = ["--n-query", "8", "--episodes", "40", "--classifier", "nearest_centroid"]
RANGES = ["--n-way", "2-5", "--n-shot", "1-3"]
UNEVEN = [*RANGES, "--query-distribution", "dirichlet", "--open-set", "2"]


def test_options_are_passed_on_and_printed(run, features, tmp_path):
    report = tmp_path / "report.json"
    result = run("evaluate", str(features), *OPTIONS, *UNEVEN, "--json", str(report))
    assert result.exit_code == 0, result.output
    expected = skd.evaluate_features(
        features,
        n_way=(2, 5),
        n_shot=(1, 3),
        n_query=8,
        n_episodes=40,
        classifier="nearest_centroid",
        query_distribution="dirichlet",
        open_set=2,
    )
    assert json.loads(report.read_text()) == expected.to_dict()
    for text in (
        "2-5-way 1-3-shot, 8 queries of each class on average (Dirichlet, 2), 2 unknown classes",
        f"n_way 4  {expected.by_way()[4]}",
        f"n_shot 2  {expected.by_shot()[2]}",
        str(expected.open_set["centroid_cosine"]),
    ):
        assert " ".join(text.split()) in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--n-way", "five"], "--n-way must be a number, or a range such as 5-20"),
        (["--n-way", "5-2"], "--n-way must be a range"),
        (["--n-shot", "0"], "--n-shot must be at least 1"),
        (["--query-distribution", "normal"], "--query-distribution must be one of"),
        (["--query-concentration", "0"], "--query-concentration must be"),
        (["--open-set", "9"], "--open-set must be at most 3"),
    ],
)
def test_wrong_options_are_named(run, features, options, named):
    result = run("evaluate", str(features), *OPTIONS, *options)
    assert result.exit_code == 2
    assert named in " ".join(result.output.split())


def test_a_recipe_takes_the_same_options():
    changes = [
        "evaluation.n_way=[2, 5]",
        'evaluation.query_distribution="dirichlet"',
        "evaluation.query_concentration=1.5",
        "evaluation.open_set=3",
    ]
    evaluation = recipes.load("gen0-glyphs", changes=changes).evaluation
    assert (evaluation.n_way, evaluation.open_set) == ((2, 5), 3)
    table = recipes.load("gen0-glyphs", changes=changes).to_table()["evaluation"]
    assert table["n_way"] == [2, 5]
    with pytest.raises(ValueError, match=r"evaluation\.n_way"):
        recipes.load("gen0-glyphs", changes=["evaluation.n_way=[5, 2]"])
