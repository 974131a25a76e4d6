"""What docs/how-to/command-line.md and docs/how-to/recipes.md show works as it stands."""

import re
import shlex
from pathlib import Path

import pytest
import recipe_data
import run_fit
from typer.testing import CliRunner

import skd
import skd.recipes
from skd.cli.application import application

ROOT = Path(__file__).parents[3]
HOW_TO = ROOT / "docs" / "how-to"


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (HOW_TO / page).read_text(), re.DOTALL)


def commands():
    """Return every line of the pages that is a command ``skd``."""
    pages = [ROOT / "README.md", *sorted(HOW_TO.glob("*.md"))]
    lines = [line for page in pages for line in page.read_text().splitlines()]
    return sorted({line.strip() for line in lines if line.startswith("    skd ")})


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_pages_has_options_that_exist(command):
    words = shlex.split(command.partition(" > ")[0], comments=True)[1:]
    result = CliRunner().invoke(application, [*words, "--help"])
    assert result.exit_code == 0, result.output


def test_the_recipes_of_the_page_are_valid(tmp_path):
    tables = blocks("recipes.md", "toml")
    assert len(tables) == 2
    for number, table in enumerate(tables):
        path = tmp_path / f"recipe{number}.toml"
        path.write_text(table)
        assert skd.recipes.load(path).name == path.stem


def test_the_python_example_of_the_recipes_runs(monkeypatch, tmp_path, capsys):
    original = skd.recipes.load
    small = [*recipe_data.SMALL, *recipe_data.TWO_STEPS, *recipe_data.FEW_GLYPHS]

    def load(name, *, changes):
        return original(name, changes=[*changes, *small, "evaluation.n_shots=[1, 5]"])

    monkeypatch.setattr(skd.recipes, "load", load)
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("recipes.md", "python")
    exec(compile(example, "recipes.md", "exec"), {})
    assert capsys.readouterr().out.count("±") == 2
    assert (tmp_path / "runs" / "seed1" / "report.json").exists()


def test_the_callback_of_the_page_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("command-line.md", "python")
    gen0, split = run_fit.make_trainer(), run_fit.make_split(4, 20, seed=3)
    exec(compile(example, "command-line.md", "exec"), {"gen0": gen0, "split": split})
    assert "epoch 1 took" in capsys.readouterr().out
    assert (tmp_path / "history.csv").exists()
