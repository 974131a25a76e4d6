"""``skd quickstart``: train and compare the methods in a few minutes, without any data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import skd
from skd.cli._comparison import comparison_lines, draw_pictures
from skd.cli._exit_status import ending_in_one_line
from skd.cli._options import Quiet, Threads, naming
from skd.cli._run import Changes, resuming, run_recipe
from skd.recipes import load

RECIPES = {
    "RFS-simple": "rfs-simple-glyphs-quick",
    "Gen-0": "gen0-glyphs-quick",
    "Gen-1": "gen1-glyphs-quick",
}
#: Tables of a recipe that its teacher does not inherit.
NOT_INHERITED = ("optimizer.", "schedule.")


def quickstart(
    output: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Folder of the three runs; unfinished runs are resumed."
        ),
    ] = Path("runs", "quickstart"),
    changes: Changes = None,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Train RFS-simple, Gen-0 and Gen-1 on the embedded glyphs.

    It compares them on novel glyphs, needs no data, and takes about a minute on two fast cores. It
    prints a table of the accuracies and, if matplotlib is installed, draws pictures.
    """
    with ending_in_one_line(
        "skd quickstart",
        in_words=naming({"changes": "--set", "folder": "--output", "count": "--threads"}),
        when_interrupted=lambda: resuming(["skd", "quickstart", "--output", str(output)]),
    ):
        if threads is not None:
            skd.set_num_threads(threads)
        outcomes = {}
        for method, name in RECIPES.items():
            recipe = load(name, changes=_changes(method, changes or ()))
            outcomes[method] = run_recipe(
                recipe, output / name, resume=True, brief=True, quiet=quiet
            )
        pictures = draw_pictures(outcomes, output)
        model = outcomes["Gen-0"].run.folder.model
        further = [
            "",
            *pictures,
            f"Score a model in other ways:  skd evaluate {model} --data glyphs",
            "Classify your own photos:     skd classify SUPPORT_FOLDER PHOTO",
            "Train on other data:          skd recipes list",
        ]
        table = comparison_lines(outcomes)
        typer.echo("\n".join(table if quiet else ["", *table, *further]))


def _changes(method: str, given: Sequence[str]) -> list[str]:
    """Return the changes of a recipe; the teacher of Gen-1 is the Gen-0 that was trained before."""
    taught = [f"teacher.{change}" for change in given if change.startswith(NOT_INHERITED)]
    return [*given, *(taught if method == "Gen-1" else ())]
