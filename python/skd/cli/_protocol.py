"""Options of an evaluation, for the commands that score models on episodes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from skd.augmentation import MODES
from skd.classifiers.kinds import KINDS
from skd.cli._options import integer, number
from skd.evaluation.episode_options import QUERY_DISTRIBUTIONS, parsed_range, range_text
from skd.models import FEATURES

SPLITS = ("val", "test")
#: Options by the parameters of the functions that refuse their values.
NAMES = {
    "n_way": "--n-way",
    "n_shot": "--n-shot",
    "n_query": "--n-query",
    "query_distribution": "--query-distribution",
    "query_concentration": "--query-concentration",
    "open_set": "--open-set",
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
    "markdown": "--markdown",
    "plot": "--plot",
    "heads": "--classifier",
    "models": "CHECKPOINT",
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


def extent(n_way: str, n_shot: str, owner: str) -> dict[str, int | tuple[int, int]]:
    """Return numbers of classes and of support images, or their ranges."""
    return {
        "n_way": parsed_range(n_way, "n_way", owner),
        "n_shot": parsed_range(n_shot, "n_shot", owner),
    }


def task(options: Mapping[str, Any]) -> str:
    """Describe the episodes of a report."""
    way, shot = range_text(options["n_way"]), range_text(options["n_shot"])
    text = f"{way}-way {shot}-shot, {options['n_query']} queries of each class"
    if options.get("query_distribution") == "dirichlet":
        text += f" on average (Dirichlet, {options['query_concentration']:g})"
    if options.get("open_set"):
        text += f", {options['open_set']} unknown classes"
    return text


SplitName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Split to score, val or test. Score the test split only once, at the end.",
        autocompletion=lambda: list(SPLITS),
    ),
]
NWay = Annotated[
    str,
    typer.Option(
        metavar="N", help="Number of classes of an episode; 5-20 lets each episode draw its number."
    ),
]
NShot = Annotated[
    str,
    typer.Option(metavar="N", help="Support images of each class; 1-10 lets each episode draw."),
]
NQuery = Annotated[
    int, typer.Option(parser=integer, metavar="N", help="Query images of each class.")
]
QueryDistribution = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Distribution of the queries over the classes: uniform, or dirichlet.",
        autocompletion=lambda: list(QUERY_DISTRIBUTIONS),
    ),
]
QueryConcentration = Annotated[
    float,
    typer.Option(
        parser=number, metavar="X", help="Parameter of the Dirichlet distribution; above 0."
    ),
]
OpenSet = Annotated[
    int | None,
    typer.Option(
        parser=integer,
        metavar="N",
        help="Number of unknown classes of an episode; adds AUROC and FPR95.",
        show_default=False,
    ),
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
