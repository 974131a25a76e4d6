"""``skd evaluate``: the few-shot accuracy of a checkpoint, with everything that defines it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import skd
from skd import _validation as check
from skd.augmentation import MODES
from skd.classifiers.kinds import KINDS
from skd.cli._exit_status import ending_in_one_line
from skd.cli._formatting import aligned, flat
from skd.cli._opening import open_data, unreadable_lines
from skd.cli._options import naming
from skd.cli._processes import is_first, join, say
from skd.distributed.mpi_ranks import ranks_of
from skd.models import FEATURES

OWNER = "skd evaluate"
OPTIONS = {
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
    "json": "--json",
    "data": "--data",
    "root": "--root",
    "split": "--data",
    "from_folder.path": "--data",
    "path": "CHECKPOINT",
    "count": "--threads",
}


class SplitName(StrEnum):
    """Splits of novel classes."""

    VAL = "val"
    TEST = "test"


def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="A model that Model.save wrote.")],
    data: Annotated[
        str,
        typer.Option(
            help="Name of a data set, or a folder: one that was imported, or one of pictures with "
            "a folder for each class."
        ),
    ],
    root: Annotated[
        Path | None, typer.Option(help="Folder of the files of a named set, or of '--data folder'.")
    ] = None,
    split: Annotated[
        SplitName, typer.Option(help="Score the test split once, when all is decided.")
    ] = SplitName.VAL,
    n_way: Annotated[int, typer.Option(help="Classes of an episode.")] = 5,
    n_shot: Annotated[int, typer.Option(help="Support images of each class.")] = 1,
    n_query: Annotated[int, typer.Option(help="Query images of each class.")] = 15,
    episodes: Annotated[int, typer.Option(help="Number of episodes.")] = 600,
    classifier: Annotated[
        str, typer.Option(help=f"Fitted on the support: {', '.join(KINDS)}.")
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
    with ending_in_one_line(OWNER, in_words=naming(OPTIONS)):
        communicator = join(threads)
        ranks = ranks_of(communicator, OWNER)
        with ranks.abort_on_local_error(), ranks.raise_on_all_ranks():
            report = None if json is None else check.output_file(json, "json", OWNER)
            model = skd.load_model(checkpoint)
            opened = open_data(
                data,
                root,
                OWNER,
                image_size=model.image_size,
                channels=model.input_channels,
                progress=is_first(),
            )
            images = getattr(opened, split.value)
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
    for line in (*report_lines(result), *unreadable_lines(opened.unreadable)):
        say(line)


def report_lines(result: skd.EvaluationResult) -> list[str]:
    """Render a result: accuracy, every option, and what it was computed from."""
    mean = f"{result} (mean and ci95 of {len(result.accuracies)} episodes)"
    rows = [("accuracy", mean), *flat(result.options), *flat(result.provenance)]
    rows.append(("threads", f"{skd.get_num_threads()} (no number depends on it)"))
    return aligned(rows)
