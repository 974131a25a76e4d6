"""A graph of ONNX operators, built node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd._version import __version__

#: Version of the operators; ONNX Runtime 1.12 and every later one runs it.
OPSET = 17
#: Version of the file format that belongs to `OPSET`; older runtimes refuse a newer one.
IR_VERSION = 8
MOST_BYTES = (1 << 31) - (1 << 20)  # of a protobuf message, with room for the nodes
BATCH = "n_images"  # name of the axis of images, whose length is free


def require_onnx() -> Any:
    """Return the package ``onnx``, or raise an ImportError that says how to install it."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError("ONNX files need the package onnx: pip install onnx") from error
    return onnx


class Graph:
    """Nodes in the order of computation, with their constants.

    A value is named by the node that computes it. Equal calls give equal files.
    """

    def __init__(self) -> None:
        self._onnx = require_onnx()
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, dtype: str, shape: tuple[int, ...]) -> str:
        """Declare the input: a batch of any length of arrays of a shape."""
        self._inputs.append(self._value(name, dtype, shape))
        return name

    def output(self, name: str, dtype: str, shape: tuple[int, ...], value: str) -> None:
        """Declare an output under a name of its own."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name], name=name))
        self._outputs.append(self._value(name, dtype, shape))

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add a constant array, once for each name."""
        array = values.astype(object) if values.dtype.kind in "UT" else np.ascontiguousarray(values)
        self._constants[name] = self._onnx.numpy_helper.from_array(array, name)
        return name

    def scalar(self, name: str, value: float) -> str:
        """Add a float64 constant."""
        return self.constant(name, np.array(value, dtype=np.float64))

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node with one output, and return the name of the output."""
        made = self._onnx.helper.make_node(operator, inputs, [name], name=name, **attributes)
        self._nodes.append(made)
        return name

    def serialized(self, name: str, notes: Mapping[str, str], owner: str) -> bytes:
        """Return the file, after the checks of the package ``onnx``."""
        size = sum(constant.ByteSize() for constant in self._constants.values())
        if size > MOST_BYTES:
            check.refuse("self", owner, "a model of less than 2 GB", f"one of {size:,} bytes")
        helper = self._onnx.helper
        graph = helper.make_graph(
            self._nodes, name, self._inputs, self._outputs, list(self._constants.values())
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="skd",
            producer_version=__version__,
        )
        helper.set_model_props(model, dict(notes))
        self._onnx.checker.check_model(model, full_check=True)
        data: bytes = model.SerializeToString(deterministic=True)
        return data

    def _value(self, name: str, dtype: str, shape: tuple[int, ...]) -> Any:
        kind = getattr(self._onnx.TensorProto, dtype.upper())
        return self._onnx.helper.make_tensor_value_info(name, kind, [BATCH, *shape])
