"""``skd export``: a network, and the head of a few-shot classifier, as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

import skd
from skd import _validation as check
from skd.choices import OnnxInput
from skd.cli._exit_status import ending_in_one_line
from skd.cli._opening import open_model
from skd.cli._options import CHECKPOINT_HELP, Pretrained, naming
from skd.exporting import INPUTS

OWNER = "skd export"
OPTIONS = {
    "out": "--out",
    "Model.to_onnx.path": "--out",
    "FewShotClassifier.load.path": "--classifier",
    "FewShotClassifier.load.model": "CHECKPOINT",
    "input_dtype": "--input-dtype",
    "path": "CHECKPOINT",
    "checkpoint": "CHECKPOINT",
    "load_pretrained.name": "--pretrained",
}


def export(
    *,
    checkpoint: Annotated[
        Path | None, typer.Argument(help=CHECKPOINT_HELP, show_default=False)
    ] = None,
    pretrained: Pretrained = None,
    classifier: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File of FewShotClassifier.save, whose head the file gets; if it holds its model, "
            "no other is needed.",
            show_default=False,
        ),
    ] = None,
    input_dtype: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE",
            help=f"Type of the images: {' or '.join(INPUTS)}; by default uint8 if the model has a "
            "normalisation.",
            autocompletion=lambda: list(INPUTS),
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="ONNX file to write.")],
) -> None:
    """Write a model as an ONNX file, which ONNX Runtime runs without skd.

    It needs the package onnx (pip install onnx). docs/how-to/onnx.md describes inputs and outputs.
    """
    with ending_in_one_line(OWNER, in_words=naming(OPTIONS)):
        check.output_file(out, "out", OWNER)
        is_given = checkpoint is not None or pretrained is not None
        model = None
        if is_given or classifier is None:
            model = open_model(checkpoint, pretrained, "checkpoint", OWNER)
        head = None if classifier is None else skd.FewShotClassifier.load(classifier, model=model)
        if model is None and head is not None:
            model = head.model
        assert model is not None
        model.to_onnx(out, head, input_dtype=cast(OnnxInput | None, input_dtype))
    classes = "" if head is None else f", {head.head} on {len(head.classes_)} classes"
    typer.echo(f"{model.architecture}, {model.image_size} px{classes}: {out}")
