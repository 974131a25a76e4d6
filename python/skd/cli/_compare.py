"""``skd compare``: several models on the same episodes, with intervals of their differences."""

from __future__ import annotations

import json as json_format
import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, NamedTuple, cast

import typer

import skd
from skd import _validation as check
from skd._files.atomic import write_atomically
from skd._files.bounded_json import finite_or_none
from skd.choices import Augmentation, ClassifierName, Features, QueryDistribution
from skd.classifiers.kinds import KINDS
from skd.cli import _protocol as protocol
from skd.cli._compare_matrix import checked_outputs, compare_matrix
from skd.cli._exit_status import ending_in_one_line
from skd.cli._opening import open_data, open_model, tell_left_out
from skd.cli._options import DATA_HELP, Quiet, Root, Threads, data_names, naming
from skd.cli._processes import join, say
from skd.datasets import FewShotData
from skd.distributed.mpi_ranks import ranks_of

OWNER = "skd compare"
FORMAT, VERSION = "skd-comparison", 1


class Difference(NamedTuple):
    """Accuracy of the model `later` minus that of `earlier`, in percent; both are positions."""

    later: int
    earlier: int
    mean: float
    ci95: float


def compare(
    *,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="CHECKPOINT",
            help="Model files, or folders of runs.",
            show_default=False,
        ),
    ] = None,
    pretrained: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Weights that come with skd, as a further model; may be repeated.",
            autocompletion=skd.list_pretrained,
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        list[str],
        typer.Option(
            metavar="DATA", help=f"{DATA_HELP} Several may follow.", autocompletion=data_names
        ),
    ],
    root: Root = None,
    split: protocol.SplitName = "val",
    n_way: protocol.NWay = "5",
    n_shot: protocol.NShot = "1",
    n_query: protocol.NQuery = 15,
    query_distribution: protocol.QueryDistribution = "uniform",
    query_concentration: protocol.QueryConcentration = 2.0,
    open_set: protocol.OpenSet = None,
    episodes: protocol.Episodes = 600,
    classifier: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"Classifier of the episodes, one or several: {', '.join(KINDS)}.",
            autocompletion=lambda: list(KINDS),
            show_default="logistic",
        ),
    ] = None,
    features: protocol.Features = "embedding",
    support_augmentation: protocol.SupportAugmentation = "crop_flip",
    n_support_copies: protocol.SupportCopies = 5,
    flip: protocol.Flip = True,
    seed: protocol.Seed = 0,
    legacy_episodes: protocol.LegacyEpisodes = False,
    episodes_file: protocol.EpisodesFile = None,
    threads: Threads = None,
    json: protocol.Report = None,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Markdown file of the tables of a matrix."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="PNG, SVG or PDF file of the accuracies of a matrix."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Compare models, data sets and classifiers on the same episodes.

    The difference of each pair has a 95 % interval over the episodes. It can separate models whose
    own intervals overlap, because both meet the same episodes. Several data sets or classifiers
    give a matrix: each model embeds each data set once, and the differences are from the first
    model with the first classifier (docs/how-to/evaluation.md).
    """
    names = [str(path) for path in checkpoints or ()] + list(pretrained or ())
    with ending_in_one_line(OWNER, in_words=naming(protocol.NAMES)):
        communicator = join(threads)
        ranks = ranks_of(communicator, OWNER)

        @cache
        def opened(name: str, image_size: int, channels: int) -> FewShotData:
            return open_data(
                name, root, OWNER, image_size=image_size, channels=channels, progress=not quiet
            )

        with ranks.abort_on_local_error(), ranks.raise_on_all_ranks():
            check.choice(split, "split_name", OWNER, protocol.SPLITS)
            extent = protocol.extent(n_way, n_shot, OWNER)
            heads = list(classifier or ("logistic",))
            is_matrix = len(data) > 1 or len(heads) > 1 or bool(markdown or plot)
            if len(names) < 1 + (not is_matrix):
                least = "one model" if is_matrix else "two models"
                check.refuse("checkpoint", OWNER, f"at least {least}", len(names))
            outputs = checked_outputs(json, markdown, plot, OWNER)
            models = [open_model(path, None, "checkpoint", OWNER) for path in checkpoints or ()]
            models += [open_model(None, name, "checkpoint", OWNER) for name in pretrained or ()]
            for name, value in (
                ("legacy_episodes", legacy_episodes),
                ("episodes_file", episodes_file),
                ("open_set", open_set),
            ):
                if is_matrix and value:
                    check.refuse(name, OWNER, "left out of a matrix", check.shown(value))
            if is_matrix and ranks.size > 1:
                check.refuse("data", OWNER, "one, with one --classifier, under mpirun", "a matrix")
            sets = [
                opened(name, model.image_size, model.input_channels)
                for name in data
                for model in models
            ]
        if is_matrix:
            matrix = compare_matrix(
                dict(zip(_distinct(names), models, strict=True)),
                data,
                opened,
                split,
                outputs,
                heads=heads,
                **extent,
                n_query=n_query,
                query_distribution=query_distribution,
                query_concentration=query_concentration,
                n_episodes=episodes,
                features=features,
                support_augmentation=support_augmentation,
                n_support_copies=n_support_copies,
                flip=flip,
                seed=seed,
                progress=not quiet,
            )
            say(str(matrix))
            return
        results = [
            skd.evaluate(
                model,
                getattr(whole, split),
                **extent,
                n_query=n_query,
                query_distribution=cast(QueryDistribution, query_distribution),
                query_concentration=query_concentration,
                open_set=open_set,
                n_episodes=episodes,
                classifier=cast(ClassifierName, heads[0]),  # `evaluate` checks it
                features=cast(Features, features),
                support_augmentation=cast(Augmentation, support_augmentation),
                n_support_copies=n_support_copies,
                flip=flip,
                seed=seed,
                legacy_episodes=legacy_episodes,
                episodes_file=episodes_file,
                data_name=data[0],
                split_name=split,
                progress=not quiet,
                communicator=communicator,
            )
            for model, whole in zip(models, sets, strict=True)
        ]
        pairs = differences(results)
        if outputs.json is not None and ranks.is_first:
            write_atomically(outputs.json, comparison(names, results, pairs).encode())
    for line in lines(names, results, pairs):
        say(line)
    if not quiet:
        tell_left_out(sets[0].unreadable, data[0], root, OWNER)


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names that differ: a name that was there before gets its number."""
    return [
        name if names.index(name) == place else f"{name} ({place + 1})"
        for place, name in enumerate(names)
    ]


