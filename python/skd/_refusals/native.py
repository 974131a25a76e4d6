"""Refusals of the library, in the words of the Python function that was called.

The library names an argument of a C function: "images" of "trainer_step". The binding hands the
parts of each refusal to `refusal`, which spells them as the caller does: "The 'x' parameter of
Gen0.step must be finite; got nan." Where several Python functions call one of the library,
`refused_as` tells which of them it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple

from skd._refusals import Refusal, refusal_of

POWERS = {2**power: f"2**{power}" for power in (24, 40, 47, 60, 62)} | {
    2**power - 1: f"2**{power} - 1" for power in (32, 48)
}


class Bounds(NamedTuple):
    """The integers that are legal, and the one that came.

    Attributes
    ----------
    minimum, maximum : int
        The smallest and the largest legal integer.
    value : int
        The integer that is not between them.
    unit : str or None
        What the integers count, in the plural; None if they are the argument itself.
    """

    minimum: int
    maximum: int
    value: int
    unit: str | None = None


class Counted(NamedTuple):
    """An argument of Python of which the library was given a count."""

    name: str
    unit: str


Names = Mapping[str, str | Counted]


class Function(NamedTuple):
    """A function of the library.

    Attributes
    ----------
    owner : str or None
        The one Python function that calls it; None if there are several.
    names : mapping
        Arguments that Python calls otherwise.
    """

    owner: str | None
    names: Names = MappingProxyType({})


UNITS = {
    "batch": "image",
    "height": "row of pixels",
    "width": "column of pixels",
    "channels": "channel",
}


def _extents(name: str) -> dict[str, Counted]:
    return {
        f"shape{inner}.{extent}": Counted(name, unit)
        for inner in ("", ".input")
        for extent, unit in UNITS.items()
    }


IMAGES: Names = {**_extents("x"), "shape": "x", "shape.input": "x", "input": "x"}
KERNELS: Names = {
    **IMAGES,
    "shape.output_channels": Counted("weight", "kernel"),
    "shape.kernel_size": Counted("weight", "row of a kernel"),
    "shape.stride": "stride",
    "shape.padding": "padding",
    "weight of shape": "weight",
    "output of shape": "x",
}
MATRIX: Names = {
    "input": "x",
    "rows": Counted("x", "row"),
    "input_features": Counted("x", "column"),
    "output_features": Counted("weight", "row"),
    "input_features * output_features": "weight",
    "rows * output_features": "x",
}
VALUES: Names = {
    "input": "x",
    "rows": Counted("x", "value per channel"),
    "channels": Counted("x", "channel"),
    "rows * channels": "x",
}
SHAPE: Names = dict.fromkeys(("shape.input", "weight of shape", "output of shape"), "self")
GATE: Names = {**IMAGES, "hidden": Counted("weight1", "row"), "batch * hidden": "x"}
FIT: Names = {
    "features": "X",
    "rows": Counted("X", "row"),
    "dimensions": Counted("X", "column"),
    "classes": Counted("y", "class"),
    "labels": "y",
    "inverse_regularization": "C",
    "tolerance": "tol",
    "max_iterations": "max_iter",
}


EPISODES: Names = {
    **{f"options.{name}": name for name in ("n_way", "n_shot", "n_query", "query_concentration")},
    **{
        "options.max_way": "n_way",
        "options.max_shot": "n_shot",
        "options.unknown_ways": "open_set",
    },
    "options.n_way + options.unknown_ways": "n_way + open_set",
    "options.n_shot + options.n_query": "n_shot + n_query",
    "options.n_shot + options.n_way * options.n_query": "n_shot + n_way * n_query",
}
MODEL: Names = {"model": "self"}
STEP: Names = {**MODEL, "images": "x", "batch": Counted("x", "image"), "side": "image_size"}
MEMORY: Names = {**MODEL, "images": "batch_size", "batch": "batch_size", "side": "image_size"}


def _config(*names: str) -> Names:
    return {f"config.{name}": name for name in names}


def _logits(name: str) -> Names:
    return {
        "rows": Counted(name, "row"),
        "classes": Counted(name, "column"),
        "rows * classes": name,
    }


FUNCTIONS: Mapping[str, Function] = {
    "conv2d_forward": Function("conv2d", KERNELS),
    "conv2d_backward": Function("conv2d_backward", KERNELS),
    "linear_forward": Function("linear", MATRIX),
    "linear_backward": Function("linear_backward", MATRIX),
    "batch_norm_forward_train": Function("batch_norm2d", VALUES),
    "batch_norm_forward_eval": Function("batch_norm2d", VALUES),
    "batch_norm_backward": Function("batch_norm2d_backward", VALUES),
    "max_pool2d_forward": Function("max_pool2d", IMAGES),
    "max_pool2d_backward": Function("max_pool2d_backward", IMAGES),
    "global_average_pool_forward": Function("global_average_pool", IMAGES),
    "global_average_pool_backward": Function(
        "global_average_pool_backward",
        {
            "shape": "d_output",
            "shape.batch": Counted("d_output", "row"),
            "shape.channels": Counted("d_output", "column"),
        },
    ),
    "leaky_relu_forward": Function("leaky_relu", {"count": Counted("x", "value")}),
    "leaky_relu_backward": Function("leaky_relu_backward", {"count": Counted("x", "value")}),
    "dropout_apply": Function(None, {"count": Counted("x", "value")}),
    "drop_block_apply": Function(None, IMAGES),
    "dropout_mask": Function("dropout_mask", {"count": Counted("shape", "value")}),
    "drop_block_corners": Function("drop_block_corners", _extents("shape")),
    "squeeze_excitation_forward": Function("squeeze_excitation", GATE),
    "squeeze_excitation_backward": Function("squeeze_excitation_backward", GATE),
    "rotate_images": Function(
        "rotate", {"batch": Counted("images", "image"), "channels": Counted("images", "channel")}
    ),
    "sgd_step": Function("sgd_step", {"count": Counted("parameter", "value")}),
    "cross_entropy": Function("cross_entropy", _logits("logits")),
    "bce_with_logits": Function("rotation_bce", _logits("logits")),
    "distill_kl": Function("distill_kl", _logits("student")),
    "twin_l2": Function("twin_l2", _logits("rotated")),
    "logistic_regression_fit": Function("LogisticRegression.fit", FIT),
    "ridge_classifier_fit": Function("RidgeClassifier.fit", FIT),
    "linear_svc_fit": Function("LinearSVC.fit", FIT),
    "class_centroids": Function("NearestCentroid.fit", FIT),
    "classify_queries": Function(
        None,
        {
            "classes": Counted("labels", "class"),
            "support_labels": "labels",
            **dict.fromkeys(("scores", "class means"), "labels"),
            **{f"{part} of an episode": "query" for part in ("features", "scores")},
            "products of features": "query",
        },
    ),
    "step_learning_rate": Function(None, {"milestones": "decay_epochs"}),
    "cosine_learning_rate": Function("cosine_lr"),
    "episode_extents": Function(None, EPISODES),
    "sample_episodes": Function(None, EPISODES),
    "open_set_scores": Function(
        "open_set_scores",
        {
            "features": "X",
            "rows": Counted("X", "row"),
            "dimensions": Counted("X", "column"),
            "classes": Counted("centroids", "row"),
        },
    ),
    "open_set_quality": Function(
        "open_set_quality",
        {"known_count": Counted("known", "score"), "unknown_count": Counted("unknown", "score")},
    ),
    "augment": Function(None, {"batch": Counted("images", "image"), "side": "images"}),
    "shuffle": Function("epoch_order", {"count": "n_images"}),
    "conv2d_algorithm": Function("ConvolutionShape.algorithm_for", SHAPE),
    "conv2d_time": Function("ConvolutionShape.time", SHAPE),
    "model_create": Function(
        "create_model",
        {
            **_config("architecture", "num_classes", "image_size", "input_channels", "widths"),
            **_config("drop_rate", "dropblock_size", "rotation_head", "precision", "use_se"),
            "config.width_count": Counted("widths", "entry"),
        },
    ),
    "model_lock": Function(None, MODEL),
    "model_clone": Function("Model.clone", MODEL),
    "model_evaluate": Function(None, MODEL),
    "model_stage_output": Function("Model.stage_outputs", MODEL),
    "model_evaluation_memory": Function(None, {"batch": "n_images", "images": "n_images"}),
    "model_require_memory": Function(None, {**MODEL, "batch": Counted("images", "image")}),
    "model_load": Function(None, MODEL),
    "l2_normalize": Function("l2_normalize", {"dimensions": Counted("features", "column")}),
    "trainer_create": Function(
        None,
        {
            **_config("temperature", "rotations_per_image"),
            "config.rotation_weight": "alpha",
            "config.twin_weight": "beta",
            "config.cross_entropy_weight": "alpha",
            "config.distillation_weight": "beta",
            "config.twins": "twin_rotations",
        },
    ),
    "trainer_lock": Function(None, MODEL),
    "trainer_set_learning_rate": Function(None, MODEL),
    "trainer_get_losses": Function(None, MODEL),
    "trainer_get_step": Function(None, MODEL),
    "trainer_has_gradient": Function(None, MODEL),
    "trainer_step_memory": Function(None, MEMORY),
    "trainer_require_memory": Function(None, MEMORY),
    "trainer_load": Function(None, MODEL),
    "trainer_step": Function(None, STEP),
    "trainer_loss": Function(None, STEP),
}


def refusal(
    argument: str,
    function: str,
    legal: str,
    got: str | None,
    bounds: tuple[int, int, int, str | None] | None,
) -> Exception:
    """Return the error for a refusal of the library; called by the binding.

    Parameters
    ----------
    argument, function : str
        The argument, and the function of `skd.h` that it was given to.
    legal : str
        The words after "must".
    got : str or None
        What came.
    bounds : tuple or None
        `Bounds` that `legal` tells in C's words, if it does.
    """
    called = FUNCTIONS.get(function, Function(function))
    known = called.names.get(argument, argument)
    if bounds is not None:
        legal = _bounded(Bounds(*bounds), known)
    name = known.name if isinstance(known, Counted) else known
    refused = Refusal(name, called.owner or function, legal, got)
    return refused.error() if called.owner else _of_several(refused, "")


@contextmanager
def refused_as(owner: str, **names: str) -> Iterator[None]:
    """Report what the library refuses as an argument of `owner`.

    Where one method of an object calls another of it, the first is named, which the user called.

    Parameters
    ----------
    owner : str
        The Python function that was called.
    **names : str
        Arguments whose names differ in `owner` from those in `FUNCTIONS`.
    """
    try:
        yield
    except ValueError as error:
        refused, inner = refusal_of(error), getattr(error, "owner", None)
        if refused is None or inner is None:
            raise
        if inner and inner.partition(".")[0] != owner.partition(".")[0]:
            raise
        name = names.get(refused.name, refused.name)
        raise _of_several(refused._replace(name=name, owner=owner), owner) from None


def _of_several(refused: Refusal, owner: str) -> Exception:
    """Return an error of a function with several callers, of which `owner` is the last known."""
    error = refused.error()
    error.owner = owner  # type: ignore[attr-defined]
    return error


def _bounded(bounds: Bounds, argument: str | Counted) -> str:
    """Return the words after "must" for bounds of an argument, or of what it counts."""
    unit = bounds.unit
    if isinstance(argument, Counted) and unit is None:
        unit = argument.unit if bounds.minimum == 1 else _plural(argument.unit)
    least, most = (_power(bound) for bound in (bounds.minimum, bounds.maximum))
    if unit is None:
        return f"be in {least}..{most}"
    if bounds.value < bounds.minimum:
        return f"have at least {least} {unit}"
    return f"have at most {most} {_plural(unit)}"


def _power(bound: int) -> str:
    return POWERS.get(bound, str(bound))


def _plural(unit: str) -> str:
    first, space, rest = unit.partition(" ")
    if first.endswith("y"):
        first = f"{first[:-1]}ies"
    elif not first.endswith("s") or first.endswith("ss"):
        first += "es" if first.endswith("s") else "s"
    return first + space + rest
