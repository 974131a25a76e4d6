"""``skd data``: import data sets, and look at them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

import skd
from skd.cli._exit_status import ending_in_one_line
from skd.datasets import Split

OWNER = "skd data"

data = typer.Typer(no_args_is_help=True, help="Import data sets, and look at them.")

Name = Annotated[
    str,
    typer.Option("--as", help="cifar-fs, fc100, mini-imagenet or tiered-imagenet."),
]
Bgr = Annotated[
    bool, typer.Option("--bgr", help="Keep tieredImageNet's channels as blue, green, red.")
]


@data.command("import")
def import_command(
    source: Annotated[Path, typer.Argument(help="Folder of the files, or CIFAR-100's archive.")],
    name: Name,
    to: Annotated[Path | None, typer.Option(help="Folder to make; by default data/NAME.")] = None,
    bgr: Bgr = False,
) -> None:
    """Bring a data set, in any layout that skd reads, into the form that loads at once."""
    with ending_in_one_line(OWNER):
        folder = skd.datasets.import_data(source, name=name, to=to, bgr=bgr, progress=True)
    typer.echo(f"Imported {name} into {folder}")


@data.command()
def info(
    folder: Annotated[Path, typer.Argument(help="An imported data set.")],
    contact_sheet: Annotated[
        Path | None,
        typer.Option(help="PNG file of training images; by default FOLDER/contact-sheet.png."),
    ] = None,
) -> None:
    """Print counts, sizes and statistics, check the hashes, and write a contact sheet."""
    from skd.datasets.native_form import native_paths, read_meta

    console = Console()
    with ending_in_one_line(OWNER):
        meta = {part: read_meta(path) for part, path in native_paths(folder).items()}
        if "train" not in meta:
            raise ValueError(f"{str(folder)!r} is not an imported data set: see 'skd data import'.")
        loaded = skd.datasets.load(
            meta["train"]["dataset"], folder, bgr=meta["train"]["color_order"] == "BGR"
        )
        table = Table(title=f"{meta['train']['dataset']}, {meta['train']['color_order']}")
        for heading in ("part", "images", "classes", "per class", "shape", "MB", "mean", "std"):
            table.add_column(heading, justify="left" if heading == "part" else "right")
        wrong = []
        for part, description in meta.items():
            split = getattr(loaded, part)
            table.add_row(part, *_cells(split, description))
            if split.sha256 != description["sha256"]:
                wrong.append(part)
        console.print(table)
        for part, description in meta.items():
            console.print(f"sha256 {part}: {description['sha256']}", highlight=False)
        target = contact_sheet or folder / "contact-sheet.png"
        skd.datasets.save_contact_sheet(loaded.train, target)
        console.print(f"Contact sheet: {target}", highlight=False)
        if wrong:
            raise ValueError(f"The images of {', '.join(wrong)} are not those of meta.json.")


def _cells(split: Split, description: dict[str, list[float]]) -> tuple[str, ...]:
    """Render a part; mean and deviation are the measured ones."""
    counts = np.bincount(split.labels)
    per_class = (
        str(counts.min()) if counts.min() == counts.max() else (f"{counts.min()}-{counts.max()}")
    )
    mean, std = (
        " ".join(f"{value:.3f}" for value in description[key])
        for key in ("measured_mean", "measured_std")
    )
    shape = "x".join(map(str, split.images.shape[1:]))
    megabytes = f"{split.images.nbytes / 1e6:.1f}"
    return f"{len(split)}", f"{split.n_classes}", per_class, shape, megabytes, mean, std
