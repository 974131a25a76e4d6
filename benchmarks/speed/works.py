"""The works that are timed, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skd
from skd.profiling import forward_flops, resnet12_convolutions, training_flops

CLASSES = 64
RESNET12_WIDTHS = (64, 160, 320, 640)
ROTATIONS = 4
# CIFAR's, as in the published recipes.
MEAN, STD = (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)


class Kind(StrEnum):
    """What is done to the images."""

    GEN0 = "Gen-0 step"
    GEN1_TWINS = "Gen-1 step, upright and 180 degrees"
    GEN1_ALL = "Gen-1 step, all four views"
    SUPERVISED = "supervised step"
    EMBED = "embed"
    AUGMENT = "augmentation"


@dataclass(frozen=True)
class Network:
    """A backbone, the channels of its stages (None: its own), and those of its images."""

    architecture: str = "resnet12"
    widths: tuple[int, ...] | None = None
    channels: int = 3

    @property
    def name(self) -> str:
        """What a table says."""
        widths = "" if self.widths is None else " " + "-".join(map(str, self.widths))
        plural = "" if self.channels == 1 else "s"
        channels = "" if self.channels == 3 else f", {self.channels} channel{plural}"
        return f"{self.architecture}{widths}{channels}"


@dataclass(frozen=True)
class Work:
    """`batch` images of `size` pixels, rotated views not counted."""

    kind: Kind
    size: int
    batch: int
    precision: str = "float32"
    network: Network = Network()

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Work:
        """Return the work whose fields came as JSON."""
        network = fields["network"]
        widths = None if network["widths"] is None else tuple(network["widths"])
        changes = {
            "kind": Kind(fields["kind"]),
            "network": Network(**{**network, "widths": widths}),
        }
        return cls(**{**fields, **changes})

    @property
    def name(self) -> str:
        """What a table says."""
        views = f" x {ROTATIONS}" if self.kind is Kind.GEN0 else ""
        images = "image" if self.batch == 1 else "images"
        network = "" if self.network == Network() else f"{self.network.name}, "
        name = f"{self.kind}, {network}{self.size} px, {self.batch}{views} {images}"
        return name if self.precision == "float32" else f"{name}, {self.precision}"

    @property
    def flops(self) -> int | None:
        """Operations of its convolutions, counted as direct; None if it is not of ResNet-12."""
        if self.network.architecture != "resnet12":
            return None
        widths = RESNET12_WIDTHS if self.network.widths is None else self.network.widths

        def layers(views: int) -> tuple[skd.profiling.ConvolutionLayer, ...]:
            return resnet12_convolutions(
                views * self.batch, self.size, widths=widths, input_channels=self.network.channels
            )

        match self.kind:
            case Kind.SUPERVISED:
                return training_flops(layers(1))
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
        shape = (self.batch, self.size, self.size, self.network.channels)
        return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    def pixels(self) -> NDArray[np.uint8]:
        """Return images of bytes."""
        shape = (self.batch, self.size, self.size, self.network.channels)
        return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    def labels(self) -> NDArray[np.int64]:
        """Return a class for each image."""
        return np.arange(self.batch) % CLASSES


def create_model(work: Work, *, drop_rate: float | None = None) -> skd.Model:
    """Return SKD's model for a work; the drop rate is by default that of the architecture."""
    return skd.create_model(
        work.network.architecture,
        num_classes=CLASSES,
        image_size=work.size,
        input_channels=work.network.channels,
        widths=work.network.widths,
        drop_rate=drop_rate,
        precision=work.precision,
    )


def ours(work: Work) -> Callable[[], object]:
    """Return one run of SKD."""
    if work.kind is Kind.AUGMENT:
        return _augmentation(work)
    model, images, labels = create_model(work), work.images(), work.labels()
    if work.kind is Kind.EMBED:
        return lambda: model.embed(images)
    trainer = _trainer(work, model)
    return lambda: trainer.step(images, labels)


def _trainer(work: Work, model: skd.Model) -> skd.Supervised | skd.Gen0 | skd.Gen1:
    if work.kind is Kind.SUPERVISED:
        return skd.Supervised(model)
    if work.kind is Kind.GEN0:
        return skd.Gen0(model)
    views = "all" if work.kind is Kind.GEN1_ALL else "twins"
    return skd.Gen1(model.clone(), model, bn_views=views, optimizer=skd.SGD(lr=0.001))


def agreed(work: Work) -> list[NDArray[np.float32]]:
    """Return what PyTorch must compute too: features, or the loss and its gradients.

    The gradients are in the order of their names, of a network that drops nothing.
    """
    model = create_model(work, drop_rate=0)
    if work.kind is Kind.EMBED:
        return [model.embed(work.images())]
    trainer = skd.Supervised(model)
    loss = trainer.loss(work.images(), work.labels()).total
    gradients = trainer.gradients()
    return [np.float32(loss), *(gradients[name] for name in sorted(gradients))]


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
