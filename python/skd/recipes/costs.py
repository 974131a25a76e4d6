"""Time of recipes on this machine, without their data: counted operations over a measured rate.

Operations of the convolutions are counted as in `skd.profiling`. The rate is measured for one step
and one forward pass of the same network on images of the same size, in small batches.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from skd.machine import RESNET12_WIDTHS
from skd.models import create_model
from skd.profiling import forward_flops, resnet12_convolutions, training_flops
from skd.recipes._images import (
    evaluation_images,
    sides_of_epochs,
    training_views,
    validation_images,
    validations,
)
from skd.recipes._schema import TAUGHT, Recipe
from skd.recipes._teachers import teacher_recipe
from skd.training import Gen0

ROTATIONS = 4
# Images of the timed step and forward pass, by their side.
TIMED = {32: (16, 64), 84: (4, 16)}


class Counts(NamedTuple):
    """Size of a published data set: side of the images, and numbers of images of its splits."""

    side: int
    train: int
    train_classes: int
    val: int
    test: int


COUNTS = {
    "mini-imagenet": Counts(84, 38_400, 64, 9_600, 12_000),
    "tiered-imagenet": Counts(84, 448_695, 351, 124_261, 206_209),
    "cifar-fs": Counts(32, 38_400, 64, 9_600, 12_000),
    "fc100": Counts(32, 36_000, 60, 12_000, 12_000),
    "glyphs": Counts(32, 5_640, 141, 760, 3_040),
}


@dataclass(frozen=True)
class Rates:
    """Operations per second of training and of forward passes."""

    training: float
    forward: float


def hours(recipe: Recipe, counts: Counts, rates: Rates) -> float:
    """Return the hours of a recipe without its teacher.

    Parameters
    ----------
    recipe : Recipe
        Recipe of a ResNet-12 without gates.
    counts : Counts
        Size of its data set.
    rates : Rates
        Rates of `measured_rates` for its network and images.

    Returns
    -------
    hours : float
        Hours of training, validations and evaluation.
    """
    batch, widths = recipe.schedule.batch_size, widths_of(recipe)
    steps = training_images(recipe, counts) // batch  # images of an epoch
    views = training_views(recipe) * batch
    evaluated = validations(recipe) * validation_images(counts.val)
    evaluated += evaluation_images(recipe.evaluation, getattr(counts, recipe.evaluation.split))
    forward = evaluated * forward_flops(resnet12_convolutions(1, counts.side, widths=widths))
    training = 0
    for side, epochs in Counter(sides_of_epochs(recipe.schedule, counts.side)).items():
        step = resnet12_convolutions(views, side, widths=widths)
        training += epochs * steps * training_flops(step)
        if recipe.stage in TAUGHT:
            taught = forward_flops(resnet12_convolutions(batch, side, widths=widths))
            forward += epochs * steps * taught
    return (training / rates.training + forward / rates.forward) / 3600


def training_images(recipe: Recipe, counts: Counts) -> int:
    """Return the number of images that a recipe trains on."""
    data = recipe.data
    if data.split == "trainval":
        return counts.train + counts.val
    classes = min(data.num_classes or counts.train_classes, counts.train_classes)
    per_class = counts.train // counts.train_classes
    if data.num_classes is None and data.images_per_class is None:
        return counts.train
    return classes * min(data.images_per_class or per_class, per_class)


def widths_of(recipe: Recipe) -> tuple[int, ...]:
    """Return the channels of the stages of a ResNet-12."""
    return recipe.model.widths or RESNET12_WIDTHS


@cache
def measured_rates(side: int, widths: tuple[int, ...]) -> Rates:
    """Time a Gen-0 step and a forward pass of ResNet-12, each twice, and take the shorter.

    Parameters
    ----------
    side : {32, 84}
        Side of the images, in pixels.
    widths : tuple of int
        Channels of the stages.

    Returns
    -------
    rates : Rates
        Operations per second.
    """
    batch, embedded = TIMED[side]
    model = create_model("resnet12", num_classes=64, image_size=side, widths=widths)
    images = np.random.default_rng(0).standard_normal((embedded, side, side, 3), dtype=np.float32)
    trainer, labels = Gen0(model), np.arange(batch) % 64
    step = training_flops(resnet12_convolutions(ROTATIONS * batch, side, widths=widths))
    forward = forward_flops(resnet12_convolutions(embedded, side, widths=widths))
    return Rates(
        training=step / _seconds(lambda: trainer.step(images[:batch], labels)),
        forward=forward / _seconds(lambda: model.embed(images)),
    )


def cost(recipe: Recipe) -> tuple[float, float] | None:
    """Return the hours of a recipe on this machine, without and with its teachers.

    Parameters
    ----------
    recipe : Recipe
        Recipe, of any stage.

    Returns
    -------
    hours : tuple of two floats, or None
        Hours without and with teachers; None for your own data, and for networks whose operations
        are not counted.
    """
    counts = COUNTS.get(recipe.data.name)
    if counts is None:
        return None
    if recipe.model.architecture != "resnet12" or recipe.model.use_se:
        return None
    own = hours(recipe, counts, measured_rates(counts.side, widths_of(recipe)))
    teacher = recipe.teacher
    if teacher is None or (teacher.checkpoint is not None and teacher.generations == 1):
        return own, own
    taught = cost(teacher_recipe(recipe))
    return None if taught is None else (own, own + taught[1])


def _seconds(work: Callable[[], object]) -> float:
    """Return the shorter duration of two runs, after a warm-up run."""
    work()
    times = []
    for _ in range(2):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)
