"""``skd evaluate``: the few-shot accuracy of a checkpoint, with everything that defines it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

import typer

import skd
from skd import _validation as check
from skd.augmentation import MODES
from skd.choices import Augmentation, ClassifierName, Features
from skd.classifiers.kinds import KINDS
from skd.cli._exit_status import ending_in_one_line
from skd.cli._formatting import aligned, flat
from skd.cli._opening import open_data, open_model, unreadable_lines
from skd.cli._options import naming
from skd.cli._processes import join, say
from skd.cli._run import Threads
from skd.distributed.mpi_ranks import ranks_of
from skd.models import FEATURES

OWNER = "skd evaluate"
PRETRAINED = ", ".join(skd.list_pretrained())
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
    "checkpoint": "CHECKPOINT",
    "load_pretrained.name": "--pretrained",
    "count": "--threads",
}


class SplitName(StrEnum):
    """Splits of novel classes."""

    VAL = "val"
    TEST = "test"


def evaluate(
    *,
    checkpoint: Annotated[
        Path | None, typer.Argument(help="Model file that Model.save wrote.")
    ] = None,
    pretrained: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Weights that come with skd, in place of a CHECKPOINT: {PRETRAINED}.",
        ),
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            help="Name of a data set, an imported folder, or a folder of pictures with a folder "
            "for each class."
        ),
    ],
    root: Annotated[
        Path | None,
        typer.Option(help="Folder of the files of a named data set, or of '--data folder'."),
    ] = None,
    split: Annotated[
        SplitName, typer.Option(help="Split to score. Score the test split only once, at the end.")
    ] = SplitName.VAL,
    n_way: Annotated[int, typer.Option(help="Classes of an episode.")] = 5,
    n_shot: Annotated[int, typer.Option(help="Support images of each class.")] = 1,
    n_query: Annotated[int, typer.Option(help="Query images of each class.")] = 15,
    episodes: Annotated[int, typer.Option(help="Number of episodes.")] = 600,
    classifier: Annotated[
        str, typer.Option(help=f"Classifier of the episodes: {', '.join(KINDS)}.")
    ] = "logistic",
    features: Annotated[
        str, typer.Option(help=f"Output of the model: {' or '.join(FEATURES)}.")
    ] = "embedding",
    support_augmentation: Annotated[
        str, typer.Option(help=f"Augmentation of the support images: {', '.join(MODES)}.")
    ] = "crop_flip",
    n_support_copies: Annotated[
        int, typer.Option(help="Augmented copies of each support image.")
    ] = 5,
    flip: Annotated[bool, typer.Option(help="Let the augmentation mirror images.")] = True,
    seed: Annotated[int, typer.Option(help="Seed of the episodes and the augmentation.")] = 0,
    legacy_episodes: Annotated[
        bool, typer.Option("--legacy-episodes", help="Draw the episodes of the published code.")
    ] = False,
    episodes_file: Annotated[
        Path | None,
        typer.Option(help="File of episodes: replayed if it exists, otherwise written."),
    ] = None,
    threads: Threads = None,
    json: Annotated[Path | None, typer.Option(help="JSON file for the whole report.")] = None,
) -> None:
    """Evaluate a checkpoint on few-shot episodes: mean accuracy with its 95 % interval.

    Every model meets the same episodes, which depend only on the labels, the options and the seed.
    docs/how-to/evaluation.md defines the computation and the report. Under mpirun the processes
    share the episodes (docs/how-to/distributed.md).
    """
    with ending_in_one_line(OWNER, in_words=naming(OPTIONS)):
        communicator = join(threads)
        ranks = ranks_of(communicator, OWNER)
        with ranks.abort_on_local_error(), ranks.raise_on_all_ranks():
            report = None if json is None else check.output_file(json, "json", OWNER)
            model = open_model(checkpoint, pretrained, "checkpoint", OWNER)
            opened = open_data(
                data,
                root,
                OWNER,
                image_size=model.image_size,
                channels=model.input_channels,
            )
            images = getattr(opened, split.value)
        result = skd.evaluate(
            model,
            images,
            n_way=n_way,
            n_shot=n_shot,
            n_query=n_query,
            n_episodes=episodes,
            classifier=cast(ClassifierName, classifier),  # `evaluate` checks it
            features=cast(Features, features),
            support_augmentation=cast(Augmentation, support_augmentation),
            n_support_copies=n_support_copies,
            flip=flip,
            seed=seed,
            legacy_episodes=legacy_episodes,
            episodes_file=episodes_file,
            data_name=data,
            split_name=split.value,
            communicator=communicator,
        )
        if report is not None and ranks.is_first:
            result.save(report)
    for line in (*report_lines(result), *unreadable_lines(opened.unreadable)):
        say(line)


def report_lines(result: skd.EvaluationResult) -> list[str]:
    """Render a result: accuracy, every option and the provenance."""
    mean = f"{result} (mean and ci95 of {len(result.accuracies)} episodes)"
    rows = [("accuracy", mean), *flat(result.options), *flat(result.provenance)]
    rows.append(("threads", f"{skd.get_num_threads()} (does not change results)"))
    return aligned(rows)
