"""Recognition of images whose channels come first, as PyTorch has them."""

from __future__ import annotations

from collections.abc import Container


def channels_first(shape: tuple[int, ...], channels: Container[int]) -> str:
    """Say that a shape has its channels first, and how to move them; empty if it has not.

    Parameters
    ----------
    shape : tuple of int
        Shape of refused images.
    channels : container of int
        Numbers of channels that images may have.
    """
    if len(shape) not in (3, 4) or shape[-1] != shape[-2] or shape[-3] not in channels:
        return ""
    order = "NCHW"[-len(shape) :]
    wanted = order.replace("C", "") + "C"
    return f", which is in {order} order (np.moveaxis(images, -3, -1) gives {wanted})"
