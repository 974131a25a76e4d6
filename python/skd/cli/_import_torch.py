"""``skd import-torch``: a checkpoint of PyTorch code as a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

import skd
from skd import _validation as check
from skd.choices import Architecture
from skd.cli._exit_status import ending_in_one_line
from skd.cli._options import Quiet, integer, naming
from skd.datasets.catalogue import CATALOGUE, PUBLISHED
from skd.models import ARCHITECTURES

OWNER = "skd import-torch"
OPTIONS = {
    "path": "SOURCE",
    "classifier": "--classifier",
    "image_size": "--image-size",
    "num_classes": "--num-classes",
    "architecture": "--architecture",
    "normalization": "--normalization",
    "out": "--out",
}


def import_torch(
    source: Annotated[
        Path, typer.Argument(help="File of torch.save or safetensors; its code is never run.")
    ],
    image_size: Annotated[
        int,
        typer.Option(
            parser=integer, metavar="PIXELS", help="Side of the images it was trained on."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Model file to write.")],
    normalization: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Data set whose published mean and standard deviation the model expects: "
            f"{', '.join(PUBLISHED)}.",
            autocompletion=lambda: list(PUBLISHED),
            show_default=False,
        ),
    ] = None,
    classifier: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File of the classifier, if it is another one."),
    ] = None,
    num_classes: Annotated[
        int | None,
        typer.Option(
            parser=integer,
            metavar="N",
            help="Classes of a new classifier, if the files hold none.",
        ),
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Architecture; by default found from the names in the file.",
            autocompletion=lambda: list(ARCHITECTURES),
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Convert a checkpoint of PyTorch code to a model file.

    It reads checkpoints of SKD, RFS and LibFewShot, and other state dicts under the same names,
    without PyTorch (docs/how-to/interchange.md).
    """
    with ending_in_one_line(OWNER, in_words=naming(OPTIONS)):
        check.output_file(out, "out", OWNER)
        statistics = None
        if normalization is not None:
            published = CATALOGUE[check.choice(normalization, "normalization", OWNER, CATALOGUE)]
            statistics = published.mean, published.std
        model = skd.import_torch(
            source,
            image_size=image_size,
            classifier=classifier,
            num_classes=num_classes,
            architecture=cast(Architecture | None, architecture),
            normalization=statistics,
        )
        model.save(out)
    typer.echo(
        f"{model.config['architecture']}, {model.num_classes} classes, {model.image_size} px: {out}"
    )
    if normalization is None and not quiet:
        typer.echo(
            f"{OWNER}: without --normalization the model has none, and each evaluation uses that "
            "of its data.",
            err=True,
        )
