"""``skd quickstart``: train and evaluate a model in a few minutes, without any data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import skd
from skd.cli._exit_status import ending_in_one_line
from skd.cli._options import naming
from skd.cli._run import Changes, Threads, resuming, run_recipe
from skd.recipes import load

RECIPE = "gen1-glyphs"


def quickstart(
    output: Annotated[
        Path, typer.Option(help="Folder of the two runs; unfinished runs are resumed.")
    ] = Path("runs", "quickstart"),
    changes: Changes = None,
    threads: Threads = None,
) -> None:
    """Train both generations of SKD on the embedded glyphs, and evaluate them on novel ones.

    It takes a few minutes and needs no data. It does the same as 'skd train gen1-glyphs'.
    """
    with ending_in_one_line(
        "skd quickstart",
        in_words=naming({"changes": "--set", "folder": "--output", "count": "--threads"}),
        when_interrupted=lambda: resuming(["skd", "quickstart", "--output", str(output)]),
    ):
        if threads is not None:
            skd.set_num_threads(threads)
        recipe = load(RECIPE, changes=changes or ())
        folder = output / recipe.name
        run_recipe(recipe, folder, resume=True)
        model = folder / "model.safetensors"
        typer.echo(
            f"Score it in other ways:  skd evaluate {model} --data glyphs\n"
            "Classify with it:        "
            f"skd.FewShotClassifier(skd.load_model({str(model)!r})).fit(images, labels)\n"
            "Train on other data:     skd recipes list"
        )
