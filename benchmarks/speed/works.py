"""The works that are timed, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

import skd
from skd.profiling import forward_flops, resnet12_convolutions, training_flops

CLASSES = 64
ROTATIONS = 4
# CIFAR's, as in the published recipes.
MEAN, STD = (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)


class Kind(StrEnum):
    """What is done to the images."""

    GEN0 = "Gen-0 step"
    GEN1_TWINS = "Gen-1 step, upright and 180 degrees"
    GEN1_ALL = "Gen-1 step, all four views"
    EMBED = "embed"
    AUGMENT = "augmentation"


@dataclass(frozen=True)
class Work:
    """`batch` images of `size` pixels, rotated views not counted."""

    kind: Kind
    size: int
    batch: int
    precision: str = "float32"

    @property
    def name(self) -> str:
        """What a table says."""
        views = f" x {ROTATIONS}" if self.kind is Kind.GEN0 else ""
        images = "image" if self.batch == 1 else "images"
        name = f"{self.kind}, {self.size} px, {self.batch}{views} {images}"
        return name if self.precision == "float32" else f"{name}, {self.precision}"

    @property
    def flops(self) -> int | None:
        """Operations of its convolutions, counted as direct; None if it has none."""

        def layers(views: int) -> tuple[skd.profiling.ConvolutionLayer, ...]:
            return resnet12_convolutions(views * self.batch, self.size)

        match self.kind:
            case Kind.GEN0:
                return training_flops(layers(ROTATIONS))
            case Kind.GEN1_TWINS:
                return training_flops(layers(2)) + forward_flops(layers(1))
            case Kind.GEN1_ALL:
                return training_flops(layers(ROTATIONS)) + forward_flops(layers(1))
            case Kind.EMBED:
                return forward_flops(layers(1))
            case Kind.AUGMENT:
                return None

    @property
    def padding(self) -> int:
        """Zeros around an image before it is cropped."""
        return 4 if self.size < 64 else 8

    @property
    def dropblock_size(self) -> int:
        """Side of DropBlock's squares."""
        return 2 if self.size < 64 else 5

    def images(self) -> NDArray[np.float32]:
        """Return normalised images."""
        shape = (self.batch, self.size, self.size, 3)
        return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    def pixels(self) -> NDArray[np.uint8]:
        """Return images of bytes."""
        shape = (self.batch, self.size, self.size, 3)
        return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    def labels(self) -> NDArray[np.int64]:
        """Return a class for each image."""
        return np.arange(self.batch) % CLASSES


def create_model(work: Work) -> skd.Model:
    """Return SKD's model for a work."""
    return skd.create_model(
        "resnet12", num_classes=CLASSES, image_size=work.size, precision=work.precision
    )


def ours(work: Work) -> Callable[[], object]:
    """Return one run of SKD."""
    if work.kind is Kind.AUGMENT:
        return _augmentation(work)
    model, images, labels = create_model(work), work.images(), work.labels()
    if work.kind is Kind.EMBED:
        return lambda: model.embed(images)
    if work.kind is Kind.GEN0:
        trainer: skd.Gen0 | skd.Gen1 = skd.Gen0(model)
    else:
        views = "all" if work.kind is Kind.GEN1_ALL else "twins"
        trainer = skd.Gen1(model.clone(), model, bn_views=views, optimizer=skd.SGD(lr=0.001))
    return lambda: trainer.step(images, labels)


def _augmentation(work: Work) -> Callable[[], object]:
    pixels, epoch = work.pixels(), 0
    output = np.empty(pixels.shape, dtype=np.float32)

    def run() -> object:
        nonlocal epoch
        epoch += 1
        return skd.augment(
            pixels,
            seed=0,
            epoch=epoch,
            mode="full",
            padding=work.padding,
            mean=MEAN,
            std=STD,
            out=output,
        )

    return run
