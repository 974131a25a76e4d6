"""``skd classify``: classify photos from a few examples of each class."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, cast

import numpy as np
import typer

import skd
from skd._display.progress_bar import silence
from skd.choices import HeadName
from skd.classifiers.kinds import HEADS
from skd.cli._exit_status import ending_in_one_line
from skd.cli._opening import open_model
from skd.cli._options import CHECKPOINT_HELP, Quiet, Threads, naming
from skd.datasets.walks import printable

OWNER = "skd classify"
PHOTOS = "photos-84"
OPTIONS = {
    "FewShotClassifier.fit.images": "SUPPORT",
    "FewShotClassifier.fit.labels": "SUPPORT",
    "FewShotClassifier.predict.images": "PHOTOS",
    "FewShotClassifier.predict_proba.images": "PHOTOS",
    "path": "--model",
    "model": "--model",
    "load_pretrained.name": "--pretrained",
    "head": "--head",
    "reject": "--reject",
    "count": "--threads",
}


def classify(
    support: Annotated[
        Path, typer.Argument(help="Folder that holds a folder of example photos for each class.")
    ],
    photos: Annotated[list[Path], typer.Argument(help="Photos to classify.")],
    model: Annotated[
        Path | None, typer.Option(metavar="CHECKPOINT", help=CHECKPOINT_HELP, show_default=False)
    ] = None,
    pretrained: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Weights that come with skd; 'skd info' lists them.",
            autocompletion=skd.list_pretrained,
            show_default=f"{PHOTOS}, without --model",
        ),
    ] = None,
    head: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"Classifier that is fitted to the examples: {', '.join(HEADS)}.",
            autocompletion=lambda: list(HEADS),
        ),
    ] = "logistic",
    reject: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Answer for photos that are too far from all classes, such as 'unknown'.",
            show_default=False,
        ),
    ] = None,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Classify photos from a few examples of each class.

    Only the head is trained. The command prints a line for each photo: its class, the probability
    of the class if the head gives one and the photo is not rejected, and the file.
    """
    with (
        ending_in_one_line(OWNER, in_words=naming(OPTIONS)),
        silence() if quiet else nullcontext(),
    ):
        if threads is not None:
            skd.set_num_threads(threads)
        if model is None and pretrained is None:
            pretrained = PHOTOS
        network = open_model(model, pretrained, "model", OWNER)
        chosen = cast(HeadName, head)  # `fit` checks it
        classifier = skd.FewShotClassifier(network, head=chosen, reject=reject).fit(support)
        names, shares = _classified(classifier, photos)
    width = max(len(str(name)) for name in names)
    for name, share, photo in zip(names, shares, photos, strict=True):
        typer.echo(printable("  ".join(filter(None, (f"{name:{width}}", share, str(photo))))))


def _classified(
    classifier: skd.FewShotClassifier, photos: list[Path]
) -> tuple[list[str], list[str]]:
    """Return the class of each photo, and its probability in words, if there is one."""
    if classifier.reject is None and hasattr(classifier, "predict_proba"):
        probabilities = classifier.predict_proba(photos)
        names = classifier.classes_[np.argmax(probabilities, axis=1)].tolist()
    else:
        names = classifier.predict(photos).tolist()
        if not hasattr(classifier, "predict_proba"):
            return names, [""] * len(names)
        probabilities = classifier.predict_proba(photos)
    largest = probabilities.max(axis=1)
    shares = [
        "" if name == classifier.reject else f"{100 * share:3.0f} %"
        for name, share in zip(names, largest, strict=True)
    ]
    return names, shares
