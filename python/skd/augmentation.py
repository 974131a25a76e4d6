"""Augmentation of uint8 images: zero-padded crop, colour jitter, flip, normalisation.

The colour operations round like Pillow's. Random choices depend only on (seed, epoch, position),
never on threads or the order of calls.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._files.mapped import require_whole
from skd._memory import new_array
from skd._refusals.native import refused_as
from skd.choices import Augmentation

__all__ = [
    "CHOICES",
    "apply_augmentation",
    "augment",
    "default_padding",
    "draw_augmentation",
    "epoch_order",
]

#: Record of an image: origin of the crop in the padded image; 1 to mirror left to right; colour
#: operations in order (0 brightness, 1 contrast, 2 saturation, -1 none); factors of brightness,
#: contrast and saturation, always in this order.
CHOICES = np.dtype(
    [
        ("top", np.int32),
        ("left", np.int32),
        ("flip", np.int32),
        ("operations", np.int32, 3),
        ("factors", np.float32, 3),
    ]
)

MODES: dict[Augmentation, int] = {
    "none": _native.AUGMENT_NONE,
    "crop_flip": _native.AUGMENT_CROP_FLIP,
    "full": _native.AUGMENT_FULL,
}
MAX_PADDING = 4096
MAX_SIDE = 2**16


def default_padding(size: int) -> int:
    """Return the padding for images of a side: an eighth of the side, at most 8.

    Parameters
    ----------
    size : int
        Side of the images, in pixels.

    Returns
    -------
    padding : int
        Padding in pixels: 4 for 32 pixels and 8 for 84, as published.

    Raises
    ------
    ValueError
        If `size` is below 1.
    TypeError
        If `size` is not an integer.

    Examples
    --------
    >>> default_padding(32), default_padding(84)
    (4, 8)
    """
    side = check.integer(size, "size", "default_padding", minimum=1)
    return min(side // 8, 8)


def augment(
    images: ArrayLike,
    *,
    seed: int,
    epoch: int = 0,
    mode: Augmentation = "full",
    size: int | None = None,
    padding: int | None = None,
    flip: bool = True,
    mean: ArrayLike = 0.0,
    std: ArrayLike = 1.0,
    positions: ArrayLike | None = None,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Augment, resize and normalise images.

    Parameters
    ----------
    images : array-like of shape (n_images, side, side, n_channels), dtype uint8
        Images in NHWC order.
    seed, epoch : int
        Seed and epoch, which determine the random choices.
    mode : {"full", "crop_flip", "none"}, default="full"
        Kind of augmentation. "full" crops, jitters brightness, contrast and saturation by factors
        in 0.6..1.4 in random order, and flips; it needs 3 channels. "crop_flip" leaves out the
        colours, and "none" only normalises.
    size : int, optional
        Side of the result in pixels; by default that of the images. The crop is resized with an
        antialiased bilinear filter, as in Pillow's ``Image.resize``, before its colours change.
    padding : int, optional
        Zeros on each side before the crop; by default `default_padding` of the side.
    flip : bool, default=True
        Mirror images left to right with probability 1/2.
    mean, std : float or array-like of shape (n_channels,), default=0 and 1
        Normalisation, for pixels in 0..1.
    positions : array-like of shape (n_augmented,), dtype int64, optional
        Positions of the images to augment; by default all, in order. The random choices depend on
        the position in `images`, not on the position in `positions`.
    out : ndarray of the shape of the result, dtype float32, optional
        Array for the result, C-contiguous and writable.

    Returns
    -------
    augmented : ndarray of shape (n_augmented, size, size, n_channels), dtype float32
        ``(augmented / 255 - mean) / std``; `out` if it was given.

    Raises
    ------
    ValueError
        If `images` are not square or have values outside 0..255, mode "full" is given for another
        number of channels than 3, or another argument is not legal; `out` is unchanged.
    TypeError
        If an argument has another type than documented.

    Examples
    --------
    >>> images = np.full((1, 8, 8, 3), 255, dtype=np.uint8)
    >>> augment(images, seed=0, mode="none", mean=0.5, std=0.5)[0, 0, 0]
    array([1., 1., 1.], dtype=float32)
    """
    owner = "augment"
    pixels = check.square_images(images, "images", owner)
    _, side, _, channels = pixels.shape
    if size is not None:
        size = check.integer(size, "size", owner, minimum=1, maximum=MAX_SIDE)
    kind = mode_of(mode, "mode", owner, channels)
    zeros = padding_of(padding, side, owner)
    centre = check.channel_vector(mean, "mean", owner, channels=channels)
    spread = check.channel_vector(std, "std", owner, channels=channels, positive=True)
    number = check.integer(epoch, "epoch", owner)
    key = check.seed(seed, owner)
    mirrors = check.boolean(flip, "flip", owner)
    result_side = side if size is None else size
    shape, chosen = (len(pixels), result_side, result_side, channels), None
    if positions is not None:
        chosen = check.integer_array(positions, "positions", owner)
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < len(pixels):
            legal = f"in 0..{len(pixels) - 1}, positions in 'images'"
            check.refuse("positions", owner, legal, f"{chosen.min()}..{chosen.max()}")
        shape = (len(chosen), *shape[1:])
    if out is None:
        out = new_array(shape, np.float32, owner, "images" if chosen is None else "positions")
    else:
        check.output(out, "out", owner, shape)
    with refused_as(owner):
        _native.augment(
            pixels, chosen, None, kind, zeros, mirrors, key, number, False, centre, spread, out
        )
    require_whole(pixels)
    return out


