"""Options of an evaluation, for the commands that score models on episodes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skd.augmentation import MODES
from skd.classifiers.kinds import KINDS
from skd.cli._options import integer
from skd.models import FEATURES

SPLITS = ("val", "test")
#: Options by the parameters of the functions that refuse their values.
NAMES = {
    "n_way": "--n-way",
    "n_shot": "--n-shot",
    "n_query": "--n-query",
    "n_episodes": "--episodes",
    "classifier": "--classifier",
    "features": "--features",
    "support_augmentation": "--support-augmentation",
    "n_support_copies": "--n-support-copies",
    "flip": "--flip",
    "seed": "--seed",
    "legacy_episodes": "--legacy-episodes",
    "episodes_file": "--episodes-file",
    "split_name": "--split",
    "json": "--json",
    "data": "--data",
    "root": "--root",
    "split": "--data",
    "from_folder.path": "--data",
    "path": "CHECKPOINT",
    "checkpoint": "CHECKPOINT",
    "load_pretrained.name": "--pretrained",
    "labels": "--labels",
    "query": "--query",
    "pretrained": "--pretrained",
    "evaluate_features.features": "CHECKPOINT",
    "count": "--threads",
}

SplitName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Split to score, val or test. Score the test split only once, at the end.",
        autocompletion=lambda: list(SPLITS),
    ),
]
NWay = Annotated[
    int, typer.Option(parser=integer, metavar="N", help="Number of classes of an episode.")
]
NShot = Annotated[
    int, typer.Option(parser=integer, metavar="N", help="Support images of each class.")
]
NQuery = Annotated[
    int, typer.Option(parser=integer, metavar="N", help="Query images of each class.")
]
Episodes = Annotated[int, typer.Option(parser=integer, metavar="N", help="Number of episodes.")]
Classifier = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=f"Classifier of the episodes: {', '.join(KINDS)}.",
        autocompletion=lambda: list(KINDS),
    ),
]
Features = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=f"Output of the model: {' or '.join(FEATURES)}.",
        autocompletion=lambda: list(FEATURES),
    ),
]
SupportAugmentation = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=f"Augmentation of the support images: {', '.join(MODES)}.",
        autocompletion=lambda: list(MODES),
    ),
]
SupportCopies = Annotated[
    int,
    typer.Option(parser=integer, metavar="N", help="Augmented copies of each support image."),
]
Flip = Annotated[bool, typer.Option(help="Let the augmentation mirror images.")]
Seed = Annotated[
    int,
    typer.Option(parser=integer, metavar="N", help="Seed of the episodes and the augmentation."),
]
LegacyEpisodes = Annotated[
    bool, typer.Option("--legacy-episodes", help="Draw the episodes of the published code.")
]
EpisodesFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="File of episodes: replayed if it exists, otherwise written."
    ),
]
Report = Annotated[Path | None, typer.Option(metavar="FILE", help="JSON file of the whole report.")]
