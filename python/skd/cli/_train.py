"""``skd train``: train and evaluate a recipe in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skd.callbacks import Callback, MLflow, WeightsAndBiases
from skd.cli._exit_status import ending_in_one_line
from skd.cli._options import Quiet, Threads, naming
from skd.cli._processes import join
from skd.cli._run import Changes, resuming, run_recipe
from skd.distributed.mpi_ranks import ranks_of
from skd.recipes import Run, load, names

OPTIONS = {"recipe": "RECIPE", "changes": "--set", "folder": "--output", "count": "--threads"}


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            help="Name that 'skd recipes list' prints, or a TOML file.",
            autocompletion=lambda: list(names()),
        ),
    ],
    changes: Changes = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the run in the folder, if there is one.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of the run; by default runs/NAME."),
    ] = None,
    threads: Threads = None,
    wandb: Annotated[
        str | None,
        typer.Option(metavar="PROJECT", help="Also log to Weights & Biases."),
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option(metavar="EXPERIMENT", help="Also log to MLflow.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train a recipe, and evaluate the model once.

    Everything is written to a folder. The teacher that a recipe names is searched for next to the
    folder, and trained if it is not there. Ctrl-C stops within a step and saves the state; --resume
    continues, with the same result as an uninterrupted run, bit for bit. docs/how-to/recipes.md
    describes recipes. Under mpirun the processes train together (docs/how-to/distributed.md).
    """
    again = ["skd", "train", recipe, "--resume"]
    again += [word for change in changes or () for word in ("--set", change)]
    again += [] if output is None else ["--output", str(output)]
    begun: list[Path] = []

    def listeners(run: Run) -> list[Callback]:
        begun.append(run.folder.path)
        config = run.recipe.to_table()
        chosen: list[Callback] = []
        if wandb is not None:
            chosen.append(WeightsAndBiases(wandb, config=config, name=run.recipe.name))
        if mlflow is not None:
            chosen.append(MLflow(mlflow, config=config, run_name=run.recipe.name))
        return chosen

    with ending_in_one_line(
        "skd train",
        in_words=naming(OPTIONS),
        when_interrupted=lambda: resuming(again) if begun else "",
    ):
        communicator = join(threads)
        ranks = ranks_of(communicator, "skd train")
        with ranks.abort_on_local_error(), ranks.raise_on_all_ranks():
            resolved = load(recipe, changes=changes or ())
        folder = output or Path("runs", resolved.name)
        run_recipe(
            resolved,
            folder,
            resume=resume,
            callbacks=listeners,
            communicator=communicator,
            quiet=quiet,
        )
