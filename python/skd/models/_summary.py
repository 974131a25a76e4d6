"""The layers of a network, their outputs and their cost."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from skd._display.tables import Table

STAGE = re.compile(r"layer(\d)\.(\d+)\.?(\w*)")
STRIDED = ("conv2", "shortcut")  # layers of a block of "wrn_28_10" that may have a stride


@dataclass(frozen=True)
class LayerSummary:
    """A layer with parameters.

    Attributes
    ----------
    name : str
        Name of its entries in `Model.state_dict`, without ``.weight``.
    kind : str
        Kind of the layer, such as "convolution 3x3", "batch norm" or "linear".
    output_shape : tuple of int
        Shape of the output for one image, (height, width, channels) or (n_features,).
    parameter_count : int
        Number of trainable scalars.
    multiply_adds : int
        Multiply-adds of a convolution or linear layer for one image, without biases; 0 for other
        layers.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameter_count: int
    multiply_adds: int


@dataclass(frozen=True, repr=False)
class ModelSummary:
    """The layers of a model, in the order of its state dict; it represents itself as a table.

    Attributes
    ----------
    architecture : str
        Name of the backbone.
    input_shape : tuple of int
        Shape of an image, (height, width, channels).
    layers : tuple of LayerSummary
        Layers with parameters; activations, pools and dropout have none.
    """

    architecture: str
    input_shape: tuple[int, ...]
    layers: tuple[LayerSummary, ...]

    @property
    def parameter_count(self) -> int:
        """Number of trainable scalars."""
        return sum(layer.parameter_count for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of all convolutions and linear layers for one image."""
        return sum(layer.multiply_adds for layer in self.layers)

    def __repr__(self) -> str:
        """Return a table of the layers."""
        return self._table().text()

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        return self._table().html()

    def _table(self) -> Table:
        title = (
            f"{self.architecture} for an image of {_extents(self.input_shape)}: "
            f"{self.parameter_count:,} parameters, {self.multiply_adds:,} multiply-adds"
        )
        columns = ("layer", "kind", "output", "parameters", "multiply-adds")
        rows = [
            (
                layer.name,
                layer.kind,
                _extents(layer.output_shape),
                f"{layer.parameter_count:,}",
                f"{layer.multiply_adds:,}",
            )
            for layer in self.layers
        ]
        return Table(title, columns, rows)


def summary_of(
    architecture: str,
    input_shape: tuple[int, int, int],
    stage_sides: Sequence[int],
    state: Mapping[str, NDArray[Any]],
) -> ModelSummary:
    """Return the layers of a network.

    Parameters
    ----------
    architecture : str
        Name of the backbone.
    input_shape : tuple of int
        Shape of an image.
    stage_sides : sequence of int
        Side of the output of each stage, in pixels.
    state : mapping of str to ndarray
        The state dict.
    """
    sides = (input_shape[0], *stage_sides)
    layers = [
        _layer(name.removesuffix(".weight"), state, _side(name, architecture, sides))
        for name in state
        if name.endswith(".weight")
    ]
    return ModelSummary(architecture, input_shape, tuple(layers))


def _layer(name: str, state: Mapping[str, NDArray[Any]], side: int) -> LayerSummary:
    """Return a layer whose output has a side, if it has sides at all."""
    weight, bias = state[f"{name}.weight"], state.get(f"{name}.bias")
    outputs = weight.shape[0]
    parameters = weight.size + (0 if bias is None else bias.size)
    if weight.ndim == 4:
        kind = f"convolution {weight.shape[2]}x{weight.shape[3]}"
        return LayerSummary(name, kind, (side, side, outputs), parameters, side**2 * weight.size)
    if weight.ndim == 2:
        return LayerSummary(name, "linear", (outputs,), parameters, weight.size)
    return LayerSummary(name, "batch norm", (side, side, outputs), parameters, 0)


def _side(name: str, architecture: str, sides: Sequence[int]) -> int:
    """Return the side of a layer's output; the first block of a stage works on its input."""
    match = STAGE.match(name)
    if match is None:
        return sides[0] if name.startswith("conv1") else sides[-1]
    stage, block, layer = int(match[1]), int(match[2]), match[3]
    works_on_input = block == 0 or architecture == "convnet4"  # its second number is no block
    if architecture == "wrn_28_10" and layer in STRIDED:
        works_on_input = False
    return sides[stage - 1] if works_on_input else sides[stage]


def _extents(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
