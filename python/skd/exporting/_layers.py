"""Layers of the networks as nodes of a graph, with batch norm folded into convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd.exporting._graph import Graph

FloatArray = NDArray[np.float32]
EPSILON = 1e-5  # added to a variance before its root is taken, as in the networks


class Layers:
    """Layers under the names of a state dict; values are feature maps in NCHW order."""

    def __init__(self, graph: Graph, state: Mapping[str, NDArray[Any]]) -> None:
        self.graph, self.state = graph, state

    def convolution(
        self, value: str, name: str, *, norm: str | None = None, stride: int = 1
    ) -> str:
        """Convolve; a batch norm that follows is folded into the weights.

        A kernel of side 3 pads with one zero on each side, and a kernel of side 1 with none.
        """
        weight = self.state[f"{name}.weight"]
        bias = self.state.get(f"{name}.bias", np.zeros(len(weight), np.float32))
        if norm is not None:
            weight, bias = self._scaled(weight, norm), self._normalized(bias, norm)
        names = [
            self.graph.constant(f"{name}.weight", weight),
            self.graph.constant(f"{name}.bias", bias),
        ]
        side = weight.shape[2]
        return self.graph.node(
            "Conv",
            [value, *names],
            name,
            kernel_shape=[side, side],
            pads=[side // 2] * 4,
            strides=[stride, stride],
        )

    def norm(self, value: str, name: str) -> str:
        """Normalise where no convolution comes before: scale and shift each channel."""
        channels = len(self.state[f"{name}.weight"])
        ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        scale = self._scaled(ones.reshape(channels, 1, 1, 1), name).reshape(1, channels, 1, 1)
        shift = self._normalized(zeros, name).reshape(1, channels, 1, 1)
        scaled = self.graph.node(
            "Mul", [value, self.graph.constant(f"{name}.scale", scale)], f"{name}.scaled"
        )
        return self.graph.node("Add", [scaled, self.graph.constant(f"{name}.shift", shift)], name)

    def linear(self, value: str, name: str) -> str:
        """Multiply rows by a weight [output, input] and add a bias."""
        names = [
            self.graph.constant(f"{name}.{part}", self.state[f"{name}.{part}"])
            for part in ("weight", "bias")
        ]
        return self.graph.node("Gemm", [value, *names], name, transB=1)

    def relu(self, value: str) -> str:
        """Replace negative values by 0."""
        return self.graph.node("Relu", [value], f"{value}.relu")

    def leaky_relu(self, value: str, slope: float) -> str:
        """Multiply negative values by a slope."""
        return self.graph.node("LeakyRelu", [value], f"{value}.leaky", alpha=slope)

    def add(self, first: str, second: str, name: str) -> str:
        """Add two feature maps."""
        return self.graph.node("Add", [first, second], name)

    def max_pool(self, value: str) -> str:
        """Take the maximum of each 2x2 square; an odd last row or column is left out."""
        return self.graph.node(
            "MaxPool", [value], f"{value}.pool", kernel_shape=[2, 2], strides=[2, 2]
        )

    def pooled_rows(self, value: str) -> str:
        """Average all positions of each channel, to a row for each image."""
        mean = self.graph.node("GlobalAveragePool", [value], f"{value}.mean")
        return self.graph.node("Flatten", [mean], f"{value}.row")

    def gate(self, value: str, name: str) -> str:
        """Scale the channels by a squeeze-and-excitation gate."""
        units = self.relu(self.linear(self.pooled_rows(value), f"{name}.fc.0"))
        gates = self.graph.node("Sigmoid", [self.linear(units, f"{name}.fc.2")], f"{name}.gate")
        shape = self.graph.constant(f"{name}.shape", np.array([0, 0, 1, 1], dtype=np.int64))
        columns = self.graph.node("Reshape", [gates, shape], f"{name}.columns")
        return self.graph.node("Mul", [value, columns], name)

    def _scaled(self, weight: FloatArray, norm: str) -> FloatArray:
        """Scale the kernels of a weight [output, input, height, width] as a batch norm does."""
        zeros = np.zeros(len(weight), np.float32)
        # The library normalises the last axis, with mean and offset 0: a product by the scale.
        scaled = self._batch_norm(weight.transpose(2, 3, 1, 0), norm, zeros, zeros)
        return np.ascontiguousarray(scaled.transpose(3, 2, 0, 1))

    def _normalized(self, vector: FloatArray, norm: str) -> FloatArray:
        """Normalise a value of each channel."""
        mean, offset = self.state[f"{norm}.running_mean"], self.state[f"{norm}.bias"]
        return self._batch_norm(vector.reshape(1, 1, 1, -1), norm, mean, offset).reshape(-1)

    def _batch_norm(
        self, values: FloatArray, norm: str, mean: FloatArray, offset: FloatArray
    ) -> FloatArray:
        output = np.empty(values.shape, np.float32)
        weight, variance = self.state[f"{norm}.weight"], self.state[f"{norm}.running_var"]
        contiguous = np.ascontiguousarray(values)
        _native.batch_norm2d_eval(contiguous, weight, offset, EPSILON, mean, variance, output)
        return output
