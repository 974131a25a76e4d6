"""The same works in PyTorch: channels_last, by the project's reference implementation."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from speed.works import CLASSES, MEAN, STD, Kind, Work

sys.path.insert(0, str(Path(__file__).parents[2] / "Tests" / "Fixtures" / "reference"))
import skd_torch


def theirs(work: Work) -> Callable[[], object]:
    """Return one run of PyTorch."""
    if work.kind is Kind.AUGMENT:
        return _augmentation(work)
    # NHWC memory seen as NCHW: channels_last.
    images = torch.from_numpy(work.images()).permute(0, 3, 1, 2)
    labels = torch.from_numpy(work.labels())
    model = reference_model(work)
    if work.kind is Kind.EMBED:
        model.eval()

        def embed() -> object:
            with torch.inference_mode(), _precision(work):
                return model(images).feature

        return embed
    model.train()
    if work.kind is Kind.GEN0:
        optimizer = skd_torch.make_optimizer(model)

        def objective() -> torch.Tensor:
            return skd_torch.gen0_loss(model(_views(images)), labels).total

    else:
        optimizer = skd_torch.make_optimizer(model, lr=0.001)
        teacher = reference_model(work)
        teacher.load_state_dict(model.state_dict())
        teacher.eval()

        def objective() -> torch.Tensor:
            with torch.no_grad():
                taught = teacher(images).logits
            return _gen1_loss(work, model, images, taught)

    def step() -> object:
        with _precision(work):
            loss = objective()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


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


def reference_model(work: Work) -> torch.nn.Module:
    """Return the network in PyTorch, with fresh weights."""
    model = skd_torch.make_backbone("resnet12_ssl", CLASSES, work.dropblock_size)
    return model.to(memory_format=torch.channels_last)


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
