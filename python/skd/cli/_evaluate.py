"""``skd evaluate``: the few-shot accuracy of a checkpoint, with everything that defines it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

import skd
from skd import _validation as check
from skd.choices import Augmentation, ClassifierName, Features
from skd.cli import _protocol as protocol
from skd.cli._exit_status import ending_in_one_line
from skd.cli._formatting import aligned, flat
from skd.cli._opening import open_data, open_model, tell_left_out, unreadable_lines
from skd.cli._options import CHECKPOINT_HELP, Data, Pretrained, Quiet, Root, Threads, naming
from skd.cli._processes import join, say
from skd.distributed.mpi_ranks import ranks_of

OWNER = "skd evaluate"
DIGITS = 12  # of a hash that is shown to tell files apart


def evaluate(
    *,
    checkpoint: Annotated[
        Path | None, typer.Argument(help=CHECKPOINT_HELP, show_default=False)
    ] = None,
    pretrained: Pretrained = None,
    data: Data,
    root: Root = None,
    split: protocol.SplitName = "val",
    n_way: protocol.NWay = 5,
    n_shot: protocol.NShot = 1,
    n_query: protocol.NQuery = 15,
    episodes: protocol.Episodes = 600,
    classifier: protocol.Classifier = "logistic",
    features: protocol.Features = "embedding",
    support_augmentation: protocol.SupportAugmentation = "crop_flip",
    n_support_copies: protocol.SupportCopies = 5,
    flip: protocol.Flip = True,
    seed: protocol.Seed = 0,
    legacy_episodes: protocol.LegacyEpisodes = False,
    episodes_file: protocol.EpisodesFile = None,
    threads: Threads = None,
    json: protocol.Report = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print every option and hash too.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Measure the few-shot accuracy of a model.

    The accuracy has a 95 % interval over the episodes. Every model meets the same episodes, which
    depend only on the labels, the options and the seed. docs/how-to/evaluation.md defines the
    computation and the report. Under mpirun the processes share the episodes
    (docs/how-to/distributed.md).
    """
    with ending_in_one_line(OWNER, in_words=naming(protocol.NAMES)):
        communicator = join(threads)
        ranks = ranks_of(communicator, OWNER)
        with ranks.abort_on_local_error(), ranks.raise_on_all_ranks():
            check.choice(split, "split_name", OWNER, protocol.SPLITS)
            report = None if json is None else check.output_file(json, "json", OWNER)
            model = open_model(checkpoint, pretrained, "checkpoint", OWNER)
            opened = open_data(
                data,
                root,
                OWNER,
                image_size=model.image_size,
                channels=model.input_channels,
                progress=not quiet,
            )
        result = skd.evaluate(
            model,
            getattr(opened, split),
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
            split_name=split,
            progress=not quiet,
            communicator=communicator,
        )
        if report is not None and ranks.is_first:
            result.save(report)
    answer, *further = answer_lines(result)
    say(answer)
    if not quiet:
        say("\n".join(further))
        tell_left_out(opened.unreadable, data, root, OWNER)
    if verbose:
        for line in (*report_lines(result), *unreadable_lines(opened.unreadable)):
            say(line)


def answer_lines(result: skd.EvaluationResult) -> list[str]:
    """Render a result in five lines, the accuracy first."""
    options, model, data = result.options, result.provenance["model"], result.provenance["data"]
    copies = "1 copy of each support image"
    if options["support_augmentation"] != "none":
        number, how = options["n_support_copies"], options["support_augmentation"]
        copies = f"{number} copies of each support image ({how})"
    return aligned(
        [
            ("accuracy", f"{result} (mean and ci95 of {len(result.accuracies)} episodes)"),
            (
                "task",
                f"{options['n_way']}-way {options['n_shot']}-shot, {options['n_query']} queries of "
                f"each class, seed {options['seed']}",
            ),
            ("method", f"{options['classifier']} on {options['features']}, {copies}"),
            (
                "model",
                f"{model['architecture']}, {model['image_size']} px, "
                f"sha256 {model['sha256'][:DIGITS]}",
            ),
            (
                "data",
                f"{data['name']} {data['split']}, {data['n_images']} images of "
                f"{data['num_classes']} classes, sha256 {data['sha256'][:DIGITS]}",
            ),
        ]
    )


def report_lines(result: skd.EvaluationResult) -> list[str]:
    """Render every option and the provenance of a result."""
    rows = [*flat(result.options), *flat(result.provenance)]
    return aligned([*rows, ("threads", f"{skd.get_num_threads()} (does not change results)")])
