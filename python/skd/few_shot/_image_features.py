"""Images of a few-shot classifier, and their features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd import _validation as check
from skd._files.mapped import require_whole
from skd._memory import new_array
from skd.augmentation import default_padding, mode_of
from skd.choices import Augmentation, Features
from skd.classifiers import l2_normalize
from skd.few_shot import pictures
from skd.models import Model
from skd.models.inputs import batch_of
from skd.models.plausible_floats import require_plausible


class TakesImages:
    """Parameters that decide the features of images, and the features."""

    model: Model
    features: Features
    n_support_copies: int
    support_augmentation: Augmentation
    flip: bool
    resize: bool
    seed: int

    def _images(self, images: Any, owner: str) -> NDArray[Any]:
        """Return images of the model's shape."""
        if pictures.is_paths(images):
            return self._pictures(pictures.files_of(images, owner), owner)
        side, channels = self.model.image_size, self.model.input_channels
        images = batch_of(images, "images", owner, side=side, channels=channels)
        if self.resize:
            pixels = check.square_images(images, "images", owner)
            if pixels.shape[1] != side and pixels.shape[3] == channels and pixels.size:
                return pictures.resized(pixels, side)
        given = check.model_images(images, "images", owner, side=side, channels=channels)
        if given.dtype != np.uint8:
            require_plausible(given, self.model.normalization, "images", owner)
        return given

    def _pictures(self, files: list[Any], owner: str) -> NDArray[np.uint8]:
        return pictures.read_pictures(
            files, self.model.image_size, self.model.input_channels, owner
        )

    def _features(self, images: NDArray[Any]) -> NDArray[np.float32]:
        return l2_normalize(self.model.features(images, self.features))

    def _example_features(
        self, images: NDArray[Any], owner: str
    ) -> tuple[NDArray[np.float32], int]:
        """Return the features of all copies of the examples, copy after copy, and their number."""
        mode = mode_of(self.support_augmentation, "support_augmentation", owner, images.shape[3])
        if mode == _native.AUGMENT_NONE or images.dtype != np.uint8:
            return self._features(images), 1
        if self.model.normalization is None:
            check.refuse("model", owner, "one with a normalization (fit sets it)", "one without")
        mean, std = (np.array(v, dtype=np.float32) for v in self.model.normalization)
        pixels = np.require(images, np.uint8, ["C_CONTIGUOUS", "ALIGNED"])
        count, padding = len(pixels), default_padding(pixels.shape[1])
        augmented = new_array(pixels.shape, np.float32, owner, "images")
        copies = []
        for copy in range(self.n_support_copies):
            # Each image of each copy has its own stream of random choices.
            streams = np.arange(copy * count, (copy + 1) * count, dtype=np.int64)
            _native.augment(
                pixels,
                np.arange(count, dtype=np.int64),
                streams,
                mode,
                padding,
                bool(self.flip),
                int(self.seed),
                0,
                True,
                mean,
                std,
                augmented,
            )
            copies.append(self._features(augmented))
        require_whole(pixels)
        return np.concatenate(copies), self.n_support_copies
