"""Networks: evaluation, state and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skd import _validation as check
from skd._memory import too_large_by
from skd._refusals.native import refused_as
from skd.choices import Features, OnnxInput, WeightType, values
from skd.models._description import Described
from skd.models._images import (
    EVALUATION_BATCH,
    Chunks,
    FloatArray,
    Normalization,
    checked_normalization,
    finite_outputs,
)
from skd.models._transformer import Transformer
from skd.models.checkpoint import write_checkpoint

if TYPE_CHECKING:
    from skd.classifiers.estimator import Classifier
    from skd.exporting import Exportable
    from skd.models.inputs import Images

FEATURES: tuple[Features, ...] = values(Features)
EMBEDDING, LOGITS, ROTATION = range(3)  # places of the outputs in `_native.Model.evaluate`


class Model(Described, Transformer):
    """A network; created by `create_model`, `load_model` and `Model.clone`.

    Images are in NHWC order, either float32 that is already normalised, or uint8, which needs
    `normalization`. A single image without the first axis is a batch of one; an image of Pillow, or
    a sequence of them, is converted to the model's channels, scaled so that the shorter side is
    `image_size`, and cropped to the central square. Evaluation uses running statistics and no
    dropout. Floats that are not plausible, ten times beyond the range of the model's normalisation,
    are refused. Calls of several threads on one model wait for each other, and each sees one
    consistent state.

    A model is a transformer of scikit-learn, whose features are the embeddings.

    Examples
    --------
    >>> model = skd.create_model("convnet4", num_classes=5, image_size=32)
    >>> model.parameter_count
    113413
    >>> model.embed(np.zeros((32, 32, 3))).shape
    (1, 64)
    """

    def __copy__(self) -> Model:
        """Return a clone: models share nothing."""
        return self.clone()

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        """Return a clone."""
        return self.clone()

    def embed(self, images: Images) -> FloatArray:
        """Compute the features before the classifier, not normalised.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Images of dtype uint8, or float32 that is already normalised, or of Pillow; see `Model`.

        Returns
        -------
        embeddings : ndarray of shape (n_images, embedding_dim), dtype float32
            A new array.

        Raises
        ------
        SKDError
            If a value overflows float32, for example because weights are too large.
        """
        return self._computed(images, "Model.embed", self.embedding_dim, EMBEDDING)

    def logits(self, images: Images) -> FloatArray:
        """Compute the scores of the classes.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Images of dtype uint8, or float32 that is already normalised, or of Pillow; see `Model`.

        Returns
        -------
        logits : ndarray of shape (n_images, num_classes), dtype float32
            A new array.

        Raises
        ------
        SKDError
            If a value overflows float32, for example because weights are too large.
        """
        return self._computed(images, "Model.logits", self.num_classes, LOGITS)

    def rotation_logits(self, images: Images) -> FloatArray:
        """Compute the scores of the four rotations.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Images of dtype uint8, or float32 that is already normalised, or of Pillow; see `Model`.

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
        return self._computed(images, owner, 4, ROTATION)

    def stage_outputs(self, images: Images) -> tuple[FloatArray, ...]:
        """Compute the output of each stage of the backbone.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Images of dtype uint8, or float32 that is already normalised, or of Pillow; see `Model`.

        Returns
        -------
        outputs : tuple of ndarray of shape (n_images, height, width, channels), dtype float32
            Outputs after the pooling of each stage.
        """
        owner = "Model.stage_outputs"
        shapes = self._stage_shapes
        dimensions = sum(map(math.prod, shapes))
        batches = Chunks(self._native, images, self.normalization, owner, dimensions)
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

    def save(self, path: str | PathLike[str], *, dtype: WeightType = "float32") -> None:
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

    def to_onnx(
        self,
        path: str | PathLike[str],
        classifier: Classifier | Exportable | None = None,
        *,
        input_dtype: OnnxInput | None = None,
    ) -> None:
        """Write the network as an ONNX file, which ONNX Runtime runs without this package.

        The graph takes ``images`` of shape (n_images, image_size, image_size, input_channels), as
        `embed` does, with any number of images. It holds the normalisation of uint8 images, the
        backbone with each batch norm folded into a convolution, and the head. The network computes
        in float32, whatever the model's precision. Equal calls write equal bytes. It needs the
        package onnx (``pip install onnx``).

        Parameters
        ----------
        path : str or path
            Where to write; an existing file is replaced.
        classifier : FewShotClassifier or classifier of `skd`, optional
            Fitted head: a `FewShotClassifier` of this model, or an estimator such as
            `LogisticRegression` that was fitted to the rows of `embed`. The graph then has the
            output ``label``, of shape (n_images,) and the type of the classes, and with every head
            but the nearest neighbour ``scores``, of shape (n_images, num_classes): those of
            ``decision_function``, with 0 for the first of two classes of a linear head. A head with
            `predict_proba` adds ``probabilities``. Without a head, the outputs are ``embedding``
            and ``logits``.
        input_dtype : {"uint8", "float32"}, optional
            Type of the images: pixels in 0..255, or floats that are already normalised. By default
            "uint8" if the model has a normalisation, and otherwise "float32".

        Raises
        ------
        ValueError
            If `classifier` is fitted on another model or on other features, or `input_dtype` is
            "uint8" and the model has no normalisation.
        TypeError
            If `classifier` is no classifier.
        NotFittedError
            If `classifier` is not fitted.
        ImportError
            If the package onnx is missing.
        WriteError
            If the file cannot be written, as on a full disk; an existing one is then unchanged.
        """
        from skd.models._onnx import write_onnx  # it loads the classifiers

        write_onnx(self, path, classifier, input_dtype)

    def features(
        self, images: Images, kind: Features, *, normalization: Normalization | None = None
    ) -> FloatArray:
        """Compute the embedding or the logits, under another normalisation if wanted.

        Parameters
        ----------
        images : array-like of shape (n_images, image_size, image_size, input_channels)
            Images of dtype uint8, or float32 that is already normalised, or of Pillow; see `Model`.
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
        if normalization is not None:
            normalization = checked_normalization(
                normalization, "normalization", owner, channels=self.input_channels
            )
        embeds = check.choice(kind, "kind", owner, FEATURES) == "embedding"
        output = (self.embedding_dim, EMBEDDING) if embeds else (self.num_classes, LOGITS)
        return self._computed(images, owner, *output, normalization)

    def _computed(
        self,
        images: Images,
        owner: str,
        dimensions: int,
        place: int,
        normalization: Normalization | None = None,
    ) -> FloatArray:
        """Compute one of the outputs of the library, which has three places for them."""
        chosen = self.normalization if normalization is None else normalization
        chunks = Chunks(self._native, images, chosen, owner, dimensions)
        outputs = np.empty((chunks.count, dimensions), dtype=np.float32)
        with refused_as(owner), self._native.locked():
            for rows, chunk in chunks:
                wanted: list[FloatArray | None] = [None, None, None]
                wanted[place] = outputs[rows]
                self._native.evaluate(chunk, *wanted)
        return finite_outputs(outputs, owner)
