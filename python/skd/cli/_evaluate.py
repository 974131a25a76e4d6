"""``skd evaluate``: the few-shot accuracy of a checkpoint, with everything that defines it."""

from __future__ import annotations

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import skd
from skd import _validation as check
from skd.augmentation import MODES
from skd.cli._exit_status import ending_in_one_line
from skd.cli._formatting import aligned, flat
from skd.cli._processes import is_first, join, say
from skd.datasets.catalogue import NAMES
from skd.distributed.mpi_ranks import ranks_of
from skd.evaluation import CLASSIFIERS
from skd.models import FEATURES

OWNER = "skd evaluate"
# What the command line calls the parameters whose names differ; an option is named as its own.
WORDS = {"n_episodes": "--episodes", "split": "--data", "name": "--data", "path": "CHECKPOINT"}


class SplitName(StrEnum):
    """Splits of novel classes."""

    VAL = "val"
    TEST = "test"


def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="A model that Model.save wrote.")],
    data: Annotated[str, typer.Option(help="Name of a data set, or a folder that was imported.")],
    root: Annotated[Path | None, typer.Option(help="Folder of the files of a named set.")] = None,
    split: Annotated[
        SplitName, typer.Option(help="Score the test split once, when all is decided.")
    ] = SplitName.VAL,
    n_way: Annotated[int, typer.Option(help="Classes of an episode.")] = 5,
    n_shot: Annotated[int, typer.Option(help="Support images of each class.")] = 1,
    n_query: Annotated[int, typer.Option(help="Query images of each class.")] = 15,
    episodes: Annotated[int, typer.Option(help="Number of episodes.")] = 600,
    classifier: Annotated[
        str, typer.Option(help=f"Fitted on the support: {', '.join(CLASSIFIERS)}.")
    ] = "logistic",
    features: Annotated[
        str, typer.Option(help=f"Output of the model: {' or '.join(FEATURES)}.")
    ] = "embedding",
    support_augmentation: Annotated[
        str, typer.Option(help=f"Of the support images: {', '.join(MODES)}.")
    ] = "crop_flip",
    n_support_copies: Annotated[
        int, typer.Option(help="Augmented copies of each support image.")
    ] = 5,
    flip: Annotated[bool, typer.Option(help="Whether the augmentation mirrors images.")] = True,
    seed: Annotated[int, typer.Option(help="Of the episodes and the augmentation.")] = 0,
    legacy_episodes: Annotated[
        bool, typer.Option("--legacy-episodes", help="Draw the episodes of the published code.")
    ] = False,
    episodes_file: Annotated[
        Path | None, typer.Option(help="Replay its episodes, or keep them there if it is new.")
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="By default the processors; no number depends on it."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="File to write the whole report into.")] = None,
) -> None:
    """Evaluate a checkpoint on few-shot episodes: mean accuracy with its 95 % interval.

    Every model is given the same episodes, which depend on the labels, the options and the seed
    alone. docs/evaluation.md says precisely what is computed and what the report holds. Under
    mpirun the processes share the episodes (docs/distributed.md).
    """
    with ending_in_one_line(OWNER, in_words=in_words_of_the_command):
        communicator = join(threads)
        ranks = ranks_of(communicator, OWNER)
        with ranks.guarded(), ranks.together():
            report = None if json is None else check.output_file(json, "json", OWNER)
            model = skd.load_model(checkpoint)
            images = getattr(_load(data, root), split.value)
        result = skd.evaluate(
            model,
            images,
            n_way=n_way,
            n_shot=n_shot,
            n_query=n_query,
            n_episodes=episodes,
            classifier=classifier,
            features=features,
            support_augmentation=support_augmentation,
            n_support_copies=n_support_copies,
            flip=flip,
            seed=seed,
            legacy_episodes=legacy_episodes,
            episodes_file=episodes_file,
            data_name=data,
            split_name=split.value,
            progress=is_first(),
            communicator=communicator,
        )
        if report is not None and ranks.is_first:
            result.save(report)
    for line in report_lines(result):
        say(line)


def _load(data: str, root: Path | None) -> skd.datasets.FewShotData:
    """Load a data set by its name, or the folder that an import made."""
    if data in NAMES or not os.path.isdir(data):  # false, not an error, for what is no path
        return skd.datasets.load(data, root)
    if root is not None:
        check.refuse("root", OWNER, "left out where --data is a folder", repr(str(root)))
    return skd.datasets.load_imported(data)


def in_words_of_the_command(message: str) -> str:
    """Name an option instead of a parameter in the sentence that refuses it."""

    def option(match: re.Match[str]) -> str:
        return WORDS.get(match[1], "--" + match[1].replace("_", "-")) + " must"

    return re.sub(r"^The '(\w+)' parameter of [\w ]+ must", option, message)


def report_lines(result: skd.EvaluationResult) -> list[str]:
    """Render a result: accuracy, every option, and what it was computed from."""
    mean = f"{result} (mean and ci95 of {len(result.accuracies)} episodes)"
    rows = [("accuracy", mean), *flat(result.options), *flat(result.provenance)]
    rows.append(("threads", f"{skd.get_num_threads()} (no number depends on it)"))
    return aligned(rows)
