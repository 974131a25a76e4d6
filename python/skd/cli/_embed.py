"""``skd embed``: the features of a split as a file that names its model and data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import skd
from skd import _validation as check
from skd.cli._exit_status import ending_in_one_line
from skd.cli._opening import open_data, open_model, tell_left_out
from skd.cli._options import CHECKPOINT_HELP, Data, Pretrained, Quiet, Root, Threads, naming
from skd.cli._protocol import NAMES, Features
from skd.evaluation.feature_files import write_features

OWNER = "skd embed"
SPLITS = ("train", "val", "test")


def embed(
    *,
    checkpoint: Annotated[
        Path | None, typer.Argument(help=CHECKPOINT_HELP, show_default=False)
    ] = None,
    pretrained: Pretrained = None,
    data: Data,
    root: Root = None,
    split: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"Split to embed: {', '.join(SPLITS)}.",
            autocompletion=lambda: list(SPLITS),
        ),
    ] = "val",
    features: Features = "embedding",
    out: Annotated[Path, typer.Option(metavar="FILE", help="NPZ file to write.")],
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Write the features of a split to a file.

    The file holds the features of all images before any scaling, their labels and class names, and
    the SHA-256 of model and data. docs/how-to/evaluation.md describes it.
    """
    names = {**NAMES, "out": "--out", "kind": "--features"}
    with ending_in_one_line(OWNER, in_words=naming(names)):
        check.choice(split, "split_name", OWNER, SPLITS)
        check.choice(features, "features", OWNER, skd.models.FEATURES)
        check.output_file(out, "out", OWNER)
        if threads is not None:
            skd.set_num_threads(threads)
        model = open_model(checkpoint, pretrained, "checkpoint", OWNER)
        opened = open_data(
            data,
            root,
            OWNER,
            image_size=model.image_size,
            channels=model.input_channels,
            progress=not quiet,
        )
        count, dimensions = write_features(
            out,
            model,
            getattr(opened, split),
            OWNER,
            kind=features,
            data_name=data,
            split_name=split,
            progress=not quiet,
        )
    typer.echo(f"{count} features of {dimensions} dimensions: {out}")
    if not quiet:
        tell_left_out(opened.unreadable, data, root, OWNER)
