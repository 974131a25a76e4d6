"""``skd plot``: the curves of a run's training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skd.cli._exit_status import ending_in_one_line
from skd.cli._options import naming
from skd.recipes import RunFolder
from skd.recipes.curves import NAME, draw_run

OWNER = "skd plot"


def plot(
    run: Annotated[
        Path, typer.Argument(help="Folder of a run, finished or not, or its history.csv.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"PNG, SVG or PDF file to write; by default {NAME} in the folder.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Draw losses, accuracies and learning rate of a run.

    It needs matplotlib (pip install matplotlib). skd.plots draws embeddings, episodes and
    confusions from Python (docs/how-to/plots.md).
    """
    with ending_in_one_line(OWNER, in_words=naming({"path": "RUN", "out": "--out"})):
        target = _default(run) if out is None else out
        draw_run(run, target, OWNER)
    typer.echo(str(target))


def _default(run: Path) -> Path:
    """Return the picture that belongs to a run."""
    plots = RunFolder(run).plots
    folders = (folder for folder in (plots, run) if folder.is_dir())
    return next(folders, run.parent) / NAME
