"""``skd data``: import data sets and inspect them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

import skd
from skd import _validation as check
from skd.choices import PublishedData
from skd.cli._commands import Command, Commands
from skd.cli._exit_status import ending_in_one_line
from skd.cli._opening import open_data, unreadable_lines
from skd.cli._options import Quiet, integer, naming
from skd.datasets import FewShotData, Split
from skd.datasets.catalogue import NAMES, OWN_PICTURES, PUBLISHED
from skd.datasets.native_form import native_paths, read_meta
from skd.datasets.statistics import ChannelStatistics

OWNER = "skd data"
AT_ONCE = 1024  # images whose statistics are computed at once
IMPORT_OPTIONS = {"source": "SOURCE", "name": "--as", "to": "--to", "bgr": "--bgr"}
INFO_OPTIONS = {
    "data": "DATA",
    "from_folder.path": "DATA",
    "image_size": "--image-size",
    "contact_sheet": "--contact-sheet",
    "save_contact_sheet.path": "--contact-sheet",
}

data = typer.Typer(cls=Commands, help="Import data sets and inspect them.")

Name = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NAME",
        help=f"Data set: {', '.join(PUBLISHED)}.",
        autocompletion=lambda: list(PUBLISHED),
    ),
]
Bgr = Annotated[
    bool, typer.Option("--bgr", help="Keep tieredImageNet's channels as blue, green, red.")
]


@data.command("import", cls=Command)
def import_command(
    source: Annotated[Path, typer.Argument(help="Folder of the files, or CIFAR-100's archive.")],
    name: Name,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder to create; by default data/NAME."),
    ] = None,
    bgr: Bgr = False,
    quiet: Quiet = False,
) -> None:
    """Convert a data set to the form that loads fastest.

    docs/how-to/data.md lists the layouts that skd reads, and says where to get the files.
    """
    with ending_in_one_line(OWNER, in_words=naming(IMPORT_OPTIONS)):
        if name == OWN_PICTURES:
            legal = (
                "the name of a published data set; a folder of your own pictures needs no import: "
                "give it to --data, or to a recipe as data.root with data.name = 'folder'"
            )
            check.refuse("name", OWNER, legal, repr(name))
        folder = skd.datasets.import_data(
            source, name=cast(PublishedData, name), to=to, bgr=bgr, progress=not quiet
        )
    typer.echo(f"Imported {name} into {folder}")


@data.command(cls=Command)
def info(
    data: Annotated[
        str,
        typer.Argument(
            help="Imported folder, folder of pictures with a folder for each class, or a name such "
            "as glyphs.",
            autocompletion=lambda: list(NAMES),
        ),
    ],
    contact_sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="PNG file to draw training images into; by default FOLDER/contact-sheet.png "
            "for an imported folder, otherwise none.",
        ),
    ] = None,
    image_size: Annotated[
        int,
        typer.Option(parser=integer, metavar="PIXELS", help="Side to which pictures are scaled."),
    ] = 84,
    quiet: Quiet = False,
) -> None:
    """Print counts, sizes and statistics of a data set.

    The images of an imported set are compared with its hashes.
    """
    console = Console()
    with ending_in_one_line(OWNER, in_words=naming(INFO_OPTIONS)):
        if contact_sheet is not None:
            check.output_file(contact_sheet, "contact_sheet", OWNER)
        paths = native_paths(Path(data)) if os.path.isdir(data) else {}
        described = {part: read_meta(path) for part, path in paths.items()}
        if "train" not in described:
            described = {}
        loaded = open_data(data, None, OWNER, image_size=image_size, channels=3, progress=not quiet)
        console.print(_table(data, loaded, described))
        for part in _parts(loaded):
            console.print(f"sha256 {part}: {getattr(loaded, part).sha256}", highlight=False)
        for line in unreadable_lines(loaded.unreadable):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        target = contact_sheet
        if target is None and described:
            target = Path(data) / "contact-sheet.png"
        if target is not None:
            skd.datasets.save_contact_sheet(loaded.train, target)
            console.print(f"Contact sheet: {target}", highlight=False)
        _require_described(loaded, described)


def _parts(loaded: FewShotData) -> list[str]:
    """Return the names of the parts that a data set has."""
    names = ("train", "val", "test", "train_phase_val", "train_phase_test")
    return [name for name in names if getattr(loaded, name) is not None]


def _table(data: str, loaded: FewShotData, described: Mapping[str, Mapping[str, Any]]) -> Table:
    """Render a row for each part."""
    title = data
    if described:
        title = f"{described['train']['dataset']}, {described['train']['color_order']}"
    table = Table(title=title)
    for heading in ("part", "images", "classes", "per class", "shape", "MB", "mean", "std"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for part in _parts(loaded):
        split = getattr(loaded, part)
        known = described.get(part)
        if known is None:
            statistics = ChannelStatistics(split.images.shape[3])
            for start in range(0, len(split), AT_ONCE):
                statistics.add(split.images[start : start + AT_ONCE])
            measured = statistics.result()
        else:
            measured = known["measured_mean"], known["measured_std"]
        table.add_row(part, *_cells(split, *measured))
    return table


def _cells(split: Split, *measured: Iterable[float]) -> tuple[str, ...]:
    """Render a part with its measured mean and standard deviation."""
    counts = np.bincount(split.labels)
    per_class = (
        str(counts.min()) if counts.min() == counts.max() else f"{counts.min()}-{counts.max()}"
    )
    mean, std = (" ".join(f"{value:.3f}" for value in values) for values in measured)
    shape = "x".join(map(str, split.images.shape[1:]))
    megabytes = f"{split.images.nbytes / 1e6:.1f}"
    return f"{len(split)}", f"{split.num_classes}", per_class, shape, megabytes, mean, std


def _require_described(loaded: FewShotData, described: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse images that differ from the imported ones."""
    wrong = [
        part for part, known in described.items() if getattr(loaded, part).sha256 != known["sha256"]
    ]
    if wrong:
        raise ValueError(f"The images of {', '.join(wrong)} differ from meta.json.")
