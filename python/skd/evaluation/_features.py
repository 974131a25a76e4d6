"""Features of the images of episodes, by forward passes of bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd._files.mapped import require_whole
from skd._memory import new_array
from skd.choices import Features
from skd.models import EVALUATION_BATCH, Model, Normalization

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class SupportAugmentation:
    """Augmentation of the support images; random choices depend on (seed, episode, copy)."""

    mode: int
    padding: int
    flip: bool
    copies: int
    seed: int

    @property
    def augments(self) -> bool:
        """Whether it changes images at all."""
        return self.mode != _native.AUGMENT_NONE


class FeatureExtractor:
    """Features of images, each a function of its image alone.

    The network always gets full batches, and the last one is padded. For another number of images
    it might choose another algorithm, which rounds differently; the accuracy of an episode would
    then depend on the number of episodes.

    Parameters
    ----------
    model : Model
        The network.
    kind : {"embedding", "logits"}
        Output of the network.
    images : ndarray of shape (n_images, side, side, n_channels), dtype uint8
        All images; they may be memory-mapped, because only the needed images are read.
    normalization : Normalization
        Normalisation of the images.
    advance : callable
        Function that is called with the number of images after each batch.
    """

    def __init__(
        self,
        model: Model,
        kind: Features,
        images: NDArray[np.uint8],
        normalization: Normalization,
        advance: Callable[[int], object],
    ) -> None:
        self._images, self._advance = images, advance
        self._mean, self._std = (np.array(v, dtype=np.float32) for v in normalization)
        embeds = kind == "embedding"
        self._forward = model.embed if embeds else model.logits
        self._dimensions = model.embedding_dim if embeds else model.num_classes
        self._batch = np.zeros((EVALUATION_BATCH, *images.shape[1:]), dtype=np.float32)

    def plain(self, positions: NDArray[np.int64]) -> FloatArray:
        """Return the L2-normalised features of images, of shape (n_positions, n_dimensions)."""
        return _normalized(self.raw(positions))

    def raw(self, positions: NDArray[np.int64]) -> FloatArray:
        """Return the outputs of the network for images, of shape (n_positions, n_dimensions)."""
        untouched = SupportAugmentation(_native.AUGMENT_NONE, 0, flip=False, copies=1, seed=0)

        def fill(start: int, stop: int, output: FloatArray) -> None:
            self._augment(positions[start:stop], None, untouched, 0, output)

        return self._features(len(positions), fill)

    def augmented(
        self, numbers: NDArray[np.int64], support: NDArray[np.int64], how: SupportAugmentation
    ) -> FloatArray:
        """Return the L2-normalised features of augmented copies of support images.

        Parameters
        ----------
        numbers : ndarray of shape (n_episodes,), dtype int64
            Numbers of the episodes, on which the random choices depend.
        support : ndarray of shape (n_episodes, n_way, n_shot), dtype int64
            Positions of the support images.
        how : SupportAugmentation
            Augmentation of the images.

        Returns
        -------
        features : ndarray of shape (n_episodes, copies * n_way * n_shot, n_dimensions)
            Features copy after copy, float32.
        """
        positions = np.tile(support.reshape(len(support), -1), how.copies)
        episodes, size = positions.shape
        streams = np.arange(size, dtype=np.int64)

        def fill(start: int, stop: int, output: FloatArray) -> None:
            while start < stop:  # a batch may hold images of several episodes
                episode, column = divmod(start, size)
                count = min(size - column, stop - start)
                columns = slice(column, column + count)
                self._augment(
                    positions[episode, columns],
                    streams[columns],
                    how,
                    int(numbers[episode]),
                    output[:count],
                )
                start, output = start + count, output[count:]

        features = _normalized(self._features(episodes * size, fill))
        return features.reshape(episodes, size, -1)

    def _augment(
        self,
        positions: NDArray[np.int64],
        streams: NDArray[np.int64] | None,
        how: SupportAugmentation,
        episode: int,
        output: FloatArray,
    ) -> None:
        _native.augment(
            self._images,
            positions,
            streams,
            how.mode,
            how.padding,
            how.flip,
            how.seed,
            episode,
            True,
            self._mean,
            self._std,
            output,
        )
        require_whole(self._images)

    def _features(self, count: int, fill: Callable[[int, int, FloatArray], None]) -> FloatArray:
        """Return the features of `count` images that `fill` puts into the batches."""
        features: FloatArray = new_array((count, self._dimensions), np.float32, "evaluate", "split")
        for start in range(0, count, EVALUATION_BATCH):
            stop = min(start + EVALUATION_BATCH, count)
            fill(start, stop, self._batch[: stop - start])
            features[start:stop] = self._forward(self._batch)[: stop - start]
            self._advance(stop - start)
        return features


def _normalized(features: FloatArray) -> FloatArray:
    """Divide rows by their Euclidean norms, in place."""
    _native.l2_normalize(features, None, features)
    return features
