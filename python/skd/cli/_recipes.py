"""``skd recipes``: list and show the recipes of the package."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import skd
from skd._display.durations import duration
from skd._display.progress_bar import inform, progress_bar
from skd.cli._commands import Command, Commands
from skd.cli._exit_status import ending_in_one_line
from skd.cli._options import Quiet, naming
from skd.cli._run import Changes
from skd.recipes import Expected, Measured, Recipe, load, names
from skd.recipes.costs import cost

recipes = typer.Typer(cls=Commands, help="List and show the recipes of the package.")
ACCURACY = (
    "Accuracy: 5-way, percent ± ci95, as published (arXiv:2003.11539 for RFS, arXiv:2006.09785 "
    "for SKD) or, on glyphs, as measured in benchmarks/results/method.md."
)
MEASURED = (
    "Measured: accuracies of our own run, and its processor hours; divide them by the number of "
    "cores for hours on an idle machine."
)
FURTHER = "'skd recipes list --time' estimates the time of each on this machine."
TIME = (
    "Time: the operations of the convolutions in training, validations and evaluation, divided by "
    "the rate of one step and one forward pass of the same network, measured now on {threads} "
    "threads in small batches. It is right only if the machine is otherwise idle. 'in all' "
    "includes the runs of its teachers."
)


@recipes.command("list", cls=Command)
def list_command(
    measure: Annotated[
        bool,
        typer.Option("--time", help="Measure this machine, and estimate the time of each recipe."),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Print all recipes with their accuracy, and what was measured with them."""
    # Narrow enough for a terminal of 80 columns, so that no number is cut off.
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("recipe", no_wrap=True)
    headings = ["1-shot", "5-shot"] + (["time", "in all"] if measure else ["measured", "hours"])
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    console = Console()
    before = None
    shows = measure and not quiet
    if shows:
        inform("Measuring a training step and a forward pass of each network.")
    bar = progress_bar(len(names()), "skd recipes", "recipe", wanted=shows)
    with ending_in_one_line("skd recipes"), bar:
        for name in names():
            recipe = load(name)
            group = (recipe.data.name, recipe.data.images_per_class)
            if before not in (None, group):
                table.add_section()
            before = group
            further = _times(recipe) if measure else _measured(recipe.measured)
            table.add_row(name, *_expected(recipe.expected), *further)
            bar.update()
    console.print(table)
    if not quiet:
        second = TIME.format(threads=skd.get_num_threads()) if measure else f"{MEASURED} {FURTHER}"
        console.print(f"{ACCURACY} {second}", highlight=False)


@recipes.command(cls=Command)
def show(
    recipe: Annotated[
        str,
        typer.Argument(
            help="Name that 'list' prints, or a TOML file.", autocompletion=lambda: list(names())
        ),
    ],
    changes: Changes = None,
) -> None:
    """Print a recipe as TOML, as a start for your own.

    Every default is written out.
    """
    with ending_in_one_line(
        "skd recipes", in_words=naming({"recipe": "RECIPE", "changes": "--set"})
    ):
        typer.echo(load(recipe, changes=changes or ()).to_toml(), nl=False)


def _expected(expected: Expected | None) -> tuple[str, str]:
    """Render the expected accuracies."""

    def cell(accuracy: tuple[float, float] | None) -> str:
        return "-" if accuracy is None else f"{accuracy[0]:.2f} ± {accuracy[1]:.2f}"

    if expected is None:
        return "-", "-"
    return cell(expected.one_shot), cell(expected.five_shot)


def _measured(measured: Measured | None) -> tuple[str, str]:
    """Render the result of our own run."""
    if measured is None:
        return "-", "-"
    accuracies = f"{measured.one_shot[0]:.1f}/{measured.five_shot[0]:.1f}"
    return accuracies, f"{measured.processor_hours:.1f}"


def _times(recipe: Recipe) -> tuple[str, ...]:
    """Render the cost without and with its teachers."""
    hours = cost(recipe)
    return ("-", "-") if hours is None else tuple(duration(3600 * value) for value in hours)
