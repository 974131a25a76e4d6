"""``skd evaluate``: the few-shot accuracy of a checkpoint, with everything that defines it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

import skd
from skd import _validation as check
from skd.cli import _protocol as protocol
from skd.cli._evaluate_features import evaluate_file, is_feature_file
from skd.cli._exit_status import ending_in_one_line
from skd.cli._formatting import aligned, flat
from skd.cli._opening import open_data, open_model, tell_left_out, unreadable_lines
from skd.cli._options import (
    CHECKPOINT_HELP,
    DATA_HELP,
    Pretrained,
    Quiet,
    Root,
    Threads,
    data_names,
    naming,
)
from skd.cli._processes import join, say
from skd.distributed.mpi_ranks import ranks_of

OWNER = "skd evaluate"
DIGITS = 12  # of a hash that is shown to tell files apart


def evaluate(
    *,
    checkpoint: Annotated[
        Path | None,
        typer.Argument(
            help=f"{CHECKPOINT_HELP[:-1]}, or a file of features: .npz, .npy or safetensors.",
            show_default=False,
        ),
    ] = None,
    pretrained: Pretrained = None,
    data: Annotated[
        str | None, typer.Option(metavar="DATA", help=DATA_HELP, autocompletion=data_names)
    ] = None,
    root: Root = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File of the labels of features that have none."),
    ] = None,
    query: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File of features from which queries are drawn; support images then come from "
            "the other file.",
        ),
    ] = None,
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
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print every option and hash too.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Measure the few-shot accuracy of a model, or of features in a file.

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
            extent = protocol.extent(n_way, n_shot, OWNER)
            report = None if json is None else check.output_file(json, "json", OWNER)
            is_file = is_feature_file(checkpoint)
            if not is_file:
                _require_model_options(data, labels, query)
                model = open_model(checkpoint, pretrained, "checkpoint", OWNER)
                opened = open_data(
                    str(data),
                    root,
                    OWNER,
                    image_size=model.image_size,
                    channels=model.input_channels,
                    progress=not quiet,
                )
        options: dict[str, Any] = {
            **extent,
            "n_query": n_query,
            "query_distribution": query_distribution,
            "query_concentration": query_concentration,
            "open_set": open_set,
            "n_episodes": episodes,
            "classifier": classifier,
            "seed": seed,
            "legacy_episodes": legacy_episodes,
            "episodes_file": episodes_file,
            "progress": not quiet,
        }
        of_images: dict[str, Any] = {
            "features": features,
            "support_augmentation": support_augmentation,
            "n_support_copies": n_support_copies,
            "flip": flip,
            "split_name": split,
        }
        if is_file:
            assert checkpoint is not None
            given = {**of_images, "pretrained": pretrained, "data": data, "root": root}
            result = evaluate_file(checkpoint, labels, query, OWNER, given=given, **options)
        else:
            result = skd.evaluate(
                model,
                getattr(opened, split),
                **options,
                **of_images,
                data_name=data,
                communicator=communicator,
            )
        if report is not None and ranks.is_first:
            result.save(report)
    answer, *further = answer_lines(result)
    say(answer)
    unreadable = () if is_file else opened.unreadable
    if not quiet:
        say("\n".join(further))
        tell_left_out(unreadable, str(data), root, OWNER)
    if verbose:
        for line in (*report_lines(result), *unreadable_lines(unreadable)):
            say(line)


def _require_model_options(data: str | None, labels: Path | None, query: Path | None) -> None:
    """Refuse the options of files of features, and require the data of a model."""
    for name, value in (("labels", labels), ("query", query)):
        if value is not None:
            legal = "left out where CHECKPOINT is not a file of features"
            check.refuse(name, OWNER, legal, repr(str(value)))
    if data is None:
        check.refuse("data", OWNER, "given, unless CHECKPOINT is a file of features", "nothing")


def answer_lines(result: skd.EvaluationResult) -> list[str]:
    """Render a result in about five lines, the accuracy first."""
    options, provenance = result.options, result.provenance
    model, data = provenance["model"], provenance["data"]
    rows = [
        ("accuracy", f"{result} (mean and ci95 of {len(result.accuracies)} episodes)"),
        (
            "task",
            f"{protocol.task(options)}, seed {options['seed']}",
        ),
        ("method", f"{options['classifier']} on {_features_in_words(options)}"),
    ]
    rows += [(name, str(score)) for name, score in result.open_set.items()]
    for name, groups in (("n_way", result.by_way()), ("n_shot", result.by_shot())):
        if name in result.extents:
            rows += [(f"{name} {size}", _group_in_words(group)) for size, group in groups.items()]
    if model is not None:
        size = f"{model['image_size']} px, sha256 {model['sha256'][:DIGITS]}"
        rows.append(("model", f"{model['architecture']}, {size}"))
    rows.append(("data", _data_in_words(data)))
    if "query" in provenance:
        rows.append(("queries", _data_in_words(provenance["query"])))
    return aligned(rows)


def _group_in_words(group: skd.GroupAccuracy) -> str:
    """Describe the accuracy of the episodes of one extent."""
    return f"{group} ({group.n_episodes} episode{'s' if group.n_episodes > 1 else ''})"


def _features_in_words(options: Mapping[str, Any]) -> str:
    """Describe the features of the support images."""
    if "support_augmentation" not in options:
        return str(options.get("features", "features"))
    copies = "1 copy of each support image"
    if options["support_augmentation"] != "none":
        number, how = options["n_support_copies"], options["support_augmentation"]
        copies = f"{number} copies of each support image ({how})"
    return f"{options['features']}, {copies}"


def _data_in_words(data: Mapping[str, Any]) -> str:
    """Describe images or features."""
    name = " ".join(filter(None, (data["name"], data["split"]))) or "features"
    dimensions = f", {data['n_dimensions']} dimensions" if "n_dimensions" in data else ""
    return (
        f"{name}, {data['n_images']} images of {data['num_classes']} classes{dimensions}, "
        f"sha256 {data['sha256'][:DIGITS]}"
    )


def report_lines(result: skd.EvaluationResult) -> list[str]:
    """Render every option and the provenance of a result."""
    rows = [*flat(result.options), *flat(result.provenance)]
    return aligned([*rows, ("threads", f"{skd.get_num_threads()} (does not change results)")])
