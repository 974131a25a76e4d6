"""Networks: evaluation, state and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._refusals.native import refused_as
from skd.errors import SKDError
from skd.models.checkpoint import write_checkpoint
from skd.models.plausible_floats import require_plausible

FloatArray = NDArray[np.float32]

FEATURES = ("embedding", "logits")
CHUNK = 64  # images evaluated at once, which bounds the memory of an evaluation


class Normalization(NamedTuple):
    """How uint8 images become the floats that a model takes: ``(x / 255 - mean) / std``.

    Attributes
    ----------
    mean, std : tuple of float
        One per channel, for pixels in 0..1.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]


class Model:
    """A network; made by `create_model`, `load_model` and `Model.clone`.

    Images are given in NHWC order, as float32 that is already normalised, or as uint8, which
    needs `normalization`. Evaluation uses running statistics and no dropout. Floats that no
    normalisation gives, ten times beyond the model's own, are refused. A call that reads or changes
    the model waits for those of other threads, and is of one state.
    """

    def __init__(self, native: _native.Model, config: Mapping[str, Any]) -> None:
        self._native = native
        self._config = dict(config)
        self._normalization: Normalization | None = None

    def __copy__(self) -> Model:
        """Return a clone: models share nothing."""
        return self.clone()

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        """Return a clone."""
        return self.clone()

    def __repr__(self) -> str:
        """Return the architecture and its sizes."""
        return (
            f"Model({self.architecture!r}, num_classes={self.num_classes}, "
            f"image_size={self.image_size}, input_channels={self.input_channels})"
        )

    @property
    def architecture(self) -> str:
        """Name of the backbone."""
        name: str = self._config["architecture"]
        return name

    @property
    def config(self) -> dict[str, Any]:
        """What `create_model` was called with, without the seed."""
        return dict(self._config)

    @property
    def num_classes(self) -> int:
        """Classes of the classifier."""
        return self._native.num_classes

    @property
    def image_size(self) -> int:
        """Side of the images, in pixels."""
        return self._native.image_size

    @property
    def input_channels(self) -> int:
        """Channels of the images."""
        return self._native.input_channels

    @property
    def embedding_dim(self) -> int:
        """Dimensions of the embedding."""
        return self._native.embedding_dim

    @property
    def precision(self) -> str:
        """Of the products of the 3x3 convolutions: "float32" or "bfloat16"."""
        name: str = self._config["precision"]
        return name

    @property
    def parameter_count(self) -> int:
        """Number of trainable scalars."""
        return self._native.parameter_count

    @property
    def stage_count(self) -> int:
        """Number of stages of the backbone."""
        return self._native.stage_count

    @property
    def has_rotation_head(self) -> bool:
        """Whether the model predicts the rotation."""
        return self._native.has_rotation_head

    @property
    def normalization(self) -> Normalization | None:
        """Mean and standard deviation for uint8 images; `fit` sets those of its split."""
        return self._normalization

    @normalization.setter
    def normalization(self, value: tuple[ArrayLike, ArrayLike] | None) -> None:
        if value is not None:
            value = _checked_normalization(
                value, "value", "Model.normalization", channels=self.input_channels
            )
        self._normalization = value

    def embed(self, images: ArrayLike) -> FloatArray:
        """Compute the features before the classifier, not normalised.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Dtype uint8, or float32 already normalised.

        Returns
        -------
        embeddings : ndarray of shape (n_images, embedding_dim), dtype float32
            A new array.

        Raises
        ------
        SKDError
            If a value overflows float32, as with weights that are too large.
        """
        return self._embed(self._chunks(images, "Model.embed", self.embedding_dim))

    def logits(self, images: ArrayLike) -> FloatArray:
        """Compute the scores of the classes.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Dtype uint8, or float32 already normalised.

        Returns
        -------
        logits : ndarray of shape (n_images, num_classes), dtype float32
            A new array.

        Raises
        ------
        SKDError
            If a value overflows float32, as with weights that are too large.
        """
        return self._logits(self._chunks(images, "Model.logits", self.num_classes))

    def rotation_logits(self, images: ArrayLike) -> FloatArray:
        """Compute the scores of the four rotations.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Dtype uint8, or float32 already normalised.

        Returns
        -------
        rotation_logits : ndarray of shape (n_images, 4), dtype float32
            A new array.

        Raises
        ------
        ValueError
            If the model has no rotation head.
        SKDError
            If a value overflows float32, as with weights that are too large.
        """
        owner = "Model.rotation_logits"
        if not self.has_rotation_head:
            check.refuse("self", owner, "a model with a rotation head", repr(self))
        batches = self._chunks(images, owner, 4)
        rotation = np.empty((batches.count, 4), dtype=np.float32)
        with refused_as(owner), self._native.locked():
            for rows, chunk in batches:
                self._native.evaluate(chunk, None, None, rotation[rows])
        return _finite(rotation, owner)

    def stage_outputs(self, images: ArrayLike) -> tuple[FloatArray, ...]:
        """Compute the output of each stage of the backbone.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Dtype uint8, or float32 already normalised.

        Returns
        -------
        outputs : tuple of ndarray of shape (n_images, height, width, channels), dtype float32
            One array per stage, after its pooling.
        """
        owner = "Model.stage_outputs"
        shapes = [self._native.stage_shape(1, stage)[1:] for stage in range(self.stage_count)]
        batches = self._chunks(images, owner, sum(map(math.prod, shapes)))
        outputs = tuple(np.empty((batches.count, *shape), dtype=np.float32) for shape in shapes)
        with refused_as(owner), self._native.locked():
            for rows, chunk in batches:
                for stage, output in enumerate(outputs):
                    self._native.stage_output(chunk, stage, output[rows])
        return outputs

    def evaluation_memory(self, n_images: int = CHUNK) -> int:
        """Return how much memory the model's buffers hold once images are evaluated.

        An evaluation for which the machine has too little raises a MemoryError before it begins.

        Parameters
        ----------
        n_images : int, default=64
            Images handed over at once; 64 at a time are evaluated.

        Returns
        -------
        evaluation_memory : int
            Bytes of state and passes, without the arrays of images and results.
        """
        owner = "Model.evaluation_memory"
        number = check.integer(n_images, "n_images", owner)
        with refused_as(owner):
            return self._native.evaluation_memory(number)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return the state as read-only views, under PyTorch's names and in its shapes.

        The views show the model's own memory: they change when the model is trained, and keep
        it alive. `snapshot` gives what stays as it is.

        Returns
        -------
        state : dict of str to ndarray
            float32, and int64 for the counters of batch norms.
        """
        return self._native.state_dict()

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Copy the state, as it is between two steps of a trainer in another thread.

        Returns
        -------
        state : dict of str to ndarray
            As of `state_dict`, but the arrays are C-contiguous and nothing changes them.
        """
        with self._native.locked():
            return {name: view.copy() for name, view in self.state_dict().items()}

    def load_state_dict(self, state_dict: Mapping[str, ArrayLike]) -> None:
        """Replace the whole state, or nothing of it.

        Parameters
        ----------
        state_dict : mapping of str to array-like
            An array of the right shape for every name of `state_dict`, and no other name.

        Raises
        ------
        ValueError
            If names are missing or unexpected, a shape differs, or a value is not finite; the
            model is then unchanged.
        TypeError
            If an entry is no array of real numbers, or a counter is not of an integer dtype.
        """
        owner = "Model.load_state_dict"
        with refused_as(owner), self._native.locked():  # the arrays may be the model's own
            arrays = check.state_arrays(state_dict, self.state_dict(), owner)
            self._native.load(list(arrays.values()))

    def clone(self) -> Model:
        """Copy the model.

        Returns
        -------
        copy : Model
            Of equal configuration and state; it shares nothing with this one.
        """
        copy = Model(self._native.clone(), self._config)
        copy._normalization = self._normalization
        return copy

    def save(self, path: str | PathLike[str]) -> None:
        """Write a checkpoint in the safetensors format, with PyTorch's names and shapes.

        The file appears whole or not at all, and `skd.load_model` reads it.

        Parameters
        ----------
        path : str or path
            Where to write; an existing file is replaced.

        Raises
        ------
        WriteError
            If the file cannot be written, as on a full disk; an existing one is then unchanged.
        """
        write_checkpoint(path, self.snapshot(), self.config, self.normalization)

    def features(
        self, images: ArrayLike, kind: str, *, normalization: Normalization | None = None
    ) -> FloatArray:
        """Compute the embedding or the logits, under another normalisation if wanted.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Dtype uint8, or float32 already normalised.
        kind : {"embedding", "logits"}
            Which output.
        normalization : Normalization, optional
            Of uint8 images; by default that of the model.

        Returns
        -------
        features : ndarray of shape (n_images, n_dimensions), dtype float32
            A new array.

        Raises
        ------
        SKDError
            If a value overflows float32, as with weights that are too large.
        """
        owner = "Model.features"
        if normalization is None:
            normalization = self.normalization
        else:
            normalization = _checked_normalization(
                normalization, "normalization", owner, channels=self.input_channels
            )
        embeds = check.choice(kind, "kind", owner, FEATURES) == "embedding"
        dimensions = self.embedding_dim if embeds else self.num_classes
        chunks = _Chunks(self, images, normalization, owner, dimensions)
        return self._embed(chunks) if embeds else self._logits(chunks)

    def _embed(self, chunks: _Chunks) -> FloatArray:
        embeddings = np.empty((chunks.count, self.embedding_dim), dtype=np.float32)
        with refused_as(chunks.owner), self._native.locked():
            for rows, chunk in chunks:
                self._native.evaluate(chunk, embeddings[rows], None, None)
        return _finite(embeddings, chunks.owner)

    def _logits(self, chunks: _Chunks) -> FloatArray:
        logits = np.empty((chunks.count, self.num_classes), dtype=np.float32)
        with refused_as(chunks.owner), self._native.locked():
            for rows, chunk in chunks:
                self._native.evaluate(chunk, None, logits[rows], None)
        return _finite(logits, chunks.owner)

    def _chunks(self, images: ArrayLike, owner: str, dimensions: int) -> _Chunks:
        return _Chunks(self, images, self.normalization, owner, dimensions)