def differences(results: Sequence[skd.EvaluationResult]) -> list[Difference]:
    """Return the difference of each pair of results."""
    return [
        Difference(later, earlier, *results[later].difference(results[earlier]))
        for earlier, later in combinations(range(len(results)), 2)
    ]


def lines(
    names: Sequence[str], results: Sequence[skd.EvaluationResult], pairs: Sequence[Difference]
) -> list[str]:
    """Render the accuracies of the models, and below them the differences of pairs."""
    options, data = results[0].options, results[0].provenance["data"]
    head = (
        f"{protocol.task(options)}, {options['n_episodes']} episodes of {data['name']} "
        f"{data['split']}"
    )
    accuracies = [
        f"{number}  {result}  {name}"
        for number, (name, result) in enumerate(zip(names, results, strict=True), start=1)
    ]
    compared = [
        f"{pair.later + 1} - {pair.earlier + 1}  {_interval(pair)}  {_verdict(pair)}"
        for pair in pairs
    ]
    return [head, *accuracies, "Paired differences, mean and ci95:", *compared]


def comparison(
    names: Sequence[str], results: Sequence[skd.EvaluationResult], pairs: Sequence[Difference]
) -> str:
    """Return the comparison as JSON: the report of each model, and each difference."""
    reports = [json_format.loads(result.to_json()) for result in results]
    models = [{"name": name, **report} for name, report in zip(names, reports, strict=True)]
    compared: list[Mapping[str, Any]] = [
        {
            "model": names[pair.later],
            "minus": names[pair.earlier],
            "mean": pair.mean,
            "ci95": finite_or_none(pair.ci95),
        }
        for pair in pairs
    ]
    content = {
        "format": FORMAT,
        "version": VERSION,
        "unit": "percent",
        "differences": compared,
        "models": models,
    }
    return json_format.dumps(content, indent=2, allow_nan=False) + "\n"


def _interval(pair: Difference) -> str:
    if math.isnan(pair.ci95):
        return f"{pair.mean:+.2f} % (no interval from 1 episode)"
    return f"{pair.mean:+.2f} ± {pair.ci95:.2f} %"


def _verdict(pair: Difference) -> str:
    """Say which model is better, if the interval excludes 0."""
    if abs(pair.mean) > pair.ci95:
        return f"{(pair.later if pair.mean > 0 else pair.earlier) + 1} is better"
    return "these episodes do not separate them"
