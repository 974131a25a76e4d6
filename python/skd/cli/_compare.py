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
from skd.cli import _protocol as protocol
from skd.cli._exit_status import ending_in_one_line
from skd.cli._opening import open_data, open_model, tell_left_out
from skd.cli._options import Data, Quiet, Root, Threads, naming
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
    data: Data,
    root: Root = None,
    split: protocol.SplitName = "val",
    n_way: protocol.NWay = "5",
    n_shot: protocol.NShot = "1",
    n_query: protocol.NQuery = 15,
    query_distribution: protocol.QueryDistribution = "uniform",
    query_concentration: protocol.QueryConcentration = 2.0,
    open_set: protocol.OpenSet = None,
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
    quiet: Quiet = False,
) -> None:
    """Compare models on the same episodes, pair by pair.

    The difference of each pair has a 95 % interval over the episodes. It can separate models whose
    own intervals overlap, because both meet the same episodes (docs/how-to/evaluation.md).
    """
    names = [str(path) for path in checkpoints or ()] + list(pretrained or ())
    with ending_in_one_line(OWNER, in_words=naming(protocol.NAMES)):
        communicator = join(threads)
        ranks = ranks_of(communicator, OWNER)

        @cache
        def opened(image_size: int, channels: int) -> FewShotData:
            return open_data(
                data, root, OWNER, image_size=image_size, channels=channels, progress=not quiet
            )

        with ranks.abort_on_local_error(), ranks.raise_on_all_ranks():
            check.choice(split, "split_name", OWNER, protocol.SPLITS)
            extent = protocol.extent(n_way, n_shot, OWNER)
            if len(names) < 2:
                check.refuse("checkpoint", OWNER, "at least two models", len(names))
            report = None if json is None else check.output_file(json, "json", OWNER)
            models = [open_model(path, None, "checkpoint", OWNER) for path in checkpoints or ()]
            models += [open_model(None, name, "checkpoint", OWNER) for name in pretrained or ()]
            sets = [opened(model.image_size, model.input_channels) for model in models]
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
            for model, whole in zip(models, sets, strict=True)
        ]
        pairs = differences(results)
        if report is not None and ranks.is_first:
            write_atomically(report, comparison(names, results, pairs).encode())
    for line in lines(names, results, pairs):
        say(line)
    if not quiet:
        tell_left_out(sets[0].unreadable, data, root, OWNER)


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
