"""Inputs and outputs of a network: images normalised in chunks, outputs checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._display.progress_bar import progress_bar
from skd._files.mapped import require_whole
from skd._memory import too_large_by
from skd._refusals.native import refused_as
from skd.errors import SKDError
from skd.models.inputs import batch_of
from skd.models.plausible_floats import require_plausible

if TYPE_CHECKING:
    from skd.models.inputs import Images

FloatArray = NDArray[np.float32]

#: Images that the library evaluates at once, which bounds the memory.
EVALUATION_BATCH = _native.EVALUATION_BATCH


class Normalization(NamedTuple):
    """Normalisation of uint8 images to floats: ``(x / 255 - mean) / std``.

    Attributes
    ----------
    mean, std : tuple of float
        Mean and standard deviation of each channel, for pixels in 0..1.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]


def checked_normalization(
    value: tuple[ArrayLike, ArrayLike], name: str, owner: str, *, channels: int
) -> Normalization:
    """Return a pair (mean, std) with one number for each channel."""
    if not isinstance(value, tuple) or len(value) != 2:
        check.refuse(name, owner, "a pair (mean, std)", repr(value))
    mean = check.channel_vector(value[0], "mean", owner, channels=channels)
    std = check.channel_vector(value[1], "std", owner, channels=channels, positive=True)
    return Normalization(tuple(mean.tolist()), tuple(std.tolist()))


class Chunks:
    """Images in chunks of bounded size, converted to float32.

    The images are refused if they, or `dimensions` outputs of each, do not fit into memory.
    """

    def __init__(
        self,
        native: _native.Model,
        images: Images,
        normalization: Normalization | None,
        owner: str,
        dimensions: int,
    ) -> None:
        form = {"side": native.image_size, "channels": native.input_channels}
        batch = batch_of(images, "images", owner, **form)
        self._images = check.model_images(batch, "images", owner, **form)
        self._normalization = normalization
        self.owner = owner
        self.count = len(self._images)
        copied = check.float_copy_bytes(self._images[:EVALUATION_BATCH])
        with refused_as(owner), too_large_by(owner, "images"):
            native.require_memory(self.count, copied + 4 * dimensions * self.count)

    def __iter__(self) -> Iterator[tuple[slice, FloatArray]]:
        is_long = self.count > EVALUATION_BATCH
        with progress_bar(self.count, self.owner, "image", wanted=is_long) as bar:
            for start in range(0, self.count, EVALUATION_BATCH):
                rows = slice(start, min(start + EVALUATION_BATCH, self.count))
                floats = model_floats(self._images[rows], self._normalization, self.owner)
                if self._images.dtype != np.uint8:
                    require_plausible(floats, self._normalization, "images", self.owner)
                yield rows, floats
                require_whole(self._images)
                bar.update(len(floats))


def finite_outputs(outputs: FloatArray, owner: str) -> FloatArray:
    """Return outputs of a model, or raise if one is not finite."""
    is_finite = np.isfinite(outputs).all(axis=1)
    if not is_finite.all():
        raise SKDError(
            f"{owner} gave NaN or infinite values for image {int(is_finite.argmin())} of "
            f"{len(outputs)}: the model's weights, or the images, are too large for float32."
        )
    return outputs


def model_floats(
    images: NDArray[Any], normalization: Normalization | None, owner: str, *, name: str = "images"
) -> FloatArray:
    """Return images as float32: uint8 images normalised, others as they are."""
    if images.dtype != np.uint8:
        return check.float_array(images, name, owner)
    if normalization is None:
        legal = "float32, unless the model's normalization is set (fit sets it)"
        check.refuse(name, owner, legal, "uint8 without a normalization")
    mean, std = (np.array(values, dtype=np.float32) for values in normalization)
    pixels = np.require(images, np.uint8, ["C_CONTIGUOUS", "ALIGNED"])
    output = np.empty(pixels.shape, dtype=np.float32)
    none = _native.AUGMENT_NONE
    _native.augment(pixels, None, None, none, 0, False, 0, 0, False, mean, std, output)
    return output
