"""The command ``skd`` and its subcommands, each of which has its own module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

import skd
from skd.classifiers.kinds import KINDS
from skd.cli._bench import bench
from skd.cli._classify import classify
from skd.cli._commands import Command, Commands, listing
from skd.cli._compare import compare
from skd.cli._data import data
from skd.cli._embed import embed
from skd.cli._evaluate import evaluate
from skd.cli._export import export
from skd.cli._import_torch import import_torch
from skd.cli._info import info
from skd.cli._options import data_names
from skd.cli._plot import plot
from skd.cli._quickstart import quickstart
from skd.cli._recipes import recipes
from skd.cli._train import train

application = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Few-shot learning by self-supervised knowledge distillation.\n\n"
    "'skd COMMAND -h' describes a command.",
)
COMMANDS = (
    quickstart,
    train,
    evaluate,
    compare,
    classify,
    embed,
    export,
    plot,
    import_torch,
    bench,
    info,
)
CLASSES: dict[Callable[..., None], type[Command]] = {
    compare: listing(data=data_names, classifier=lambda: KINDS)
}
for command in COMMANDS:
    application.command(cls=CLASSES.get(command, Command))(command)
application.add_typer(recipes, name="recipes")
application.add_typer(data, name="data")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(skd.__version__)
        raise typer.Exit


@application.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Handle the options before a subcommand."""
