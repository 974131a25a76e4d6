"""Networks: evaluation, state and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _native
from skd import _validation as check
from skd._memory import too_large_by
from skd._refusals.native import refused_as
from skd.models._images import (
    EVALUATION_BATCH,
    Chunks,
    FloatArray,
    Normalization,
    checked_normalization,
    finite_outputs,
)
from skd.models.checkpoint import write_checkpoint

FEATURES = ("embedding", "logits")


class Model:
    """A network; created by `create_model`, `load_model` and `Model.clone`.

    Images are in NHWC order, either float32 that is already normalised, or uint8, which needs
    `normalization`. Evaluation uses running statistics and no dropout. Floats that are not
    plausible, ten times beyond the range of the model's normalisation, are refused. Calls of
    several threads on one model wait for each other, and each sees one consistent state.
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
        """Arguments of `create_model`, without the seed."""
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
        """Precision of the products of the 3x3 convolutions: "float32" or "bfloat16"."""
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
            value = checked_normalization(
                value, "value", "Model.normalization", channels=self.input_channels
            )
        self._normalization = value

    def embed(self, images: ArrayLike) -> FloatArray:
        """Compute the features before the classifier, not normalised.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Images of dtype uint8, or float32 that is already normalised.

        Returns
        -------
        embeddings : ndarray of shape (n_images, embedding_dim), dtype float32
            A new array.

        Raises
        ------
        SKDError
            If a value overflows float32, for example because weights are too large.
        """
        return self._embed(self._chunks(images, "Model.embed", self.embedding_dim))

    def logits(self, images: ArrayLike) -> FloatArray:
        """Compute the scores of the classes.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Images of dtype uint8, or float32 that is already normalised.

        Returns
        -------
        logits : ndarray of shape (n_images, num_classes), dtype float32
            A new array.

        Raises
        ------
        SKDError
            If a value overflows float32, for example because weights are too large.
        """
        return self._logits(self._chunks(images, "Model.logits", self.num_classes))

    def rotation_logits(self, images: ArrayLike) -> FloatArray:
        """Compute the scores of the four rotations.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Images of dtype uint8, or float32 that is already normalised.

        Returns
        -------
        rotation_logits : ndarray of shape (n_images, 4), dtype float32
            A new array.

        Raises
        ------
        ValueError
            If the model has no rotation head.
        SKDError
            If a value overflows float32, for example because weights are too large.
        """
        owner = "Model.rotation_logits"
        if not self.has_rotation_head:
            check.refuse("self", owner, "a model with a rotation head", repr(self))
        batches = self._chunks(images, owner, 4)
        rotation = np.empty((batches.count, 4), dtype=np.float32)
        with refused_as(owner), self._native.locked():
            for rows, chunk in batches:
                self._native.evaluate(chunk, None, None, rotation[rows])
        return finite_outputs(rotation, owner)

    def stage_outputs(self, images: ArrayLike) -> tuple[FloatArray, ...]:
        """Compute the output of each stage of the backbone.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Images of dtype uint8, or float32 that is already normalised.

        Returns
        -------
        outputs : tuple of ndarray of shape (n_images, height, width, channels), dtype float32
            Outputs after the pooling of each stage.
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

    def evaluation_memory(self, n_images: int = EVALUATION_BATCH) -> int:
        """Return the memory that the model's buffers hold once images are evaluated.

        If the machine has too little memory for an evaluation, it raises a MemoryError before it
        begins.

        Parameters
        ----------
        n_images : int, default=64
            Number of images of a call; 64 at a time are evaluated.

        Returns
        -------
        evaluation_memory : int
            Bytes of state and passes, without the arrays of images and results.
        """
        owner = "Model.evaluation_memory"
        number = check.integer(n_images, "n_images", owner)
        with refused_as(owner), too_large_by(owner, "n_images"):
            return self._native.evaluation_memory(number)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return the state as read-only views, under PyTorch's names and in its shapes.

        The views share the model's memory: they change when the model is trained, and keep it
        alive. `snapshot` returns copies.

        Returns
        -------
        state : dict of str to ndarray
            Arrays of float32, and int64 for the counters of batch norms.
        """
        return self._native.state_dict()

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Copy the state consistently, between two steps of a trainer in another thread.

        Returns
        -------
        state : dict of str to ndarray
            C-contiguous copies of `state_dict`, which later steps do not change.
        """
        with refused_as("Model.snapshot"), self._native.locked():
            return {name: view.copy() for name, view in self.state_dict().items()}

    def load_state_dict(self, state_dict: Mapping[str, ArrayLike]) -> None:
        """Replace the state, all or nothing.

        Parameters
        ----------
        state_dict : mapping of str to array-like
            An array of the right shape for every name of `state_dict`, and no further names.

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
            Model with equal configuration and state, which shares nothing with this one.
        """
        copy = Model(self._native.clone(), self._config)
        copy._normalization = self._normalization
        return copy

    def save(self, path: str | PathLike[str], *, dtype: str = "float32") -> None:
        """Write a checkpoint in the safetensors format, with PyTorch's names and shapes.

        The file appears whole or not at all, and `skd.load_model` reads it.

        Parameters
        ----------
        path : str or path
            Where to write; an existing file is replaced.
        dtype : {"float32", "bfloat16"}, default="float32"
            Type of the stored weights. With "bfloat16" the file is half as large, and each weight
            is rounded to the nearest number of 8 significant bits; a model that is loaded from it
            computes in float32 as before.

        Raises
        ------
        ValueError
            If `dtype` is unknown, or a weight is too large for bfloat16.
        WriteError
            If the file cannot be written, as on a full disk; an existing one is then unchanged.
        """
        write_checkpoint(path, self.snapshot(), self.config, self.normalization, dtype)

    def features(
        self, images: ArrayLike, kind: str, *, normalization: Normalization | None = None
    ) -> FloatArray:
        """Compute the embedding or the logits, under another normalisation if wanted.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Images of dtype uint8, or float32 that is already normalised.
        kind : {"embedding", "logits"}
            Output of the network.
        normalization : Normalization, optional
            Normalisation of uint8 images; by default the model's.

        Returns
        -------
        features : ndarray of shape (n_images, n_dimensions), dtype float32
            A new array.

        Raises
        ------
        SKDError
            If a value overflows float32, for example because weights are too large.
        """
        owner = "Model.features"
        if normalization is None:
            normalization = self.normalization
        else:
            normalization = checked_normalization(
                normalization, "normalization", owner, channels=self.input_channels
            )
        embeds = check.choice(kind, "kind", owner, FEATURES) == "embedding"
        dimensions = self.embedding_dim if embeds else self.num_classes
        chunks = Chunks(self._native, images, normalization, owner, dimensions)
        return self._embed(chunks) if embeds else self._logits(chunks)

    def _embed(self, chunks: Chunks) -> FloatArray:
        embeddings = np.empty((chunks.count, self.embedding_dim), dtype=np.float32)
        with refused_as(chunks.owner), self._native.locked():
            for rows, chunk in chunks:
                self._native.evaluate(chunk, embeddings[rows], None, None)
        return finite_outputs(embeddings, chunks.owner)

    def _logits(self, chunks: Chunks) -> FloatArray:
        logits = np.empty((chunks.count, self.num_classes), dtype=np.float32)
        with refused_as(chunks.owner), self._native.locked():
            for rows, chunk in chunks:
                self._native.evaluate(chunk, None, logits[rows], None)
        return finite_outputs(logits, chunks.owner)

    def _chunks(self, images: ArrayLike, owner: str, dimensions: int) -> Chunks:
        return Chunks(self._native, images, self.normalization, owner, dimensions)
