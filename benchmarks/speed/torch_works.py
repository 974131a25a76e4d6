"""The same works in PyTorch: channels_last, by the project's reference implementation."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from speed.timing import fastest
from speed.works import CLASSES, MEAN, RESNET12_WIDTHS, STD, Kind, Work, create_model

sys.path.insert(0, str(Path(__file__).parents[2] / "Tests" / "Fixtures" / "reference"))
import skd_torch

Run = Callable[[], object]
CHANNELS_LAST, CONTIGUOUS = "channels_last", "contiguous"
LAYOUTS = {CHANNELS_LAST: torch.channels_last, CONTIGUOUS: torch.contiguous_format}


def usual(work: Work) -> tuple[Run, str]:
    """Return one run of PyTorch in the layout channels_last, and that layout."""
    return theirs(work), CHANNELS_LAST


def faster(work: Work) -> tuple[Run, str]:
    """Return one run of PyTorch in the layout in which it is faster, and that layout."""
    runs = {layout: theirs(work, layout) for layout in LAYOUTS}
    layout = fastest(runs)
    return runs[layout], layout


def theirs(work: Work, layout: str = CHANNELS_LAST) -> Run:
    """Return one run of PyTorch."""
    if work.kind is Kind.AUGMENT:
        return _augmentation(work)
    images, labels = _images(work, layout), torch.from_numpy(work.labels())
    model = reference_model(work, layout)
    if work.kind is Kind.EMBED:
        model.eval()

        def embed() -> object:
            with torch.inference_mode(), _precision(work):
                return model(images).feature

        return embed
    model.train()
    optimizer, objective = _objective(work, model, images, labels)

    def step() -> object:
        with _precision(work):
            loss = objective()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _objective(
    work: Work, model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.optim.Optimizer, Callable[[], torch.Tensor]]:
    """Return the optimizer of a training step and what computes its loss."""
    if work.kind is Kind.SUPERVISED:
        return skd_torch.make_optimizer(model), lambda: _cross_entropy(model, images, labels)
    if work.kind is Kind.GEN0:
        return skd_torch.make_optimizer(
            model
        ), lambda: skd_torch.gen0_loss(model(_views(images)), labels).total
    teacher = reference_model(work)
    teacher.load_state_dict(model.state_dict())
    teacher.eval()

    def objective() -> torch.Tensor:
        with torch.no_grad():
            taught = teacher(images).logits
        return _gen1_loss(work, model, images, taught)

    return skd_torch.make_optimizer(model, lr=0.001), objective


def _cross_entropy(
    model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    return functional.cross_entropy(model(images).logits, labels)


def agreed(work: Work) -> list[NDArray[np.float32]]:
    """Return what SKD must compute too; see `works.agreed`."""
    model, images = same_model(work), _images(work)
    if work.kind is Kind.EMBED:
        with torch.inference_mode():
            return [model.eval()(images).feature.numpy()]
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(module, skd_torch.DropBlock):
            module.rate = 0.0
    loss = _cross_entropy(model.train(), images, torch.from_numpy(work.labels()))
    loss.backward()
    gradients = {
        name: parameter.grad.numpy()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    return [loss.detach().numpy(), *(gradients[name] for name in sorted(gradients))]


def _images(work: Work, layout: str = CHANNELS_LAST) -> torch.Tensor:
    """Return the images as NCHW: NHWC memory seen so is channels_last."""
    images = torch.from_numpy(work.images()).permute(0, 3, 1, 2)
    return images.contiguous(memory_format=LAYOUTS[layout])


def _gen1_loss(
    work: Work, model: torch.nn.Module, images: torch.Tensor, taught: torch.Tensor
) -> torch.Tensor:
    """Compute the loss of Gen-1 from the views that SKD passes through the student too."""
    if work.kind is Kind.GEN1_ALL:
        logits = model(_views(images, skd_torch.GEN1_ORDER)).logits
        return skd_torch.gen1_loss(logits, taught).total
    upright, twin = model(_views(images, (0, 180))).logits.chunk(2)
    distillation = skd_torch.distill_kl(upright, taught, temperature=4.0)
    return distillation + 0.1 * skd_torch.twin_l2(twin, upright)


def reference_model(work: Work, layout: str = CHANNELS_LAST) -> torch.nn.Module:
    """Return the network in PyTorch, with fresh weights."""
    model = _backbone(work)
    return model.to(memory_format=LAYOUTS[layout])


def same_model(work: Work) -> torch.nn.Module:
    """Return the network in PyTorch, with the weights of SKD's model."""
    model, state = reference_model(work), create_model(work).state_dict()
    model.load_state_dict({name: torch.from_numpy(np.array(state[name])) for name in state})
    return model


def _backbone(work: Work) -> torch.nn.Module:
    network = work.network
    if not network.architecture.endswith("resnet12"):
        return skd_torch.make_backbone(network.architecture, CLASSES)

    class ResNet12(skd_torch.ResNet):
        widths = network.widths or RESNET12_WIDTHS

    is_gated = network.architecture == "seresnet12"
    model = ResNet12(CLASSES, work.dropblock_size, gated=is_gated, rotation_head=not is_gated)
    first = model.layer1[0]
    for module, name in ((first, "conv1"), (first.downsample, "0")):
        _take_channels(module, name, network.channels)
    # SKD's squares are never larger than the maps that they are cut from.
    drop = model.layer4[0].drop
    drop.block = min(drop.block, work.size // 16)
    return model


def _take_channels(module: torch.nn.Module, name: str, channels: int) -> None:
    """Give a network another first convolution, for images of other channels."""
    old = module.get_submodule(name)
    if old.in_channels != channels:
        new = torch.nn.Conv2d(
            channels, old.out_channels, old.kernel_size, padding=old.padding, bias=False
        )
        setattr(module, name, new)


def _views(images: torch.Tensor, order: tuple[int, ...] = skd_torch.GEN0_ORDER) -> torch.Tensor:
    views = skd_torch.rotation_batch(images, order)
    return views.contiguous(memory_format=torch.channels_last)


def _precision(work: Work) -> contextlib.AbstractContextManager[object]:
    """Return what makes PyTorch compute in the precision of the work."""
    if work.precision == "bfloat16":
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def _augmentation(work: Work) -> Callable[[], object]:
    """Augment PIL images, made beforehand, one after the other, as a loader's worker does."""
    from PIL import Image
    from torchvision import transforms

    images = [Image.fromarray(pixels) for pixels in work.pixels()]
    augment = transforms.Compose(
        [
            transforms.RandomCrop(work.size, padding=work.padding),
            transforms.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )
    return lambda: [augment(image) for image in images]
