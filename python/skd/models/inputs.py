"""Images in the forms that models accept, as arrays of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd._memory import new_array
from skd.datasets.pictures import is_picture, square_picture, unreadable_count

if TYPE_CHECKING:
    from PIL.Image import Image

    Images = ArrayLike | Image | Sequence[Image]


def batch_of(images: Any, name: str, owner: str, *, side: int, channels: int) -> Any:
    """Return images as a batch: Pillow's images converted, a single array with an axis of images.

    Everything else is returned as it is, for a check that names what is wrong with it.

    Parameters
    ----------
    images : object
        Images that a user gave.
    name, owner : str
        Argument and function for errors.
    side, channels : int
        Side in pixels of the images of Pillow after their conversion, and channels of an image.
    """
    if is_picture(images):
        return _pictures([images], name, owner, side, channels)
    if isinstance(images, Sequence) and images and all(map(is_picture, images)):
        return _pictures(images, name, owner, side, channels)
    if isinstance(images, np.ndarray):
        if channels == 1 and images.ndim == 2 and images.shape[0] == images.shape[1]:
            return images[None, :, :, None]
        if images.ndim == 3 and images.shape[0] == images.shape[1] and images.shape[2] == channels:
            return images[None]
    return images


def _pictures(
    pictures: Sequence[Any], name: str, owner: str, side: int, channels: int
) -> NDArray[np.uint8]:
    shape = (len(pictures), side, side, channels)
    images: NDArray[np.uint8] = new_array(shape, np.uint8, owner, name)
    damaged = []
    for number, (image, picture) in enumerate(zip(images, pictures, strict=True)):
        try:
            image[:] = square_picture(picture, side, channels)
        except ValueError as error:
            damaged.append(f"number {number} ({error})")
    if damaged:
        check.refuse(name, owner, "images that can be read", unreadable_count(damaged))
    return images
