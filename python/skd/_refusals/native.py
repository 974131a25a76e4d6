"""What the library refuses, in the words of the Python function that was called.

The library names a C function and its argument: "images of trainer_step must be finite; got nan".
The binding hands each such sentence to `refusal`, which says what the caller knows: "The 'x'
parameter of Gen0.step must be finite; got nan." Where several Python functions call one of the
library, `refused_as` tells which of them it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple

from skd._refusals import Refusal, refusal_of

SENTENCE = re.compile(
    r"(?P<argument>\S.*?) of (?P<function>\w+|a training step|an episode) must (?P<legal>.+)", re.S
)
EXTENT = re.compile(r"be in (?P<least>\d+)\.\.\.(?P<most>\d+); got (?P<got>-?\d+)")
POWERS = {str(2**power): f"2**{power}" for power in (40, 47, 62)} | {
    str(2**power - 1): f"2**{power} - 1" for power in (32, 48)
}


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
    architecture : str, optional
        Argument of `create_model`, which the library names in its place.
    """

    owner: str | None
    names: Names = MappingProxyType({})
    architecture: str | None = None


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


STEP: Names = {"images": "x", "batch": Counted("x", "image"), "side": "image_size"}
MEMORY: Names = {"images": "batch_size", "batch": "batch_size", "side": "image_size"}


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
    "step_learning_rate": Function(None, {"milestones": "decay_epochs"}),
    "cosine_learning_rate": Function("cosine_lr"),
    "sample_episodes": Function(
        None, {f"options.{name}": name for name in ("n_way", "n_shot", "n_query")}
    ),
    "an episode": Function(None),
    "augment": Function(None, {"batch": Counted("images", "image"), "side": "images"}),
    "shuffle": Function("epoch_order", {"count": "n_images"}),
    "conv2d_algorithm": Function("ConvolutionShape.algorithm_for", SHAPE),
    "conv2d_time": Function("ConvolutionShape.time", SHAPE),
    "model_create": Function("create_model", {"width_count": Counted("widths", "entry")}),
    **{
        name: Function("create_model", architecture=name)
        for name in ("resnet12", "seresnet12", "resnet18", "resnet24", "convnet4", "wrn_28_10")
    },
    "model_evaluate": Function(None),
    "model_stage_output": Function(None),
    "model_evaluation_memory": Function(None, {"batch": "n_images", "images": "n_images"}),
    "l2_normalize": Function("l2_normalize", {"dimensions": Counted("features", "column")}),
    "model_require_memory": Function(None, {"batch": Counted("images", "image")}),
    "model_load": Function(None),
    "SGD": Function("SGD", {"learning_rate": "lr"}),
    "trainer_create": Function(None),
    "trainer_set_learning_rate": Function(None),
    "trainer_step_memory": Function(None, MEMORY),
    "trainer_require_memory": Function(None, MEMORY),
    "trainer_load": Function(None),
    "trainer_step": Function(None, STEP),
    "trainer_loss": Function(None, STEP),
    "a training step": Function(None, {"images": "x"}),
}


def refusal(sentence: str) -> Exception:
    """Return the error for a sentence of the library; called by the binding."""
    match = SENTENCE.fullmatch(sentence)
    if match is None:
        return ValueError(sentence)
    function = FUNCTIONS.get(match["function"], Function(match["function"]))
    known, legal = function.names.get(match["argument"], match["argument"]), match["legal"]
    if isinstance(known, Counted):
        name, legal = known.name, _counted(legal, known.unit)
    else:
        name = known
    legal, came, got = _in_python(legal).removesuffix(".").partition("; got ")
    if function.architecture is not None:
        legal = _of_architecture(legal, function.architecture)
    refused = Refusal(name, function.owner or match["function"], legal, got if came else None)
    return refused.error() if function.owner else _of_several(refused, "")


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


def _in_python(legal: str) -> str:
    """Write ranges and powers as Python does."""
    bounds = re.sub(
        r"(?<=\d)\.\.\.(\d+)\b(?!\.)", lambda most: f"..{POWERS.get(most[1], most[1])}", legal
    )
    return re.sub(r"(?<=\d)\.\.\.(?=\d)", "..", bounds).replace("2^", "2**")


def _of_architecture(legal: str, name: str) -> str:
    """Say of which architecture the condition holds."""
    if ": it " in legal:
        return legal.replace(": it ", f": {name!r} ")
    return f"{legal} for {name!r}"


def _counted(legal: str, unit: str) -> str:
    """Turn the bounds of a count into what an array must have."""
    match = EXTENT.fullmatch(legal)
    if match is None:
        return legal
    least, most, got = match["least"], match["most"], match["got"]
    first, space, rest = unit.partition(" ")
    plural = f"{first}es" if first.endswith("s") else f"{first}s"
    if first.endswith("y"):
        plural = f"{first[:-1]}ies"
    if int(got) < int(least):
        units = unit if least == "1" else plural + space + rest
        return f"have at least {least} {units}; got {got}"
    return f"have at most {POWERS.get(most, most)} {plural}{space}{rest}; got {got}"
