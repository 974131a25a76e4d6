"""What a network is: its architecture, sizes, normalisation and layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from skd import _native
from skd.choices import Architecture, Precision
from skd.models._images import Normalization, checked_normalization
from skd.models._summary import ModelSummary, summary_of


class Described:
    """A network that tells its properties."""

    def __init__(self, native: _native.Model, config: Mapping[str, Any]) -> None:
        self._native = native
        self._config = dict(config)
        self._normalization: Normalization | None = None

    def __repr__(self) -> str:
        """Return the architecture, its sizes and the normalisation."""
        normalization = self.normalization and tuple(
            tuple(round(value, 4) for value in values) for values in self.normalization
        )
        return (
            f"Model({self.architecture!r}, num_classes={self.num_classes}, "
            f"image_size={self.image_size}, input_channels={self.input_channels}, "
            f"widths={self.widths}, parameter_count={self.parameter_count}, "
            f"normalization={normalization})"
        )

    @property
    def architecture(self) -> Architecture:
        """Name of the backbone."""
        name: Architecture = self._config["architecture"]
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
    def precision(self) -> Precision:
        """Precision of the products of the 3x3 convolutions: "float32" or "bfloat16"."""
        name: Precision = self._config["precision"]
        return name

    @property
    def parameter_count(self) -> int:
        """Number of trainable scalars."""
        return self._native.parameter_count

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each stage of the backbone."""
        return tuple(shape[2] for shape in self._stage_shapes)

    @property
    def _stage_shapes(self) -> list[list[int]]:
        """Height, width and channels of the output of each stage."""
        return [self._native.stage_shape(1, stage)[1:] for stage in range(self.stage_count)]

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

    def summary(self) -> ModelSummary:
        """List the layers with their output shapes, parameters and multiply-adds.

        Returns
        -------
        summary : ModelSummary
            Layers with parameters, and the sums; ``print(model.summary())`` prints a table.

        Examples
        --------
        >>> summary = skd.create_model("resnet12", num_classes=64, image_size=32).summary()
        >>> summary.layers[0].name, summary.layers[0].output_shape
        ('layer1.0.conv1', (32, 32, 64))
        >>> summary.parameter_count, summary.multiply_adds
        (12465604, 523149568)
        """
        shape = (self.image_size, self.image_size, self.input_channels)
        sides = [shape[0] for shape in self._stage_shapes]
        return summary_of(self.architecture, shape, sides, self._native.state_dict())