def _checked_normalization(
    value: tuple[ArrayLike, ArrayLike], name: str, owner: str, *, channels: int
) -> Normalization:
    """Return a pair (mean, std) with one number for each channel."""
    if not isinstance(value, tuple) or len(value) != 2:
        check.refuse(name, owner, "a pair (mean, std)", repr(value))
    mean = check.channel_vector(value[0], "mean", owner, channels=channels)
    std = check.channel_vector(value[1], "std", owner, channels=channels, positive=True)
    return Normalization(tuple(mean.tolist()), tuple(std.tolist()))


class _Chunks:
    """Images in chunks of bounded size, as the float32 that the library takes.

    They are refused if they, or the `dimensions` that are computed of each, do not fit into memory.
    """

    def __init__(
        self,
        model: Model,
        images: ArrayLike,
        normalization: Normalization | None,
        owner: str,
        dimensions: int,
    ) -> None:
        self._images = check.model_images(
            images, "images", owner, side=model.image_size, channels=model.input_channels
        )
        self._normalization = normalization
        self.owner = owner
        self.count = len(self._images)
        copied = check.float_copy_bytes(self._images[:CHUNK])
        with refused_as(owner):
            model._native.require_memory(self.count, copied + 4 * dimensions * self.count)

    def __iter__(self) -> Iterator[tuple[slice, FloatArray]]:
        for start in range(0, self.count, CHUNK):
            rows = slice(start, min(start + CHUNK, self.count))
            floats = model_floats(self._images[rows], self._normalization, self.owner)
            if self._images.dtype != np.uint8:
                require_plausible(floats, self._normalization, "images", self.owner)
            yield rows, floats


def _finite(outputs: FloatArray, owner: str) -> FloatArray:
    """Return outputs of a model, unless one overflowed."""
    is_finite = np.isfinite(outputs).all(axis=1)
    if not is_finite.all():
        raise SKDError(
            f"{owner} came out NaN or infinite for image {int(is_finite.argmin())} of "
            f"{len(outputs)}: the model's weights, or the images, are too large for float32."
        )
    return outputs


def model_floats(
    images: NDArray[Any], normalization: Normalization | None, owner: str, *, name: str = "images"
) -> FloatArray:
    """Return images as the floats that a model takes: uint8 normalised, others as they are."""
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
