"""A right call of every public callable, for `run_hostile`.

They are those of `run_fuzz`, with the callables that it leaves out.
"""

import inspect
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import Any

import data_files
import numpy as np
import recipe_data
from run_fuzz import PIXELS, TRANSDUCTIVE, Subjects, functions, methods

import skd
from skd import callbacks, datasets, distributed, plots, profiling, recipes
from skd.history import EpochRecord, Losses

#: Where a maker of `run_fuzz` may choose what is refused, or what takes long.
RIGHT = {
    "n_way": lambda: 2, "n_episodes": lambda: 3, "n_query": lambda: 1, "n_shot": lambda: 1,
    "epoch": lambda: 1, "step": lambda: 1, "schedule": lambda: "step", "seed": lambda: 3,
    "legacy_episodes": lambda: False, "query_distribution": lambda: "uniform",
    "open_set": lambda: None,
}  # fmt: skip
#: Parameters of matplotlib's objects, and what a method is called on.
LEFT_OUT = {"ax", "self"}
#: What has no right call here: what only the library makes or calls, and what needs other packages.
NOT_CALLED = {
    "skd.Model", "recipes.Run", "Run.train", "callbacks.MLflow", "callbacks.WeightsAndBiases",
    *(
        f"{listener}.{method}"
        for listener in (
            "Callback", "EarlyStopping", "HistoryFile", "MetricsCallback", "MLflow", "TensorBoard",
            "WeightsAndBiases",
        )
        for method in ("log", "on_begin", "on_end", "on_epoch", "on_step")
    ),
    *(
        f"{estimator}.get_params"
        for estimator in (
            "CalibratedClassifier", "FewShotClassifier", "LinearSVC", "LogisticRegression", "Model",
            "NearestCentroid", "NearestNeighbor", "RidgeClassifier",
            *(kind.__name__ for kind in TRANSDUCTIVE),
        )
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A callable, makers of right arguments, and what undoes the calls before."""

    call: Callable[..., Any]
    arguments: dict[str, Callable[[], Any]]
    reset: Callable[[], None] = lambda: None


def public_callables():
    """Return the names of all public functions and classes, and of the methods of the classes."""
    found = {}
    members = [getattr(skd, name) for name in skd.__all__]
    modules = [skd, *filter(inspect.ismodule, members)]
    for module in modules:
        prefix = module.__name__.rpartition(".")[2]
        for name in module.__all__:
            value = getattr(module, name)
            if not callable(value) or value in found.values():
                continue
            if inspect.isclass(value) and issubclass(value, (Exception, Warning)):
                continue
            found[f"{prefix}.{name}"] = value
    for value in list(found.values()):
        if inspect.isclass(value):
            for name, method in inspect.getmembers(value):
                is_own = str(getattr(method, "__module__", "")).startswith("skd")
                if callable(method) and is_own and not name.startswith("_"):
                    found[f"{value.__name__}.{name}"] = method
    return {name for name, value in found.items() if parameters(value)}


def parameters(value):
    """Return the parameters of a callable for which values are tried."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        parameter
        for parameter in inspect.signature(value).parameters.values()
        if parameter.kind not in kinds and parameter.name not in LEFT_OUT
    ]


def cases(folder):
    """Return {name: case}."""
    subjects = Subjects(folder)
    table = {}
    for name, (call, positional, keywords) in (functions(subjects) | methods(subjects)).items():
        places = [*inspect.signature(call).parameters][: len(positional)]
        table[name] = (call, dict(zip(places, positional, strict=True)) | keywords)
    table |= _more_functions(subjects, folder) | _records() | _more_methods(subjects, folder)
    resets = {type(trainer).__name__: _reset(trainer) for trainer in subjects.trainers}
    resets["Model"] = _reset(subjects.trainers[-1])
    return {
        name: Case(
            call,
            {place: RIGHT.get(place, make) for place, make in makers.items()},
            resets.get(name.partition(".")[0], lambda: None),
        )
        for name, (call, makers) in table.items()
    }


def _reset(trainer):
    """Return what brings a trainer and its models back to where they were."""
    models = [model for model in (trainer.model, getattr(trainer, "teacher", None)) if model]
    states, (_, own) = [model.snapshot() for model in models], trainer.snapshot()
    normalizations = [model.normalization for model in models]

    def reset():
        for model, state, normalization in zip(models, states, normalizations, strict=True):
            model.load_state_dict(state)
            model.normalization = normalization
        trainer.load_state_dict(own)

    return reset


def _always(value):
    return lambda: value


def _pickles(folder):
    """Write a small data set as it is published; return its folder."""
    source = folder / "cifar-fs"
    if not source.exists():
        source.mkdir()
        data_files.write_pickles(source, data_files.make_parts(32))
    return source


def _imported(folder):
    return datasets.import_data(_pickles(folder), name="cifar-fs", to=folder / "imported")


@wraps(datasets.import_data)
def _into_new_folder(source, *, to=None, **options):
    if to is None:
        shutil.rmtree("data", ignore_errors=True)
    return datasets.import_data(source, to=to, **options)


def _more_functions(subjects, folder):
    image = import_module("PIL.Image")
    photos = folder / "photos"
    for number in range(9):
        (photos / f"c{number // 3}").mkdir(parents=True, exist_ok=True)
        image.fromarray(PIXELS()[number]).save(photos / f"c{number // 3}" / f"{number}.png")
    split, layer = subjects.split, profiling.resnet12_convolutions(2, 32)[0]
    return {
        "datasets.from_arrays": (datasets.from_arrays, {
            "images": PIXELS, "labels": lambda: np.arange(12) % 3, "mean": lambda: np.full(3, 0.5),
            "std": lambda: np.full(3, 0.5), "class_names": lambda: ("a", "b", "c")}),
        "datasets.from_folder": (datasets.from_folder, {
            "path": _always(photos), "image_size": _always(16), "channels": _always(3),
            "split": _always((0.4, 0.3, 0.3)), "seed": _always(0)}),
        "datasets.load": (datasets.load, {"name": _always("glyphs")}),
        "datasets.import_data": (_into_new_folder, {
            "source": _always(_pickles(folder)), "name": _always("cifar-fs")}),
        "datasets.load_imported": (datasets.load_imported, {
            "folder": _always(_imported(folder))}),
        "datasets.save_contact_sheet": (datasets.save_contact_sheet, {
            "split": _always(split), "path": _always(folder / "sheet.png")}),
        "distributed.abort_on_error": (distributed.abort_on_error, {"communicator": _always(None)}),
        "distributed.share_threads": (distributed.share_threads, {
            "communicator": lambda: import_module("mpi4py.MPI").COMM_SELF}),
        "skd.threads": (skd.threads, {"count": _always(1)}),
        "skd.peak_gflops": (skd.peak_gflops, {"threads": _always(1)}),
        "ConvolutionShape.algorithm_for": (
            layer.shape.algorithm_for, {"computation": _always("forward")}),
        "ConvolutionShape.supports": (layer.shape.supports, {"algorithm": _always("gemm")}),
        "ConvolutionShape.time": (layer.shape.time, {
            "computation": _always("forward"), "runs": _always(1)}),
        "skd.one_cycle_lr": (skd.one_cycle_lr, {
            "progress": _always(1.5), "epochs": _always(5), "warmup_epochs": _always(1.0),
            "base": _always(0.1), "factor": _always(0.1)}),
        "recipes.load": (recipes.load, {"recipe": _always("gen0-glyphs"), "changes": _always(())}),
    }  # fmt: skip


def _records():
    losses = Losses(1.0, 1.0, 0.0, 0.0, 0.0, 0.5, 0.0, terms={})
    ones, split = np.ones((3, 4)), skd.datasets.load("glyphs").val
    return {
        "skd.Losses": (Losses, {field: _always(1.0) for field in Losses._fields}),
        "skd.EpochRecord": (EpochRecord, {
            "epoch": _always(1), "learning_rate": _always(0.1), "losses": _always(losses),
            "seconds": _always(1.0), "images_per_second": _always(9.0)}),
        "skd.History": (skd.History, {"records": _always(())}),
        "skd.Episodes": (skd.Episodes, {
            name: lambda: np.zeros((1, 2, 3), int) for name in ("classes", "support", "query")}),
        "skd.Episode": (skd.Episode, {
            name: lambda: np.zeros(3, int) for name in skd.Episode._fields}),
        "skd.GroupAccuracy": (skd.GroupAccuracy, {
            name: _always(1) for name in skd.GroupAccuracy._fields}),
        "skd.PairedDifference": (skd.PairedDifference, {
            "mean": _always(1.0), "ci95": _always(1.0)}),
        "skd.OpenSetQuality": (skd.OpenSetQuality, {
            "auroc": _always(90.0), "fpr95": _always(9.0)}),
        "skd.OpenSetResult": (skd.OpenSetResult, {
            **{name: _always(1.0) for name in ("auroc", "auroc_ci95", "fpr95", "fpr95_ci95")},
            "aurocs": lambda: np.ones(9), "fpr95s": lambda: np.ones(9)}),
        "skd.ComparisonMatrix": (skd.ComparisonMatrix, {"results": lambda: _matrix().results}),
        "ComparisonMatrix.difference": (_matrix().difference, {
            "data": _always("d"), "first": _always(("m", "ridge")),
            "second": _always(("m", "ridge"))}),
        "ComparisonMatrix.save": (_matrix().save, {"path": _always("matrix.json")}),
        "skd.Reliability": (skd.Reliability, {
            "counts": lambda: np.ones(3, int), "confidence": lambda: np.full(3, 0.5),
            "accuracy": lambda: np.full(3, 0.5), "error": _always(0.0)}),
        "skd.Normalization": (skd.Normalization, {
            "mean": _always((0.5,)), "std": _always((0.5,))}),
        "skd.LayerSummary": (skd.LayerSummary, {
            "name": _always("a"), "kind": _always("linear"), "output_shape": _always((4,)),
            "parameter_count": _always(8), "multiply_adds": _always(8)}),
        "skd.ModelSummary": (skd.ModelSummary, {
            "architecture": _always("resnet12"), "input_shape": _always((16, 16, 3)),
            "layers": _always(())}),
        "skd.EvaluationResult": (skd.EvaluationResult, {
            "mean": _always(50.0), "ci95": _always(1.0), "accuracies": _always(np.full(9, 50.0)),
            "options": _always({})}),
        "skd.HeadComparison": (skd.HeadComparison, {
            "results": lambda: {"a": skd.EvaluationResult(50.0, 1.0, np.full(9, 50.0), {})},
            "baseline": _always("a")}),
        "ops.BatchNorm": (skd.ops.BatchNorm, {
            name: _always(ones[0]) for name in inspect.signature(skd.ops.BatchNorm).parameters}),
        "skd.TrainingPlan": (skd.TrainingPlan, {
            name: _always(1) for name in inspect.signature(skd.TrainingPlan).parameters}),
        "callbacks.RunStart": (callbacks.RunStart, {
            "objective": _always("Gen0"), "epochs": _always(2), "steps_per_epoch": _always(3),
            "batch_size": _always(4), "steps_done": _always(0), "records": _always(())}),
        "callbacks.StepRecord": (callbacks.StepRecord, {
            "epoch": _always(1), "step": _always(1), "steps_done": _always(1),
            "learning_rate": _always(0.1), "losses": _always(losses), "seconds": _always(0.1)}),
        "datasets.FewShotData": (datasets.FewShotData, {
            part: _always(split) for part in ("train", "val", "test")}),
        "datasets.Split": (datasets.Split, {
            "images": PIXELS, "labels": lambda: np.arange(12) % 3,
            "original_labels": lambda: np.arange(3), "class_names": _always(("a", "b", "c")),
            "mean": _always((0.5,) * 3), "std": _always((0.5,) * 3)}),
        "profiling.ConvolutionLayer": (profiling.ConvolutionLayer, {
            "name": _always("a"), "shape": _always(profiling.resnet12_convolutions(2, 32)[0].shape),
            "needs_input_gradient": _always(True)}),
        "profiling.ConvolutionTimes": (profiling.ConvolutionTimes, {
            "kernel": _always(ones[0]), "pack": _always(ones[0])}),
    } | _recipe_parts()  # fmt: skip


def _recipe_parts():
    whole = recipes.load("gen1-glyphs")
    parts = {
        "Data": whole.data, "Network": whole.model, "Optimizer": whole.optimizer,
        "Schedule": whole.schedule, "Gen1Loss": whole.loss, "Teacher": whole.teacher,
        "Evaluation": whole.evaluation, "Recipe": whole, "Gen0Loss": recipes.Gen0Loss(),
        "DistilledLoss": recipes.DistilledLoss(),
        "Expected": recipes.load("gen0-cifar-fs").expected,
        "Measured": recipes.load("rfs-simple-cifar-fs-fast").measured,
    }  # fmt: skip
    return {
        f"recipes.{name}": (
            getattr(recipes, name),
            {key: _always(getattr(part, key)) for key in inspect.signature(type(part)).parameters},
        )
        for name, part in parts.items()
    } | {"Expected.of": (parts["Expected"].of, {"n_shot": _always(1)})}


def _more_methods(subjects, folder):
    model, split = subjects.model, subjects.split
    trainer = subjects.trainers[0]

    def normalization(value):
        model.normalization = value

    def learning_rate(learning_rate):
        trainer.learning_rate = learning_rate

    result = skd.evaluate(model, split, n_way=2, n_query=1, n_episodes=3)
    result.save(folder / "result.json")
    comparison = skd.HeadComparison({"ridge": result}, "ridge")
    comparison.save(folder / "heads.json")
    term = skd.Term("t", lambda rows, *_: (0.0, 0 * rows))
    return {
        "Model.fit": (model.fit, {"X": PIXELS, "y": lambda: np.arange(12) % 3}),
        "Model.transform": (model.transform, {"X": PIXELS}),
        "Model.fit_transform": (model.fit_transform, {
            "X": PIXELS, "y": lambda: np.arange(12) % 3}),
        "Split.subset": (split.subset, {
            "n_classes": _always(2), "per_class": _always(2), "seed": _always(0)}),
        "Term.evaluate": (term.evaluate, {
            "rows": lambda: np.ones((4, 3), np.float32), "labels": lambda: np.arange(4),
            "views": _always((0,))}),
        "EvaluationResult.difference": (result.difference, {"other": _always(result)}),
        "EvaluationResult.save": (result.save, {"path": _always(folder / "other.json")}),
        "EvaluationResult.load": (skd.EvaluationResult.load, {
            "path": _always(folder / "result.json")}),
        "HeadComparison.save": (comparison.save, {"path": _always(folder / "other.json")}),
        "HeadComparison.load": (skd.HeadComparison.load, {
            "path": _always(folder / "heads.json")}),
        "Model.normalization": (normalization, {"value": _always(((0.5,) * 3, (0.5,) * 3))}),
        "Supervised.learning_rate": (learning_rate, {"learning_rate": _always(0.1)}),
        "callbacks.EarlyStopping": (callbacks.EarlyStopping, {
            "patience": _always(2), "monitor": _always("loss"), "min_delta": _always(0.1)}),
        "callbacks.HistoryFile": (callbacks.HistoryFile, {"path": _always(folder / "h.jsonl")}),
        "callbacks.TensorBoard": (callbacks.TensorBoard, {"folder": _always(folder / "events")}),
        "callbacks.MetricsCallback": (callbacks.MetricsCallback, {"every_steps": _always(10)}),
    } | _displays(subjects) | _runs(folder)  # fmt: skip


def _matrix():
    """Return a matrix of one cell."""
    features, labels = np.repeat(np.eye(3), 4, axis=0), np.repeat(np.arange(3), 4)
    options = {"n_way": 2, "n_query": 1, "n_episodes": 2, "progress": False}
    found = skd.evaluate_many_features(features, labels, heads=["ridge"], **options)
    return skd.ComparisonMatrix({"d": {"m": found}})


def _displays(subjects):
    model, split, rng = subjects.model, subjects.split, np.random.default_rng(0)
    values, names = {"a": rng.random(9)}, ("x", "y", "z")
    common = {"models": _always(model), "model": _always(model), "split": _always(split)}
    small = {"n_way": _always(2), "n_query": _always(1), "n_episodes": _always(2)}
    table = {
        "ClassDistanceDisplay": (plots.ClassDistanceDisplay, {
            "within": _always(values), "between": _always(values)}),
        "EmbeddingDisplay": (plots.EmbeddingDisplay, {
            "points": lambda: {"a": rng.random((9, 2))}, "labels": lambda: np.arange(9) % 3,
            "class_names": _always(names)}),
        "EpisodeConfusionDisplay": (plots.EpisodeConfusionDisplay, {
            "counts": lambda: np.full((3, 3), 2), "class_names": _always(names)}),
        "EpisodeDisplay": (plots.EpisodeDisplay, {
            "support": lambda: rng.integers(0, 255, (3, 1, 8, 8, 3), dtype=np.uint8),
            "query": lambda: rng.integers(0, 255, (3, 2, 8, 8, 3), dtype=np.uint8),
            "predicted": lambda: np.zeros((3, 2), int), "class_names": _always(names)}),
        "LogitEntropyDisplay": (plots.LogitEntropyDisplay, {
            "entropies": _always(values), "num_classes": _always(3)}),
        "ComparisonDisplay": (plots.ComparisonDisplay, {"matrix": _always(_matrix())}),
        "ReliabilityDisplay": (plots.ReliabilityDisplay, {
            "reliabilities": lambda: {"a": skd.reliability([[0.9, 0.1]], [0])}}),
        "TrainingCurvesDisplay": (plots.TrainingCurvesDisplay, {
            "epochs": lambda: np.arange(1, 4), "learning_rate": lambda: np.full(3, 0.1),
            "losses": lambda: {"total": np.ones(3)}, "accuracy": lambda: np.ones(3)}),
    }  # fmt: skip
    found = {f"plots.{name}": entry for name, entry in table.items()}
    for name, (kind, _) in table.items():
        for maker in ("from_models", "from_model"):
            if hasattr(kind, maker):
                call = getattr(kind, maker)
                makers = {
                    key: make
                    for key, make in (common | small).items()
                    if key in inspect.signature(call).parameters
                }
                found[f"{name}.{maker}"] = (call, makers)
    result = skd.EvaluationResult(50.0, 1.0, np.full(9, 50.0), {})
    comparison = {"comparisons": _always(skd.HeadComparison({"a": result}, "a"))}
    kind = plots.HeadComparisonDisplay
    found["plots.HeadComparisonDisplay"] = (kind, comparison)
    found["HeadComparisonDisplay.from_comparisons"] = (kind.from_comparisons, comparison)
    found["EpisodeConfusionDisplay.from_classifier"] = (
        plots.EpisodeConfusionDisplay.from_classifier,
        {
            "classifier": _always(subjects.few_shot), "images": PIXELS,
            "labels": lambda: np.arange(12) % 3,
        },
    )  # fmt: skip
    found["ComparisonDisplay.from_matrix"] = (
        plots.ComparisonDisplay.from_matrix,
        {"matrix": _always(_matrix())},
    )
    found["ReliabilityDisplay.from_predictions"] = (
        plots.ReliabilityDisplay.from_predictions,
        {"probabilities": lambda: np.full((4, 2), 0.5), "labels": lambda: np.arange(4) % 2},
    )
    found["ReliabilityDisplay.from_classifier"] = (
        plots.ReliabilityDisplay.from_classifier,
        {
            "classifier": _always(subjects.few_shot), "images": PIXELS,
            "labels": lambda: np.arange(12) % 3,
        },
    )  # fmt: skip
    found["TrainingCurvesDisplay.from_history"] = (
        plots.TrainingCurvesDisplay.from_history,
        {"history": _always(subjects.trainers[0].fit(split, epochs=2, batch_size=6))},
    )
    return found


def _runs(folder):
    """Return the calls that train by a recipe; each begins in a folder that is not there."""
    plain = recipes.load("gen0-glyphs")
    recipe = recipes.load("gen0-glyphs", changes=recipe_data.changes(plain))
    place, other = folder / "run", folder / "folder"

    @wraps(recipes.run)
    def run(*arguments, **options):
        shutil.rmtree(place, ignore_errors=True)
        return recipes.run(*arguments, **options)

    @wraps(recipes.plan)
    def plan(*arguments, **options):
        shutil.rmtree(place, ignore_errors=True)
        return recipes.plan(*arguments, **options)

    run_folder = recipes.RunFolder(other)
    run_folder.begin(recipe)
    (prepared,) = recipes.plan(recipe, folder / "prepared")
    prepared.prepare()
    history = prepared.train()
    return {
        "recipes.run": (run, {"recipe": _always(recipe), "folder": _always(place)}),
        "recipes.plan": (plan, {"recipe": _always(recipe), "folder": _always(place)}),
        "recipes.RunFolder": (recipes.RunFolder, {"path": _always(other)}),
        "RunFolder.begin": (run_folder.begin, {"recipe": _always(recipe)}),
        "RunFolder.list_unreadable": (run_folder.list_unreadable, {"entries": _always(("a",))}),
        "RunFolder.write_report": (run_folder.write_report, {"report": _always({"a": 1})}),
        "RunFolder.require_same_run": (run_folder.require_same_run, {
            "recipe": _always(recipe), "may_be_longer": _always(False)}),
        "Run.evaluate": (prepared.evaluate, {"history": _always(history)}),
        "TrainingCurvesDisplay.from_run": (plots.TrainingCurvesDisplay.from_run, {
            "path": _always(folder / "prepared")}),
    }  # fmt: skip