def epoch_order(n_images: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order in which `fit` visits the images in an epoch.

    Parameters
    ----------
    n_images : int
        Number of images of the split.
    seed : int
        Seed of `fit`.
    epoch : int
        Number of the epoch, counted from 1.

    Returns
    -------
    order : ndarray of shape (n_images,), dtype int64
        Permutation of ``0..n_images - 1``; each batch takes the next `batch_size` entries.

    Examples
    --------
    >>> sorted(epoch_order(4, seed=0, epoch=1).tolist())
    [0, 1, 2, 3]
    """
    owner = "epoch_order"
    count = check.integer(n_images, "n_images", owner, maximum=2**40)
    number, key = check.integer(epoch, "epoch", owner, minimum=1), check.seed(seed, owner)
    order: NDArray[np.int64] = new_array((count,), np.int64, owner, "n_images")
    _native.shuffle(key, number, order)
    return order


def draw_augmentation(
    n_images: int,
    *,
    seed: int,
    epoch: int = 0,
    mode: Augmentation = "full",
    padding: int = 4,
    flip: bool = True,
) -> NDArray[Any]:
    """Draw the random choices that `augment` makes.

    Parameters
    ----------
    n_images : int
        Number of images.
    seed, epoch : int
        As for `augment`.
    mode : {"full", "crop_flip", "none"}, default="full"
        As for `augment`.
    padding : int, default=4
        As for `augment`.
    flip : bool, default=True
        As for `augment`.

    Returns
    -------
    choices : ndarray of shape (n_images,), dtype CHOICES
        Choices, which may be changed and passed to `apply_augmentation`.

    Raises
    ------
    ValueError
        If an argument is not legal.
    TypeError
        If an argument has another type than documented.

    Examples
    --------
    >>> draw_augmentation(1, seed=0, mode="crop_flip")["operations"]
    array([[-1, -1, -1]], dtype=int32)
    """
    owner = "draw_augmentation"
    count = check.integer(n_images, "n_images", owner)
    kind = MODES[check.choice(mode, "mode", owner, MODES)]
    zeros = check.integer(padding, "padding", owner, maximum=MAX_PADDING)
    number = check.integer(epoch, "epoch", owner)
    mirrors, key = check.boolean(flip, "flip", owner), check.seed(seed, owner)
    choices = new_array((count,), CHOICES, owner, "n_images")
    _native.draw_augmentation(kind, zeros, mirrors, key, number, _rows_of_bytes(choices))
    return choices


def apply_augmentation(
    images: ArrayLike, choices: NDArray[Any], *, padding: int = 4
) -> NDArray[np.uint8]:
    """Augment images by given choices, without normalising.

    Parameters
    ----------
    images : array-like of shape (n_images, side, side, n_channels), dtype uint8
        Images in NHWC order; colour operations need 3 channels.
    choices : ndarray of shape (n_images,), dtype CHOICES
        Choices of `draw_augmentation`.
    padding : int, default=4
        Zeros on each side before the crop.

    Returns
    -------
    augmented : ndarray of the shape of `images`, dtype uint8
        A new array.

    Raises
    ------
    ValueError
        If `images` are not square, or a choice is not legal for them; see `CHOICES`.
    TypeError
        If `choices` are not of dtype CHOICES.

    Examples
    --------
    >>> choices = draw_augmentation(1, seed=0, mode="none", padding=0)
    >>> apply_augmentation(np.full((1, 2, 2, 1), 7), choices, padding=0).ravel()
    array([7, 7, 7, 7], dtype=uint8)
    """
    owner = "apply_augmentation"
    pixels = check.square_images(images, "images", owner)
    zeros = check.integer(padding, "padding", owner, maximum=MAX_PADDING)
    if not isinstance(choices, np.ndarray) or choices.dtype != CHOICES:
        got = getattr(choices, "dtype", type(choices).__name__)
        check.refuse("choices", owner, "an array of dtype CHOICES", got, TypeError)
    check.require_shape(choices, pixels.shape[:1], "choices", owner, by="images")
    for origin in ("top", "left"):
        places = choices[origin]
        wrong = np.flatnonzero((places < 0) | (places > 2 * zeros))
        if wrong.size:
            legal = f"in 0..{2 * zeros}, twice the 'padding'"
            name = f"choices[{wrong[0]}].{origin}"
            check.refuse(name, owner, legal, places[wrong[0]])
    output: NDArray[np.uint8] = new_array(pixels.shape, np.uint8, owner, "images")
    records = np.require(choices, CHOICES, ["C_CONTIGUOUS", "ALIGNED"])
    _native.apply_augmentation(pixels, _rows_of_bytes(records), zeros, output)
    return output


def mode_of(mode: Augmentation, name: str, owner: str, channels: int) -> int:
    """Return the library's number of a mode, which the number of channels must allow."""
    check.choice(mode, name, owner, MODES)
    if mode == "full" and channels != 3:
        check.refuse(name, owner, '"crop_flip" or "none" unless images have 3 channels', channels)
    return MODES[mode]


def padding_of(padding: int | None, side: int, owner: str) -> int:
    """Return the padding, or the default one of the side."""
    if padding is None:
        return default_padding(side)
    return check.integer(padding, "padding", owner, maximum=MAX_PADDING)


def _rows_of_bytes(choices: NDArray[Any]) -> NDArray[np.uint8]:
    """View records as rows of bytes, the form of the binding."""
    return choices.view(np.uint8).reshape(len(choices), CHOICES.itemsize)
